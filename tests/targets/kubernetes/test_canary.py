"""A canary by `flyweight deploy`: what stands beside the live pods, and what is found out again from the cluster alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.targets.commands import Expanded, Runner
from flyweight.toolkit.targets.deployment import Deployer, Deployment
from tests.targets.kubernetes.manifests import TOOLS, kustomized, read, templated
from tests.targets.kubernetes.replica_sets import serving

pytestmark = pytest.mark.needs("kubernetes")
LIVE, NEXT, OLD = "6b8d4c7f5", "75d9c6b8f", "5c6d7e8f9"


def deployer(platform: str) -> Deployer:
    return targets.find("kubernetes").on(platform).deployer


def made(platform: str, folder: Path, place: Path, **variables: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The manifests of a canary of birds, by kind and name."""
    given = {"image": "registry.example.com/birds:2.0.0", "memory": "96Mi", "canary": "10", "host": "birds.example.com"}
    if platform == "knative":
        del given["host"]
    deployment = Deployment("birds", group="models", folder=folder, work=place, parameters=given)
    (written,) = [one for one in deployer(platform).deploy(deployment) if "overlay" in str(one) and "-m" in one.words]
    words = [word.filled(variables) if isinstance(word, Expanded) else word for word in written.words]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    return read(kustomized(next(place.rglob("kustomization.yaml")).parent))


def test_a_canary_has_everything_of_its_own(built: Callable[[str], Path], tmp_path: Path) -> None:
    found = made("plain", built("kubernetes"), tmp_path)
    assert {name for _, name in found} == {"birds-canary"} and not any(kind == "HTTPRoute" for kind, _ in found)
    pods = found["Deployment", "birds-canary"]["spec"]
    assert pods["template"]["spec"]["containers"][0]["image"] == "registry.example.com/birds:2.0.0"
    selected = found["Service", "birds-canary"]["spec"]["selector"]
    assert selected["app.kubernetes.io/instance"] == "birds-canary"
    assert selected.items() <= pods["template"]["metadata"]["labels"].items()
    assert found["HorizontalPodAutoscaler", "birds-canary"]["spec"]["minReplicas"] == 1
    assert "annotations" not in found["Service", "birds-canary"]["metadata"]


def test_a_canary_of_knative_shares_the_requests_by_revision(built: Callable[[str], Path], tmp_path: Path) -> None:
    found = made("knative", built("kubernetes"), tmp_path, LIVE="birds-00001")
    shares = [{"revisionName": "birds-00001", "percent": 90}, {"latestRevision": True, "percent": 10}]
    assert found["Service", "birds"]["spec"]["traffic"] == shares


def test_the_service_of_a_canary_of_helm_has_no_address() -> None:
    """Through which most requests would ask the live pods."""
    values = ("route.host=birds.example.com", "canary.weight=10", "canary.image.repository=birds", "canary.image.tag=2.0.0")
    found = read(templated(*values, name="birds"))
    assert found["Service", "birds"]["metadata"]["annotations"] == {"flyweight/url": "https://birds.example.com"}
    assert "annotations" not in found["Service", "birds-canary"]["metadata"]


@pytest.mark.parametrize(
    ("sets", "label", "earlier"),
    [
        ({"birds": [(LIVE, "7"), (OLD, "3")]}, LIVE, OLD),
        # a canary of which two images were tried: going back ends it, and the live pods stay
        ({"birds": [(OLD, "3"), (LIVE, "7")], "birds-canary": [(OLD, "1"), (NEXT, "2")]}, f"{LIVE}-{OLD}-{NEXT}", LIVE),
        ({"birds": [(LIVE, "1")]}, LIVE, ""),
    ],
)
def test_the_cluster_tells_what_is_live_and_what_was_before(
    sets: dict[str, list[tuple[str, str]]], label: str, earlier: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with serving(sets) as address:
        config = tmp_path / "config"
        cluster = f"clusters: [{{name: c, cluster: {{server: '{address}'}}}}]\ncontexts: [{{name: c, context: {{cluster: c}}}}]"
        config.write_text(f"apiVersion: v1\nkind: Config\n{cluster}\ncurrent-context: c\n")
        monkeypatch.setenv("KUBECONFIG", str(config))
        monkeypatch.setenv("HOME", str(tmp_path))  # of kubectl's cache
        deployment, runner = Deployment("birds", group="models"), Runner(lambda line: None)
        assert runner.output(*deployer("plain").live_label(deployment)) == label
        assert runner.output_if_any(*deployer("plain").earlier_label(deployment)) == earlier
