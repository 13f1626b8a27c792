"""A real API server takes every manifest, admits its pods at the level "restricted", and goes back with kubectl and helm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from flyweight.toolkit.cli import main
from tests.services.web import wait_until
from tests.targets.kubernetes.api_server import Cluster, cluster
from tests.targets.kubernetes.manifests import TOOLS

pytestmark = [pytest.mark.needs("kubernetes", "kube-apiserver"), pytest.mark.slow]
FORMS = (
    "base", "canary", "knative", "kserve", "chart/dashboard", "overlay of base", "overlay of knative", "overlay of kserve",
    "pulled", "chart", "chart, full", "chart, mounted",
)  # fmt: skip
NOT_OF_A_POD = ("containerConcurrency", "timeoutSeconds", "serviceAccountName")  # Knative's, and an account that is not there


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def test_there_is_no_manifest_beside_these(made: dict[str, str]) -> None:
    assert {*made} == {*FORMS}


def applied(server: Cluster, text: str) -> subprocess.CompletedProcess[str]:
    """What the server would say to manifests."""
    return server.run("apply", "--dry-run=server", "--validate=strict", "--namespace=models", "--filename=-", text=text)


@pytest.mark.parametrize("form", FORMS)
def test_the_server_takes_each_manifest(form: str, server: Cluster, made: dict[str, str]) -> None:
    taken = applied(server, made[form])
    assert taken.returncode == 0 and taken.stderr == "", taken.stderr  # nor does it warn
    objects = [one for one in yaml.safe_load_all(made[form]) if one]
    assert taken.stdout.count("(server dry run)") == len(objects)
    misspelt = made[form].replace("spec:\n", "spec:\n  misspelt: 1\n", 1)
    if misspelt != made[form]:
        refused = applied(server, misspelt)
        assert refused.returncode == 1 and 'unknown field "spec.misspelt"' in refused.stderr


@pytest.mark.parametrize("form", ["base", "overlay of base", "chart, full", "knative"])
def test_the_level_restricted_admits_a_pod(form: str, server: Cluster, made: dict[str, str]) -> None:
    for one in yaml.safe_load_all(made[form]):
        spec: dict[str, Any] = (one or {}).get("spec", {}).get("template", {}).get("spec")
        if not spec:
            continue
        own = {key: value for key, value in spec.items() if key not in NOT_OF_A_POD}
        for answering in own["containers"]:
            for probe in [answering[name] for name in answering if name.endswith("Probe")]:
                probe["httpGet"].setdefault("port", 8080)  # Knative fills it in
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "judged"}, "spec": own}
        admitted = server.run("create", "--dry-run=server", "--namespace=models", "--filename=-", text=json.dumps(pod))
        assert (admitted.returncode, admitted.stderr) == (0, "")
        pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
        refused = server.run("create", "--dry-run=server", "--namespace=models", "--filename=-", text=json.dumps(pod))
        assert "violates PodSecurity" in refused.stderr


@pytest.fixture
def run(server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The command line with the cluster's own tools, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(server.config))
    monkeypatch.setenv("PATH", f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}")
    for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))

    def call(*words: str) -> str:
        done = CliRunner().invoke(main, [*words, "--group", "models"])
        assert done.exit_code == 0, done.output
        return done.output

    return call


def image(server: Cluster, name: str) -> str:
    text: str = server.json("deployment", name)["spec"]["template"]["spec"]["containers"][0]["image"]
    return text


@pytest.mark.parametrize("platform", ["plain", "helm"])
def test_a_deployment_goes_back_and_forth_and_away(
    platform: str, server: Cluster, built: Callable[[str], Path], run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No node runs the pods, so that the commands do not wait for them: there are none."""
    from flyweight.toolkit.targets.kubernetes.platforms import helm, plain

    monkeypatch.setattr(plain.Plain, "awaited", lambda self, deployment: [])
    name = f"birds-{platform}"
    chosen = ["kubernetes", "--name", name, "--platform", platform]
    folder = ["--folder", str(built("kubernetes")), "--set", "memory=64Mi"]
    if platform == "helm":
        monkeypatch.setattr(helm, "WAIT", ())

    def made_by_the_controller(count: int) -> None:
        selector = f"--selector=app.kubernetes.io/instance={name}"
        wait_until(lambda: len(server.json("replicasets", selector)["items"]) == count, "there is a ReplicaSet more")

    for version in (1, 2):
        run("deploy", *chosen, *folder, "--set", f"image=birds:{version}")
        assert image(server, name) == f"birds:{version}"
        made_by_the_controller(version)
    assert "birds:2" in run("status", *chosen)
    run("rollback", *chosen)
    assert image(server, name) == "birds:1"
    run("deploy", *chosen, *folder, "--set", "image=birds:3")
    made_by_the_controller(3)
    shutil.rmtree(".flyweight/kubernetes/tests")  # as in a fresh checkout: the cluster is asked which version was there before
    run("rollback", *chosen)
    assert image(server, name) == "birds:1"
    run("destroy", *chosen, "--yes")
    kinds = "deployments,services,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies"

    def left() -> list[Any]:
        listed: list[Any] = server.json(kinds, f"--selector=app.kubernetes.io/instance={name}")["items"]
        return listed

    wait_until(lambda: left() == [], "everything is gone")
