"""What kubectl and helm make of `infra/kubernetes`, and the overlays that a deployment writes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from flyweight.toolkit import targets
from flyweight.toolkit.targets.deployment import Deployment
from tests.conftest import ROOT

INFRA = ROOT / "infra" / "kubernetes"
CHART = INFRA / "chart"
TOOLS = ROOT / ".tools" / "kubernetes"
# beside the defaults: everything that a release can be given
FULL = (
    "image.digest=sha256:" + "a" * 64, "model.address=s3://models/penguins@prod", "metrics.enabled=true",
    "metrics.serviceMonitor=true", "metrics.dashboard=true", "route.host=penguins.example.com", "route.gatewayNamespace=gateways",
    "canary.weight=10", "canary.image.repository=penguins", "canary.image.tag=2.0.0", "podLabels.team=ml",
    "service.type=LoadBalancer",
)  # fmt: skip
MOUNTED = ("model.claim=models", "networkPolicy.enabled=false", "imagePullSecrets[0].name=registry")
PULLED = {
    "model": "s3://models/penguins@prod", "minReplicas": "1", "maxReplicas": "5", "settings": "FLYWEIGHT_METRICS=true",
}  # fmt: skip
# parameters of `flyweight deploy kubernetes` that a form takes
PARAMETERS = {
    "base": {
        "claim": "our-models", "host": "penguins.example.com", "gateway": "public", "monitoring": "true", "minReplicas": "3",
        "maxReplicas": "5", "cpu": "250m", "settings": "FLYWEIGHT_WORKERS=2,FLYWEIGHT_THREADS=2",
    },
    "knative": PULLED,
    "kserve": PULLED,
}  # fmt: skip
PLATFORMS = {"base": "plain", "knative": "knative", "kserve": "kserve"}
Manifests = dict[tuple[str, str], dict[str, Any]]


def ran(program: str, *words: str | Path, cwd: Path | None = None, environ: dict[str, str] | None = None) -> str:
    """The output of one of the tools."""
    command = [str(TOOLS / "bin" / program), *map(str, words)]
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("KUBE", "HELM"))}
    done = subprocess.run(command, cwd=cwd, env={**quiet, **(environ or {})}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def kustomized(folder: Path) -> str:
    """The manifests of a kustomization."""
    return ran("kubectl", "kustomize", folder)


def templated(*values: str, name: str = "flyweight") -> str:
    """The manifests of a release."""
    return ran("helm", "template", name, CHART, *(word for value in values for word in ("--set", value)))


def read(text: str) -> Manifests:
    """Manifests by kind and name."""
    listed = [document for document in yaml.safe_load_all(text) if document]
    found = {(one["kind"], one["metadata"]["name"]): one for one in listed}
    assert len(found) == len(listed)
    return found


def overlay(form: str, place: Path, built: Path, **more: str) -> Path:
    """Write the overlay of a deployment called birds, as `flyweight deploy` does it."""
    given = {"image": "registry.example.com:5000/birds:1.0.0", "memory": "160Mi", **PARAMETERS[form], **more}
    place.mkdir(parents=True, exist_ok=True)
    deployment = Deployment("birds", group="models", folder=built, work=place, parameters=given, tags={"team": "ml"})
    deployer = targets.find("kubernetes").on(PLATFORMS[form]).deployer
    (written, *_) = deployer.deploy(deployment)
    subprocess.run(written.words, check=True, capture_output=True, timeout=300)
    return next(place.rglob("kustomization.yaml")).parent


def everything(place: Path, built: Path) -> dict[str, str]:
    """All manifests that there are, by what makes them."""
    made = {form: kustomized(INFRA / form) for form in ("base", "canary", "knative", "kserve", "chart/dashboard")}
    made |= {f"overlay of {form}": kustomized(overlay(form, place / form, built)) for form in PARAMETERS}
    pulled = overlay("base", place / "pulled", built, claim="", model="https://models.example.com/birds")
    made |= {"pulled": kustomized(pulled)}
    return made | {"chart": templated(), "chart, full": templated(*FULL), "chart, mounted": templated(*MOUNTED)}
