"""The manifests by kubectl and helm: what both make is the same, valid by Kubernetes' schemas, and twice the same bytes."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from flyweight import settings
from flyweight.toolkit import targets
from tests.targets.kubernetes.manifests import CHART, FULL, INFRA, TOOLS, Manifests, kustomized, ran, read, templated

pytestmark = pytest.mark.needs("kubernetes")
MANAGED = ("app.kubernetes.io/managed-by", "helm.sh/chart")
VERSIONS = ("1.31.0", "1.37.0")  # an old one that providers still run, and the newest one of kubernetes-validate
ADDED = ("InferenceService", "ServingRuntime", "HTTPRoute", "ServiceMonitor")  # and Knative's Service: not Kubernetes' own


def pod(manifests: Manifests) -> dict[str, Any]:
    """The pod of the only Deployment."""
    (found,) = [one for (kind, _), one in manifests.items() if kind == "Deployment"]
    template: dict[str, Any] = found["spec"]["template"]
    return template


def container(manifests: Manifests) -> dict[str, Any]:
    (found,) = pod(manifests)["spec"]["containers"]
    one: dict[str, Any] = found
    return one


def own(text: str) -> list[dict[str, Any]]:
    """The manifests of Kubernetes' own kinds."""
    listed = [one for one in yaml.safe_load_all(text) if one]
    return [one for one in listed if one["kind"] not in ADDED and "knative" not in one["apiVersion"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid_and_has_no_field_that_kubernetes_does_not_know(
    version: str, made: dict[str, str], tmp_path: Path
) -> None:
    files = []
    for number, text in enumerate(made.values()):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(yaml.safe_dump_all(own(text)))
    command = [str(TOOLS / "bin" / "kubernetes-validate"), "--strict", "-k", version, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    files[0].write_text(files[0].read_text().replace("readinessProbe:", "readynessProbe:"))
    assert subprocess.run(command, capture_output=True, timeout=300).returncode == 1  # it does look


def test_resources_of_others_are_valid_by_their_own_definitions(made: dict[str, str], tmp_path: Path) -> None:
    definitions = [yaml.safe_load(path.read_text()) for path in sorted((TOOLS / "definitions").glob("*.yaml"))]
    kinds = {one["spec"]["names"]["kind"]: one["spec"] for one in definitions}
    listed = [one for text in made.values() for one in yaml.safe_load_all(text) if one and one not in own(text)]
    assert {one["kind"] for one in listed} == {*kinds} == {*ADDED, "Service"}
    judged = []
    for one in listed:
        group, _, version = one["apiVersion"].partition("/")
        assert group == kinds[one["kind"]]["group"]
        (schema,) = [each["schema"]["openAPIV3Schema"] for each in kinds[one["kind"]]["versions"] if each["name"] == version]
        judged.append({"schema": closed(schema), "manifest": one})
    (tmp_path / "judged.json").write_text(json.dumps(judged))
    program = (
        "import json, sys, jsonschema\n"
        "for one in json.load(open(sys.argv[1])): jsonschema.Draft7Validator(one['schema']).validate(one['manifest'])\n"
    )
    command = [str(TOOLS / "bin" / "python"), "-c", program, str(tmp_path / "judged.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    judged[0]["manifest"]["spec"]["misspelt"] = 1
    (tmp_path / "judged.json").write_text(json.dumps(judged))
    assert "misspelt" in subprocess.run(command, capture_output=True, text=True, timeout=300).stderr


def closed(schema: dict[str, Any], top: bool = True) -> dict[str, Any]:
    """A definition's schema that refuses fields which it does not name."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    found = {key: value for key, value in schema.items() if key in ("type", "required", "enum", "pattern", "minimum", "maximum")}
    if "properties" in schema:
        found["properties"] = {name: closed(one, False) for name, one in schema["properties"].items()}
        found["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
        if top:
            found["properties"]["metadata"] = {"type": "object"}
    elif isinstance(schema.get("additionalProperties"), dict):
        found["additionalProperties"] = closed(schema["additionalProperties"], False)
    if "items" in schema:
        found["items"] = closed(schema["items"], False)
    return found


def test_the_chart_with_its_defaults_is_the_base() -> None:
    base, chart = read(kustomized(INFRA / "base")), read(templated())
    for one in chart.values():
        one["metadata"]["labels"] = {name: value for name, value in one["metadata"]["labels"].items() if name not in MANAGED}
        noted = one["metadata"].pop("annotations", {})
        assert noted == ({"flyweight/release": "1"} if one["kind"] == "Deployment" else {})
    assert chart == base


def test_the_chart_has_no_fault_and_is_packed_into_the_same_bytes_twice(tmp_path: Path) -> None:
    ran("helm", "lint", "--strict", CHART)
    packed = []
    for name in ("first", "second"):
        ran("helm", "package", CHART, "--destination", tmp_path / name)
        packed.append(next((tmp_path / name).glob("*.tgz")).read_bytes())
    assert packed[0] == packed[1]
    assert templated(*FULL) == templated(*FULL) and kustomized(INFRA / "canary") == kustomized(INFRA / "canary")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("imge.tag=1", "additional properties 'imge' not allowed"),
        ("autoscaling.maxReplica=3", "additional properties 'maxReplica' not allowed"),
        ("autoscaling.maxReplicas=0", "minimum: got 0, want 1"),
        ("image.digest=sha256:abc", "does not match pattern"),
        ("resources.limits.memory=lots", "does not match pattern"),
        ("canary.weight=10", "canary.weight is a share of the route's requests; set route.host and route.gateway"),
        ("metrics.dashboard=true", "there is nothing to scrape; set metrics.enabled=true"),
    ],
)
def test_a_value_that_means_nothing_is_refused(value: str, told: str) -> None:
    with pytest.raises(AssertionError) as refused:
        templated(value)
    assert told in str(refused.value)


def test_a_canary_gets_its_share_and_no_other_requests() -> None:
    ways = {"flyweight": read(kustomized(INFRA / "canary")), "birds": read(templated(*FULL, name="birds"))}
    for name, manifests in ways.items():
        shares = {one["name"]: one["weight"] for one in manifests["HTTPRoute", name]["spec"]["rules"][0]["backendRefs"]}
        assert shares == {name: 90, f"{name}-canary": 10}
        for one in (name, f"{name}-canary"):
            chosen = manifests["Service", one]["spec"]["selector"]
            pods = {other: manifests["Deployment", other]["spec"]["template"]["metadata"]["labels"] for other in shares}
            assert [other for other, labels in pods.items() if chosen.items() <= labels.items()] == [one]
        images = {manifests["Deployment", one]["spec"]["template"]["spec"]["containers"][0]["image"] for one in shares}
        assert len(images) == 2


def test_an_overlay_has_the_name_the_image_and_the_parameters_everywhere(made: dict[str, str]) -> None:
    manifests = read(made["overlay of base"])
    assert {name for _, name in manifests} == {"birds"}
    assert {one["metadata"]["namespace"] for one in manifests.values()} == {"models"}
    answering = container(manifests)
    assert answering["image"] == "registry.example.com:5000/birds:1.0.0"
    assert answering["resources"] == {"requests": {"cpu": "250m", "memory": "160Mi"}, "limits": {"memory": "160Mi"}}
    variables = {one["name"]: one["value"] for one in answering["env"]}
    assert variables["FLYWEIGHT_WORKERS"] == variables["FLYWEIGHT_THREADS"] == "2" and variables["FLYWEIGHT_METRICS"] == "true"
    assert variables["FLYWEIGHT_MODEL"] == "/models/model.safetensors"
    scaler = manifests["HorizontalPodAutoscaler", "birds"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"], scaler["scaleTargetRef"]["name"]) == (3, 5, "birds")
    assert pod(manifests)["spec"]["serviceAccountName"] == "birds" and pod(manifests)["metadata"]["labels"]["team"] == "ml"
    (volume,) = [one for one in pod(manifests)["spec"]["volumes"] if one["name"] == "models"]
    assert volume["persistentVolumeClaim"] == {"claimName": "our-models", "readOnly": True}
    route = manifests["HTTPRoute", "birds"]["spec"]
    assert (route["hostnames"], route["parentRefs"], route["rules"][0]["backendRefs"][0]["name"]) == (
        ["penguins.example.com"], [{"name": "public"}], "birds",
    )  # fmt: skip
    assert manifests["Service", "birds"]["metadata"]["annotations"] == {"flyweight/url": "https://penguins.example.com"}
    assert manifests["ServiceMonitor", "birds"]["spec"]["selector"]["matchLabels"]["app.kubernetes.io/instance"] == "birds"
    assert manifests["NetworkPolicy", "birds"]["spec"]["egress"] == []
    chosen = manifests["Deployment", "birds"]["spec"]["selector"]["matchLabels"]
    assert chosen.items() <= pod(manifests)["metadata"]["labels"].items()


def test_a_pod_that_pulls_its_model_may_reach_a_store_and_nothing_else(made: dict[str, str]) -> None:
    manifests = read(made["pulled"])
    assert {"name": "FLYWEIGHT_MODEL", "value": "https://models.example.com/birds"} in container(manifests)["env"]
    rules = manifests["NetworkPolicy", "birds"]["spec"]["egress"]
    ports = [(one["port"], one["protocol"]) for rule in rules for one in rule["ports"]]
    assert ports == [(53, "UDP"), (53, "TCP"), (443, "TCP")]


def test_knative_and_kserve_get_the_name_the_image_and_the_parameters(made: dict[str, str]) -> None:
    knative, kserve = read(made["overlay of knative"]), read(made["overlay of kserve"])
    revision = knative["Service", "birds"]["spec"]["template"]
    assert revision["metadata"]["annotations"] == {
        "autoscaling.knative.dev/min-scale": "1", "autoscaling.knative.dev/max-scale": "5",
    }  # fmt: skip
    service, runtime = kserve["InferenceService", "birds"]["spec"]["predictor"], kserve["ServingRuntime", "birds"]["spec"]
    assert (service["minReplicas"], service["maxReplicas"], service["model"]["runtime"]) == (1, 5, "birds")
    assert service["model"]["protocolVersion"] == "v2" and "v2" in runtime["protocolVersions"]
    for spec, account in ((revision["spec"], revision["spec"]), (runtime, service)):
        (answering,) = spec["containers"]
        assert answering["image"] == "registry.example.com:5000/birds:1.0.0" and account["serviceAccountName"] == "birds"
        assert answering["resources"]["limits"] == {"memory": "160Mi"}
        assert {"FLYWEIGHT_MODEL", "FLYWEIGHT_METRICS"} <= {one["name"] for one in answering["env"]}


@pytest.mark.parametrize("maker", ["base", "canary", "overlay of base", "chart", "chart, full", "knative", "kserve"])
def test_a_pod_has_no_right_that_it_does_not_need_and_is_asked_at_paths_of_ours(maker: str, made: dict[str, str]) -> None:
    """The level "restricted" has these rules: https://kubernetes.io/docs/concepts/security/pod-security-standards ."""
    image = targets.find("kubernetes").package.image
    assert image is not None
    found = 0
    for one in yaml.safe_load_all(made[maker]):
        spec = one["spec"] if one["kind"] == "ServingRuntime" else one.get("spec", {}).get("template", {}).get("spec", {})
        for answering in spec.get("containers", []):
            found += 1
            secured = {**spec.get("securityContext", {}), **answering["securityContext"]}
            assert secured["runAsNonRoot"] and secured["readOnlyRootFilesystem"] and not secured["allowPrivilegeEscalation"]
            assert secured["capabilities"] == {"drop": ["ALL"]} and secured["seccompProfile"] == {"type": "RuntimeDefault"}
            assert f"{secured.get('runAsUser', 65532)}:{secured.get('runAsGroup', 65532)}" == image.user
            assert answering["volumeMounts"][0] == {"name": "tmp", "mountPath": "/tmp"}
            paths = {name: answering[name]["httpGet"]["path"] for name in answering if name.endswith("Probe")}
            assert {path for name, path in paths.items() if name != "livenessProbe"} == {"/ready"}
            assert paths["livenessProbe"] == image.health
            ports = [port["containerPort"] for port in answering["ports"]]
            assert ports == [image.port]
    assert found


def test_a_pod_ends_after_its_server_has_and_no_service_sets_its_settings() -> None:
    spec = pod(read(kustomized(INFRA / "base")))["spec"]
    variables = {one["name"]: one["value"] for one in spec["containers"][0]["env"]}
    grace = settings.serving(variables).grace_seconds
    waited = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert waited + grace < spec["terminationGracePeriodSeconds"]
    assert spec["enableServiceLinks"] is False  # a Service called flyweight would set FLYWEIGHT_PORT=tcp://10.0.0.1:80
    assert not spec["automountServiceAccountToken"]


def test_the_dashboard_asks_for_numbers_that_there_are() -> None:
    source = (INFRA.parents[1] / "handlers" / "server" / "server_metrics.py").read_text()
    dashboard = json.loads((CHART / "dashboard" / "flyweight.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(asked) >= 6
    known = {"flyweight_requests_total", "flyweight_instances_total", "flyweight_requests_in_flight", "flyweight_model_info"}
    known |= {"flyweight_request_duration_seconds_bucket"}
    words = {word for text in asked for word in re.findall(r"flyweight_\w+", text)}
    assert words == known
    assert all(word.removesuffix("_bucket") in source for word in words)
