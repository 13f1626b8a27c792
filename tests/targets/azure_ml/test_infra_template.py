"""`infra/azure_ml/main.json`: what azure-ai-ml sends for the same container, as an identity that may do what was asked for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.targets.azure.arm import Template
from tests.targets.azure_ml.loading import Load, load

__all__ = ["load"]
PATH = ROOT / "infra" / "azure_ml" / "main.json"
TEXT = PATH.read_text()
ARM: dict[str, Any] = json.loads(TEXT)
PULL, READ, WRITE = (ARM["variables"][name] for name in ("acrPull", "storageBlobDataReader", "storageBlobDataContributor"))
PLACE = {"workspace": "ours", "registry": "registry"}


def resources(**given: Any) -> dict[str, dict[str, Any]]:
    """The resources that parameters come to, by type; of roles the last one."""
    return {one["type"].rpartition("/")[2]: one for one in Template(ARM, **PLACE, **given).resources()}


def roles(**given: Any) -> set[tuple[str, str]]:
    """The role of each assignment, and the kind of resource that it is for."""
    found = [one for one in Template(ARM, **PLACE, **given).resources() if "roleAssignments" in one["type"]]
    return {(one["properties"]["roleDefinitionId"].rpartition("/")[2], one["scope"].partition("/")[0]) for one in found}


def test_the_file_is_plain_json_and_names_what_it_declares() -> None:
    assert json.dumps(ARM, indent=2, ensure_ascii=False) + "\n" == TEXT
    assert set(re.findall(r"parameters\('(\w+)'\)", TEXT)) == ARM["parameters"].keys()
    assert set(re.findall(r"variables\('(\w+)'\)", TEXT)) == ARM["variables"].keys()


def test_each_parameter_resource_and_output_is_explained() -> None:
    for one in (ARM, *ARM["parameters"].values(), *ARM["resources"], *ARM["outputs"].values()):
        assert re.fullmatch(r"[A-Z].*\.", one["metadata"]["description"])


def test_a_resource_waits_for_those_of_the_template_that_it_mentions() -> None:
    found = Template(ARM, **PLACE, storageAccount="files").resources()
    every = {one["id"] for one in found}
    (release,) = [one for one in found if one["type"].endswith("/deployments")]
    assert release["properties"]["environmentId"] in release["dependsOn"]
    assert release["id"].rpartition("/deployments/")[0] in release["dependsOn"]
    assert {one["id"] for one in found if "roleAssignments" in one["type"]} <= {*release["dependsOn"]}
    identity = next(one["id"] for one in found if one["type"].endswith("userAssignedIdentities"))
    others = [one for one in found if "roleAssignments" in one["type"] or one["type"].endswith("onlineEndpoints")]
    assert len(others) == 3 and all(one["dependsOn"] == [identity] for one in others)
    assert identity in every


@pytest.mark.needs("azure-ml")
def test_it_makes_what_azure_ai_ml_sends_for_the_same_container(load: Load) -> None:
    image = "registry.azurecr.io/flyweight:latest"
    endpoint, release = load(("endpoint.yml", {}), ("deployment-container.yml", {"environment.image": image}))
    made = resources()
    environment = release["sent"].pop("environment")["properties"]
    ours = {**made["versions"]["properties"]}
    assert ours.pop("osType") == "Linux" and ours.items() <= environment.items()
    properties = {**made["deployments"]["properties"]}
    assert properties.pop("environmentId").endswith("/environments/flyweight/versions/release-1")
    sent = {**release["sent"]["properties"]}
    assert sent.pop("properties") == {}
    assert plain(properties) == plain(sent)
    assert made["deployments"]["sku"] == release["sent"]["sku"]
    told = endpoint["sent"]["properties"]
    assert plain(made["onlineEndpoints"]["properties"]).items() <= plain(told).items()


def plain(value: Any) -> Any:
    """A document in which words that Azure reads in any case are in small letters."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value.lower() if isinstance(value, str) else value


def test_the_identity_may_pull_and_no_more_until_it_is_asked_for() -> None:
    registry = (PULL, "Microsoft.ContainerRegistry")
    assert roles() == roles(collect=True) == {registry}
    assert roles(storageAccount="files") == {registry, (READ, "Microsoft.Storage")}
    assert roles(storageAccount="files", collect=True) == {registry, (WRITE, "Microsoft.Storage")}


def test_parameters_reach_the_release() -> None:
    given = {"instanceCount": 3, "collect": True, "requestTimeoutSeconds": 30, "settings": {"FLYWEIGHT_MAX_INSTANCES": "50"}}
    made = resources(**given, authMode="AADToken", publicNetworkAccess="Disabled", traffic={"release-1": 100})
    release, endpoint = made["deployments"], made["onlineEndpoints"]
    assert release["sku"]["capacity"] == 3 and release["properties"]["requestSettings"]["requestTimeout"] == "PT30S"
    assert release["properties"]["environmentVariables"] == {"FLYWEIGHT_MAX_INSTANCES": "50"}
    assert {one["dataCollectionMode"] for one in release["properties"]["dataCollector"]["collections"].values()} == {"Enabled"}
    assert endpoint["properties"] == {"authMode": "AADToken", "publicNetworkAccess": "Disabled", "traffic": {"release-1": 100}}
