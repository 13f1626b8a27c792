"""trivy on every template: what it has to say is what was decided, each with its reason, and no reason outlives its finding."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.building import build
from tests.targets.handler import ROOT
from tests.targets.test_checkov import IDENTITIES, KMS

pytestmark = [pytest.mark.needs("trivy"), pytest.mark.infra]
TRIVY = ROOT / ".tools" / "trivy" / "trivy-config"
CALLERS = "callers are known by a function key, a token or a network; a login of people is not what programs have"
TRACES = "a trace has a price, and is asked for by the parameter Tracing"
LOGGED = "the function logs a line for each request; access logs have a price and a place of the account's"
AZURE = {
    "AZU-0001": "callers are known by a function key or a token; certificates are the customer's to issue",
    "AZU-0002": CALLERS,
    "AZU-0003": CALLERS,
    "AZU-0012": IDENTITIES,
    "AZU-0056": "a model is pushed anew, and a file scored anew",
    "AZU-0057": "logs of each blob have a price, and a place of the account's",
    "AZU-0058": "three copies in one data centre; a model is pushed anew, and a file scored anew, in another region",
    "AZU-0061": "encrypted once, with the service's own key",
}
AWS = {
    "AWS-0001": LOGGED,
    "AWS-0003": TRACES,
    "AWS-0004": "a browser asks without credentials whether a page's script may call (CORS); all other methods ask for them",
    "AWS-0017": KMS,
    "AWS-0025": KMS,
    "AWS-0031": "a stack names an image by its digest; who goes back pushes an earlier image under its tag again",
    "AWS-0033": KMS,
    "AWS-0054": "HTTPS where a certificate is given; without one the load balancer is within the network, which a rule asserts",
    "AWS-0066": TRACES,
    "AWS-0089": "access logs of buckets need a bucket of the account's for them",
    "AWS-0096": "by SQS's own key unless one is given: trivy does not evaluate the condition",
    "AWS-0104": "images and models are fetched by HTTPS from services whose addresses change",
    "AWS-0125": TRACES,
    "AWS-0132": KMS,
}
KUBERNETES = {
    "KSV-0011": "a limit of CPU slows a pod down on an idle node; the autoscaler looks at what is requested",
    "KSV-0013": "the overlay of a deployment names the image by its digest",
    "KSV-0020": "the InferenceService gives the pod's user, 65532",
    "KSV-0021": "the InferenceService gives the pod's group, 65532",
    "KSV-0110": "the namespace is chosen by who deploys",
    "KSV-0118": "infra/scheduled/cloud_run.yaml is a job of Cloud Run, which has no pods to configure",
}
GOOGLE = {
    "GCP-0073": "the network is the customer's, and so are its default rules",
    "GCP-0078": "no bucket is made: the finding names no file",
}
ACCEPTED = {**AZURE, **AWS, **KUBERNETES, **GOOGLE}


@pytest.fixture(scope="module")
def report(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What trivy says of infra/ and of the Dockerfile that a build writes."""
    place = tmp_path_factory.mktemp("scanned")
    shutil.copytree(ROOT / "infra", place / "infra")
    build("docker", penguins, place / "docker", form="image")
    assert (place / "docker" / "Dockerfile").is_file()
    done = subprocess.run([str(TRIVY), str(place)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_kind_of_template_is_scanned(report: dict[str, Any]) -> None:
    assert {kind for kind, passed in report["passed"].items() if passed > 10} == {
        "azure-arm", "cloudformation", "dockerfile", "helm", "kubernetes", "terraform",
    }  # fmt: skip


def test_what_is_found_is_what_was_decided(report: dict[str, Any]) -> None:
    assert {(one["id"], one["file"], one["title"]) for one in report["failures"] if one["id"] not in ACCEPTED} == set()


def test_each_reason_has_a_finding(report: dict[str, Any]) -> None:
    assert ACCEPTED.keys() - {one["id"] for one in report["failures"]} == set()
