"""Going back under KServe from a fresh checkout: by the manifests of the release before, which the cluster keeps."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from flyweight.toolkit import targets
from flyweight.toolkit.errors import CommandFailed
from flyweight.toolkit.targets.commands import Runner
from flyweight.toolkit.targets.deployment import Deployment
from tests.targets.kubernetes.manifests import TOOLS

pytestmark = pytest.mark.needs("kubernetes")
# what a cluster answers that serves release 2, whose manifests of release 1 were kept; the real kubectl writes ConfigMaps
CLUSTER = """#!/bin/sh
case "$*" in
  "get inferenceservice birds --namespace=models"*) printf %s "${LIVE-2222222222}"; test -n "${LIVE-2}" ;;
  "get servingruntime,inferenceservice birds"*) cat live.json ;;
  "get configmap birds-before"*data.release*) printf 1111111111 ;;
  "get configmap birds-before"*data.manifests*) cat before.json ;;
  "create configmap"*) exec KUBECTL "$@" ;;
  "apply --filename=-") cat >>applied.txt; echo --- >>applied.txt ;;
  "wait inferenceservice/birds"*) ;;
  *) echo "not expected: $*" >&2; exit 1 ;;
esac
"""
BEFORE = [{"kind": kind, "metadata": {"name": "birds", "note": "it's $HOME"}} for kind in ("ServingRuntime", "InferenceService")]
LIVE = '{"kind":"ServingRuntime","live":"`yes`"}\n'


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stand-in for kubectl, and what it was given to apply."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "kubectl"
    program.write_text(CLUSTER.replace("KUBECTL", str(TOOLS / "bin" / "kubectl")))
    program.chmod(0o755)
    (tmp_path / "live.json").write_text(LIVE)
    (tmp_path / "before.json").write_text("\n".join(map(json.dumps, BEFORE)))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def applied(cluster: Path) -> list[str]:
    return (cluster / "applied.txt").read_text().split("---\n")


def test_the_manifests_that_the_cluster_keeps_are_applied_and_the_live_ones_kept(cluster: Path) -> None:
    deployer, deployment = targets.find("kubernetes").on("kserve").deployer, Deployment("birds", group="models")
    runner = Runner(lambda line: None)
    assert runner.output(*deployer.earlier_label(deployment)) == "1111111111"
    runner.run(deployer.roll_back(deployment, "1111111111"))
    kept, again, _ = applied(cluster)
    saved = yaml.safe_load(kept)
    assert (saved["kind"], saved["metadata"]["name"], saved["metadata"]["namespace"]) == ("ConfigMap", "birds-before", "models")
    assert saved["data"] == {"release": "2222222222", "manifests": LIVE.strip()}
    assert [json.loads(line) for line in again.splitlines()] == BEFORE


def test_another_release_is_not_in_the_cluster(cluster: Path) -> None:
    deployer, deployment = targets.find("kubernetes").on("kserve").deployer, Deployment("birds", group="models")
    with pytest.raises(CommandFailed, match="the cluster keeps the release before the live one alone, and it is not 3333333333"):
        Runner(lambda line: None).run(deployer.roll_back(deployment, "3333333333"))
    assert not (cluster / "applied.txt").exists()


def test_a_first_deployment_has_nothing_to_keep(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE", "")
    deployer, given = targets.find("kubernetes").on("kserve").deployer, {"image": "birds:1", "memory": "64Mi"}
    folder = cluster / "folder"
    folder.mkdir()
    (folder / "flyweight.json").write_text(json.dumps({"target": "kubernetes", "version": "1.0.0"}))
    commands = deployer.deploy(Deployment("birds", group="models", folder=folder, parameters=given))
    (keeping,) = [one for one in commands if "-before" in str(one)]
    Runner(lambda line: None).run([keeping])
    assert not (cluster / "applied.txt").exists()
