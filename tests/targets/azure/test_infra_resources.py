"""What `infra/azure` comes to for given parameters: nothing unasked, one resource a role, settings that the handler reads."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from flyweight.toolkit.targets.azure.host import CUSTOM
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
# What stands there already, or is the account's to say.
GROUP = "/subscriptions/s/resourceGroups/ours/providers"
OF_A_COMPANY = {
    "corsOrigins": "https://shop.example,https://www.shop.example",
    "corsHeaders": "content-type,x-functions-key",
    "corsCredentials": True,
    "corsMaxAge": 60,
    "subnetId": f"{GROUP}/Microsoft.Network/virtualNetworks/inner/subnets/functions",
    "identityId": f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/ours",
    "keyVaultUri": "https://ours.vault.azure.net",
    "keyName": "storage",
    "domain": "api.example.com",
    "certificateVaultId": f"{GROUP}/Microsoft.KeyVault/vaults/ours",
    "certificateSecret": "api",
    "tags": {"team": "ml"},
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
            assert set(re.findall(r"parameters\('(\w+)'\)", one["condition"])) <= EVERYTHING.keys() | OF_A_COMPANY.keys()
    alone = {one["type"] for one in made()}
    assert not [kind for kind in alone if re.search("ServiceBus|EventHub|EventGrid|metricAlerts|actionGroups", kind)]
    unset = settings(made())
    assert {unset[f"FLYWEIGHT_{name}"].strip() for name in ("MODEL", "OUTPUT", "TRIGGERS", "RESULTS", "DEAD_LETTERS")} == {""}


def test_our_client_is_chosen_by_the_settings_under_which_it_runs_here_and_azures_by_none() -> None:
    own, usual = settings(made(client="own")), settings(made())
    assert {name: own[name] for name in CUSTOM} == CUSTOM
    assert not [name for name in usual if name.startswith("AzureFunctionsJobHost__")]
    assert usual["AzureWebJobsFeatureFlags"] == ""


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
    kinds = re.search(r"^TRIGGERS = \{(.*?)\}", text, re.MULTILINE | re.DOTALL)
    assert kinds
    assert '"eventgrid"' in kinds[1] and "/functions/eventgrid" in endpoint["properties"]["resourceId"]


def test_the_page_names_parameters_that_there_are() -> None:
    page = (ROOT / "docs" / "providers" / "azure.md").read_text()
    named = set(re.findall(r"(?:--parameters |[`] ?)([a-z]\w+)=\S+?`", page))
    assert named == {name for name in named if name in ARM["parameters"]} >= {"model", "serviceBusQueue", "scoreFiles"}


def site(resources: list[dict[str, Any]]) -> dict[str, Any]:
    (app,) = [one for one in resources if one["type"] == "Microsoft.Web/sites"]
    return app


def test_pages_of_other_origins_are_settings_of_the_function_and_of_azure_which_answers_a_browsers_question() -> None:
    """Azure asks an unsigned question for its key before the function sees it, so that its own answer is what a browser gets."""
    from flyweight import settings as flyweight_settings

    resources = made(**OF_A_COMPANY)
    told = flyweight_settings.read("", environ={n: v for n, v in settings(resources).items() if "CORS" in n}).cors
    assert told is not None and (told.cors_credentials, told.cors_max_age) == (True, 60)
    assert told.cors_origins == ("https://shop.example", "https://www.shop.example")
    assert told.cors_headers == ("content-type", "x-functions-key")
    own = site(resources)["properties"]["siteConfig"]["cors"]
    assert own == {"allowedOrigins": [*told.cors_origins], "supportCredentials": True}
    assert site(made())["properties"]["siteConfig"]["cors"] is None
    usual = {name: value for name, value in settings(made()).items() if "CORS" in name}
    assert len(usual) == 4 and flyweight_settings.read("", environ=usual).cors is None


def test_an_identity_that_is_there_is_taken_and_gets_no_role() -> None:
    resources = made(**EVERYTHING, **OF_A_COMPANY)
    assert not [one for one in resources if one["type"].endswith(("/roleAssignments", "/userAssignedIdentities"))]
    app = site(resources)
    assert [*app["identity"]["userAssignedIdentities"]] == [OF_A_COMPANY["identityId"]]
    storage = app["properties"]["functionAppConfig"]["deployment"]["storage"]["authentication"]
    assert storage["userAssignedIdentityResourceId"] == OF_A_COMPANY["identityId"]
    unconditional = {**ARM, "resources": [{**one, "condition": True} for one in ARM["resources"]]}
    every = {one["id"] for one in Template(unconditional, name="penguins", **EVERYTHING, **OF_A_COMPANY).resources()}
    for one in resources:  # Azure refuses a template that waits for what it does not name, even if the condition is false
        assert {*one.get("dependsOn", [])} <= every


def test_subnet_key_domain_and_tags_are_those_that_are_given() -> None:
    resources = made(**EVERYTHING, **OF_A_COMPANY)
    assert site(resources)["properties"]["virtualNetworkSubnetId"] == OF_A_COMPANY["subnetId"]
    assert site(made())["properties"]["virtualNetworkSubnetId"] is None
    accounts = [one for one in resources if one["type"] == "Microsoft.Storage/storageAccounts"]
    assert len(accounts) == 2
    for one in accounts:
        assert one["properties"]["encryption"]["keyvaultproperties"] == {
            "keyvaulturi": OF_A_COMPANY["keyVaultUri"],
            "keyname": OF_A_COMPANY["keyName"],
        }
        assert [*one["identity"]["userAssignedIdentities"]] == [OF_A_COMPANY["identityId"]]
    (binding,) = [one for one in resources if one["type"] == "Microsoft.Web/sites/hostNameBindings"]
    assert (binding["name"], binding["properties"]["sslState"]) == ("penguins/api.example.com", "SniEnabled")
    (certificate,) = [one for one in resources if one["type"] == "Microsoft.Web/certificates"]
    assert certificate["properties"]["keyVaultSecretName"] == "api"
    tagged = [one["type"] for one in resources if one.get("tags") == {"team": "ml"}]
    without = {one["type"] for one in resources} - {*tagged}
    assert all(kind.count("/") > 1 for kind in without)  # parts of a tagged resource
    assert not [one for one in made(**EVERYTHING) if one.get("tags")]
