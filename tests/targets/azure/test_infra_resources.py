"""What `infra/azure` comes to for given parameters: nothing unasked, one resource a role, settings that the handler reads."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.targets.azure.arm import Template
from tests.targets.handler import ROOT

ARM: dict[str, Any] = json.loads((ROOT / "infra" / "azure" / "main.json").read_text())
NAMESPACES = ("Microsoft.ServiceBus/namespaces", "Microsoft.EventHub/namespaces")
EVERYTHING = {
    "model": "penguins@prod",
    "serviceBusQueue": "rows",
    "eventHub": "stations",
    "resultsQueue": "scores",
    "resultsHub": "stream",
    "deadLetterQueue": "rejected",
    "scoreFiles": True,
    "subscribe": True,
    "alertEmail": "ada@example.com",
    "alwaysReadyInstances": 1,
}
# What each role is for, and the line that needs it.
USED = {
    "storageBlobDataOwner": "infra/azure/main.json: AzureWebJobsStorage__accountName",  # the host's package, locks and keys
    "monitoringMetricsPublisher": "infra/azure/main.json: APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "storageBlobDataReader": "shared/flyweight/stores/objects.py: self._library.get(",
    "storageBlobDataContributor": "shared/flyweight/files/scoring.py: self._target.put_stream(",
    "serviceBusDataReceiver": "handlers/azure/azure_bindings.py: service_bus_queue_trigger(",
    "serviceBusDataSender": "handlers/azure/azure_bindings.py: service_bus_queue_output(",
    "eventHubsDataReceiver": "handlers/azure/azure_bindings.py: event_hub_message_trigger(",
    "eventHubsDataSender": "handlers/azure/azure_bindings.py: event_hub_output(",
}


def made(**given: Any) -> list[dict[str, Any]]:
    return Template(ARM, name="penguins", **given).resources()


def of_type(kind: str) -> list[dict[str, Any]]:
    return [resource for resource in ARM["resources"] if resource["type"] == kind]


def settings(resources: list[dict[str, Any]]) -> dict[str, str]:
    (app,) = [one for one in resources if one["type"] == "Microsoft.Web/sites"]
    return {one["name"]: one["value"] for one in app["properties"]["siteConfig"]["appSettings"]}


def test_what_is_optional_is_off_unless_asked_for() -> None:
    assert all(not ARM["parameters"][name]["defaultValue"] for name in EVERYTHING)
    for one in ARM["resources"]:
        if "condition" in one:
            assert set(re.findall(r"parameters\('(\w+)'\)", one["condition"])) <= EVERYTHING.keys()
    alone = {one["type"] for one in made()}
    assert not [kind for kind in alone if re.search("ServiceBus|EventHub|EventGrid|metricAlerts|actionGroups", kind)]
    unset = settings(made())
    assert {unset[f"FLYWEIGHT_{name}"].strip() for name in ("MODEL", "OUTPUT", "TRIGGERS", "RESULTS", "DEAD_LETTERS")} == {""}


@pytest.mark.parametrize("given", [{}, EVERYTHING, *[{name: value} for name, value in EVERYTHING.items()]], ids=str)
def test_what_a_resource_depends_on_is_in_the_template_and_no_two_are_in_one_place(given: dict[str, Any]) -> None:
    named = [one["name"] for one in Template(ARM, name="penguins", **given).value(ARM["resources"])]
    assert all(all(part for part in name.split("/")) for name in named)  # those too whose condition does not hold
    places = [one["id"] for one in made(**given)]
    assert len(places) == len(set(places))
    unconditional = {**ARM, "resources": [{**one, "condition": True} for one in ARM["resources"]]}
    every = {one["id"] for one in Template(unconditional, name="penguins", **given).resources()}
    for one in made(**given):
        assert {*one.get("dependsOn", [])} <= every


def test_triggers_and_sinks_are_words_of_the_handler_whose_connection_and_role_are_there() -> None:
    from flyweight import settings as flyweight_settings

    resources = made(**EVERYTHING)
    told = settings(resources)
    read = flyweight_settings.read("", environ=told)
    assert (*read.triggers, read.results, read.dead_letters) == (
        "servicebus:rows",
        "eventhub:stations",
        "eventgrid",
        "servicebus:scores",
        "servicebus:rejected",
    )
    assert settings(made(resultsHub="stream"))["FLYWEIGHT_RESULTS"] == "eventhub:stream"
    hosts = {told[name].partition(".")[0] for name in told if name.endswith("__fullyQualifiedNamespace")}
    assert hosts == {one["name"] for one in resources if one["type"] in NAMESPACES}
    allowed = {one["scope"].rpartition("/")[2] for one in resources if "scope" in one}
    assert {"rows", "stations", "scores", "stream", "rejected"} <= allowed


def test_each_role_is_on_one_resource_and_used_by_a_named_line() -> None:
    roles = of_type("Microsoft.Authorization/roleAssignments")
    given = [re.findall(r"variables\('(\w+)'\)", one["properties"]["roleDefinitionId"])[0] for one in roles]
    assert set(given) == USED.keys()
    for place in USED.values():
        file, _, line = place.partition(": ")
        assert line in (ROOT / file).read_text(), place
    for one, role in zip(roles, given, strict=True):
        assert one["scope"].startswith("[format('Microsoft."), role  # never the group nor the subscription
        if "BlobDataReader" in role or "Contributor" in role:
            assert "/blobServices/default/containers/" in one["scope"]
        if "Sender" in role or "Receiver" in role:
            assert re.search(r"/(queues|eventhubs)/\{1\}", one["scope"])


def test_events_go_to_a_function_that_the_handler_declares() -> None:
    (subscription,) = of_type("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    endpoint = subscription["properties"]["destination"]
    assert endpoint["endpointType"] == "AzureFunction"
    text = (ROOT / "handlers" / "azure" / "azure_bindings.py").read_text()
    kinds = re.search(r"^TRIGGERS = \{(.*)\}", text, re.MULTILINE)
    assert kinds
    assert '"eventgrid"' in kinds[1] and "/functions/eventgrid" in endpoint["properties"]["resourceId"]


def test_the_page_names_parameters_that_there_are() -> None:
    page = (ROOT / "docs" / "providers" / "azure.md").read_text()
    named = set(re.findall(r"(?:--parameters |[`] ?)([a-z]\w+)=\S+?`", page))
    assert named == {name for name in named if name in ARM["parameters"]} >= {"model", "serviceBusQueue", "scoreFiles"}
