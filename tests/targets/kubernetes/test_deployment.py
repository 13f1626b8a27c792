"""Deploying to a cluster: the commands of each platform, and what is refused before one of them runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from flyweight.toolkit import targets
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.images.layout import LayoutWriter
from flyweight.toolkit.targets.deployment import Deployer, Deployment
from flyweight.toolkit.targets.kubernetes import memory, parameters
from tests.toolkit.deploying.provider_tools import ProviderTools

Run = Callable[..., Result]
Put = Callable[[str, int], Path]
PLATFORMS = ("plain", "helm", "knative", "kserve")
each = pytest.mark.parametrize("platform", PLATFORMS)


def deployer(platform: str) -> Deployer:
    return targets.find("kubernetes").on(platform).deployer


@pytest.fixture
def deployment(built: Callable[[str], Path], tmp_path: Path) -> Deployment:
    given = {"image": "registry.example.com:5000/ml/birds:1.0.0", "memory": "96Mi"}
    return Deployment("birds", group="models", folder=built("kubernetes"), work=tmp_path, parameters=given)


def lines(platform: str, deployment: Deployment) -> list[str]:
    return [str(one) for one in deployer(platform).deploy(deployment)]


def given(deployment: Deployment, **more: str) -> Deployment:
    """The deployment with more parameters."""
    return replace(deployment, parameters={**deployment.parameters, **more})


def test_each_platform_has_a_deployer_of_the_targets_name() -> None:
    assert sorted(targets.find("kubernetes").platforms()) == sorted(PLATFORMS)
    assert {deployer(platform).name for platform in PLATFORMS} == {"kubernetes"}
    assert targets.find("kubernetes").deployer is deployer("plain")


@pytest.mark.parametrize(
    ("platform", "verbs"),
    [
        ("plain", ["-m", "kubectl apply", "kubectl rollout status deployment/birds", "birds-canary"]),
        ("helm", ["helm upgrade birds"]),
        ("knative", ["-m", "kubectl apply", "kubectl wait services.serving.knative.dev/birds"]),
        ("kserve", ["-m", "-before", "kubectl apply", "kubectl wait inferenceservice/birds"]),
    ],
)
def test_each_platform_has_its_own_commands(platform: str, verbs: list[str], deployment: Deployment) -> None:
    shown = lines(platform, deployment)
    assert len(shown) == len(verbs) and all(verb in line for verb, line in zip(verbs, shown, strict=True))
    assert all("models" in line for line in shown)  # the namespace, in each


@each
def test_an_image_beside_the_folder_is_pushed_and_runs_by_its_digest(
    platform: str, deployment: Deployment, tmp_path: Path
) -> None:
    pushed = replace(deployment, folder=shutil.copytree(deployment.folder, tmp_path / "birds"))
    writer = LayoutWriter(tmp_path / "birds.oci")
    described = writer.add_document("application/vnd.oci.image.manifest.v1+json", {"schemaVersion": 2})
    writer.list(described)
    writer.list(
        writer.add_document("application/vnd.oci.image.manifest.v1+json", {"subject": described})
    )  # as a list of parts is
    writer.finish()
    first, *rest = lines(platform, pushed)
    assert first == f"flyweight image push {tmp_path / 'birds.oci'} registry.example.com:5000/ml/birds:1.0.0"
    assert described["digest"] in "\n".join(rest) and "birds:1.0.0" not in "\n".join(rest)
    assert not any("image push" in line for line in lines(platform, given(pushed, image="")))  # nowhere to push to
    writer.list(described)
    writer.finish()
    with pytest.raises(DeployFailed, match="lists 2 images"):
        lines(platform, pushed)


@each
def test_an_image_without_a_name_is_called_like_the_deployment_and_its_model(platform: str, deployment: Deployment) -> None:
    shown = "\n".join(lines(platform, given(deployment, image="")))
    assert "birds:1.0.0" in shown or '"repository": "birds", "digest": "", "tag": "1.0.0"' in shown


@each
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("memroy", "96Mi", r"there is no parameter memroy here \(memory\?\)"),
        ("memory", "lots", "memory can't be 'lots'"),
        ("image", "UPPER CASE", "image can't be 'UPPER CASE'"),
        ("maxReplicas", "0", "maxReplicas can't be '0'"),
        ("settings", "FLYWEIGHT_WORKERS", "settings can't be 'FLYWEIGHT_WORKERS'"),
        ("monitoring", "yes", "monitoring can't be 'yes'|there is no parameter monitoring here"),
    ],
)
def test_a_parameter_with_no_meaning_is_refused(
    platform: str, name: str, value: str, told: str, deployment: Deployment
) -> None:  # fmt: skip
    with pytest.raises(DeployFailed, match=told):
        lines(platform, given(deployment, **{name: value}))


@pytest.mark.parametrize("platform", ["knative", "kserve"])
@pytest.mark.parametrize("name", ["claim", "host", "gateway"])
def test_a_parameter_that_a_platform_does_not_have_is_refused(platform: str, name: str, deployment: Deployment) -> None:
    with pytest.raises(DeployFailed, match=f"there is no parameter {name} here") as refused:
        lines(platform, given(deployment, **{name: "some"}))
    assert "choose another --platform" in refused.value.next_step


def test_a_tag_that_is_no_label_is_refused(deployment: Deployment) -> None:
    tagged = Deployment("birds", folder=deployment.folder, parameters=deployment.parameters, tags={"team": "a/b"})
    with pytest.raises(DeployFailed, match="team=a/b is no label of Kubernetes"):
        lines("plain", tagged)


def test_plain_goes_back_to_the_revision_of_the_replica_set_that_was_live(deployment: Deployment) -> None:
    revision, undo, wait, route, gone = map(str, deployer("plain").roll_back(deployment, "5d9c7b4f6"))
    assert revision.startswith("REVISION=$(kubectl get replicaset birds-5d9c7b4f6 ")
    assert undo == 'kubectl rollout undo deployment/birds "--to-revision=$REVISION" --namespace=models'
    assert wait.startswith("kubectl rollout status deployment/birds ")
    assert '"value":[{"name":"birds","port":80,"weight":100}]' in route and route.endswith(" birds --namespace=models")
    assert gone.startswith("kubectl delete --ignore-not-found deployment,service,") and "instance=birds-canary " in gone


def test_a_canary_of_plain_is_a_deployment_beside_the_live_one_and_a_share_of_its_route(deployment: Deployment) -> None:
    route, written, apply, wait, shares = lines("plain", given(deployment, canary="10", host="birds.example.com"))
    assert route == "kubectl get httproute birds --output=name --namespace=models"
    assert " base " in written and "--name birds-canary" in written and "minReplicas=1" in written and "host=" not in written
    assert apply.endswith("/models/birds-canary") and wait.startswith("kubectl rollout status deployment/birds-canary ")
    assert '[{"name":"birds","port":80,"weight":90},{"name":"birds-canary","port":80,"weight":10}]' in shares
    assert " service birds-canary " in str(deployer("plain").url(given(deployment, canary="10")))  # which leads nowhere outside


def test_a_canary_of_helm_keeps_the_live_values(deployment: Deployment) -> None:
    (line,) = lines("helm", given(deployment, canary="10"))
    assert line.startswith("helm upgrade birds ") and " --reuse-values " in line and "--install" not in line
    assert 'canary={"weight": 10, "image": {"repository": "registry.example.com:5000/ml/birds"' in line
    assert "resources" not in line and "reuse" not in lines("helm", deployment)[0]  # a promotion begins with the chart's own


def test_a_canary_of_knative_leaves_the_other_requests_to_the_live_revision(deployment: Deployment) -> None:
    live, written, *_ = lines("knative", given(deployment, canary="10"))
    assert live.startswith("LIVE=$(kubectl get services.serving.knative.dev birds ") and "traffic[0]" in live
    assert written.endswith('--live "$LIVE"') and "canary=10" in written


@pytest.mark.parametrize("value", ["0", "100", "ten", "-1"])
def test_a_share_of_none_or_of_all_is_no_canary(value: str, deployment: Deployment) -> None:
    with pytest.raises(DeployFailed, match=f"canary can't be '{value}'"):
        lines("plain", given(deployment, canary=value))


def test_kserve_has_no_canary(deployment: Deployment) -> None:
    with pytest.raises(DeployFailed, match="there is no parameter canary here"):
        lines("kserve", given(deployment, canary="10"))


def test_helm_goes_back_by_the_number_of_its_release(deployment: Deployment) -> None:
    (line,) = map(str, deployer("helm").roll_back(deployment, "3"))
    assert line == "helm rollback birds 3 --wait --timeout=120s --namespace=models"


def test_knative_goes_back_by_traffic(deployment: Deployment) -> None:
    patch, wait = map(str, deployer("knative").roll_back(deployment, "birds-00001"))
    assert '\'{"spec":{"traffic":[{"revisionName":"birds-00001","percent":100}]}}\'' in patch
    assert wait.startswith("kubectl wait ")


def test_kserve_goes_back_by_the_manifests_of_the_release_before(deployment: Deployment) -> None:
    assert [*map(str, deployer("kserve").roll_back(deployment, ""))] == lines("kserve", deployment)


@pytest.mark.parametrize(("platform", "gone"), [("helm", "helm uninstall birds"), ("knative", "delete"), ("kserve", "delete")])
def test_what_was_made_is_removed(platform: str, gone: str, deployment: Deployment) -> None:
    assert any(gone in str(one) for one in deployer(platform).destroy(deployment))


@each
def test_the_log_is_that_of_all_pods(platform: str, deployment: Deployment) -> None:
    (line,) = map(str, deployer(platform).logs(deployment, "10m", True))
    assert "=birds " in line and "--since=10m" in line and "--follow" in line
    assert str(deployer(platform).status(deployment)[-1]).startswith("kubectl get ")
    assert str(deployer(platform).url(deployment)).startswith("kubectl get ")


def test_the_verbs_after_a_deployment_take_its_platform(run: Run, put: Put, tools: ProviderTools) -> None:
    put("kubernetes", 1)
    done = run("deploy", "kubernetes", "--platform", "helm", "--dry-run", "--set", "memory=96Mi")
    assert done.exit_code == 0 and "helm upgrade penguins " in done.stdout
    assert "helm rollback penguins" in run("rollback", "kubernetes", "--platform", "helm", "--dry-run", "--to", "1").stdout
    refused = run("status", "kubernetes", "--platform", "swarm")
    assert refused.exit_code == 1 and "choose one of helm, knative, kserve, plain" in refused.stderr


def test_the_memory_is_that_which_was_measured(built: Callable[[str], Path]) -> None:
    """The largest body alone has 6 MB, and its values more."""
    found = memory.measured(built("kubernetes"))
    assert found.endswith("Mi") and 32 <= int(found.removesuffix("Mi")) <= 512
    several = memory.measured(built("kubernetes"), {"FLYWEIGHT_WORKERS": "4"})
    assert int(several.removesuffix("Mi")) > 2 * int(found.removesuffix("Mi"))
    less = memory.measured(built("kubernetes"), {"FLYWEIGHT_MAX_BODY_BYTES": "1000"})
    assert int(less.removesuffix("Mi")) < int(found.removesuffix("Mi"))
    assert memory.quantity(100 << 20) == "144Mi"


def test_a_folder_that_does_not_run_here_needs_a_number(built: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    marker = json.loads((built("kubernetes") / "flyweight.json").read_text())
    (folder / "flyweight.json").write_text(json.dumps({**marker, "arch": "x86_64", "runtime": "3.1"}))
    with pytest.raises(DeployFailed, match=r"can't be measured here: .* has packages for Python 3\.1") as refused:
        memory.measured(folder)
    assert refused.value.next_step == "give the memory of a pod: --set memory=128Mi"


def test_each_parameter_is_described_and_the_defaults_are_in_the_pattern() -> None:
    known = parameters.described(Deployment().infra)
    assert all(one["description"] for one in known.values())
    assert known.keys() == parameters.PATTERNS.keys()
