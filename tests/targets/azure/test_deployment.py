"""Deploying to Azure: what is refused before anything runs, and whose group is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from flyweight.toolkit.deploying import DeployFailed, Deployment, deployer
from flyweight.toolkit.targets.deployment import StatefulDeployer
from tests.toolkit.deploying.provider_tools import ProviderTools

Run = Callable[..., Result]
Put = Callable[[str, int], None]


@pytest.mark.parametrize(
    ("provider", "given", "told"),
    [
        ("azure", "instanceMemory=512", "instanceMemory (instanceMemoryMB?)"),
        ("azure", "instanceMemoryMB=600", "one of 512, 2048, 4096"),
        ("azure", "subscribe=yes", "true or false"),
        ("azure", "alwaysReadyInstances=-1", "from 0 to 1000"),
        ("azure", "name=fly", "4 to 40 letters"),
        ("azure", "tags=team", "tags is a JSON object"),
        ("azure", "keyVaultUri=https://ours.vault.azure.net", "keyVaultUri asks for keyName; keyVaultUri asks for identityId"),
        ("azure", "corsCredentials=true", "corsCredentials asks for corsOrigins"),
        ("azure", "alertEmail=@/etc/hostname", "az would take for a file"),
    ],
)
def test_a_parameter_that_would_be_refused_later_is_refused_before_anything_runs(
    provider: str, given: str, told: str, run: Run, put: Put
) -> None:
    put(provider, 1)
    done = run("deploy", provider, "--set", given, "--dry-run")
    assert done.exit_code == 1
    assert told in " ".join(done.stderr.split())
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("given", "explained"),
    [
        ({"instanceMemoryMB": "600"}, "instanceMemoryMB: Memory of an instance in MB"),
        ({"instanceMemory": "512"}, "instanceMemoryMB: Memory of an instance in MB"),
        ({"subscribe": "yes", "alwaysReadyInstances": "-1"}, "alwaysReadyInstances: Number of instances that are kept warm"),
        ({"xyz": "1"}, "azure/main.json describes its parameters"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_a_refused_parameter_is_explained_as_in_the_template(
    given: dict[str, str], explained: str, folders: Callable[[str, int], Path]
) -> None:
    with pytest.raises(DeployFailed) as refused:
        deployer("azure").deploy(Deployment(folder=folders("azure", 1), parameters=given))
    assert explained in refused.value.next_step


def test_our_client_is_a_parameter_of_the_template_and_runs_only_a_folder_that_has_it(
    built: Callable[[str], Path], tmp_path: Path
) -> None:
    azure = deployer("azure")
    assert azure.choose_client("own") == "client=own"
    commands = azure.deploy(Deployment(folder=built("azure"), parameters={"client": "own"}))
    assert "client=own" in "\n".join(map(str, commands))
    (tmp_path / "flyweight.json").write_text(json.dumps({"runtime": "3.13"}))  # as an earlier version has built it
    with pytest.raises(DeployFailed, match=r"has no custom_handler\.py") as refused:
        azure.deploy(Deployment(folder=tmp_path, parameters={"client": "own"}))
    assert "flyweight build azure" in refused.value.next_step


@pytest.mark.parametrize("trigger", ["serviceBusQueue=rows", "eventHub=rows", "scoreFiles=true"])
def test_a_trigger_that_our_client_does_not_serve_is_refused(trigger: str, built: Callable[[str], Path]) -> None:
    name, _, value = trigger.partition("=")
    with pytest.raises(DeployFailed, match=f"client=own answers HTTP alone, and {name}") as refused:
        deployer("azure").deploy(Deployment(folder=built("azure"), parameters={"client": "own", name: value}))
    assert "client=platform" in refused.value.next_step
    deployer("azure").deploy(Deployment(folder=built("azure"), parameters={"client": "platform", name: value}))


def test_the_function_gets_the_python_that_its_folder_was_built_for(tmp_path: Path) -> None:
    (tmp_path / "flyweight.json").write_text(json.dumps({"runtime": "3.12"}, indent=2))
    assert "pythonVersion=3.12" in "\n".join(map(str, deployer("azure").deploy(Deployment(folder=tmp_path))))
    with pytest.raises(DeployFailed, match=r"built for Python 3\.12"):
        deployer("azure").deploy(Deployment(folder=tmp_path, parameters={"pythonVersion": "3.11"}))


def test_a_resource_group_that_is_named_is_somebodys_own_and_made_only_where_a_region_is_named_too(
    folders: Callable[[str, int], Path],
) -> None:
    folder = folders("azure", 1)
    made = {
        group + region: deployer("azure").deploy(Deployment(folder=folder, group=group, region=region))[0].words
        for group in ("", "ours")
        for region in ("", "northeurope")
    }
    creating = {key: words[4:7] for key, words in made.items() if words[1] == "group"}
    assert creating == {
        "": ("flyweight", "--location", "westeurope"),
        "northeurope": ("flyweight", "--location", "northeurope"),
        "oursnortheurope": ("ours", "--location", "northeurope"),
    }


def test_only_a_group_of_the_deployments_own_name_is_removed() -> None:
    assert [str(one) for one in deployer("azure").destroy(Deployment(name="penguins"))] == [
        "az group delete --name penguins --yes"
    ]
    with pytest.raises(DeployFailed, match="may hold other things") as refused:
        deployer("azure").destroy(Deployment(name="penguins", group="ours"))
    assert "az group delete --name ours" in refused.value.next_step


def test_on_azure_a_parameter_that_is_left_out_is_not_reset_in_silence() -> None:
    azure = deployer("azure")
    assert isinstance(azure, StatefulDeployer)
    standing = {
        "scoreFiles": True,
        "logRetentionDays": 30,
        "pythonVersion": "3.12",
        "name": "flyweight-abcdefghijklm",
        "location": "x",
    }
    said = json.dumps({name: {"type": "x", "value": value} for name, value in standing.items()})
    assert azure.current_parameters(said)["scoreFiles"] == "true"
    refused = azure.obstacle(Deployment(), said)
    assert refused and "scoreFiles=true would have its default again" in str(refused)
    assert refused.next_step == "add --set scoreFiles=true, or another value"
    assert azure.obstacle(Deployment(parameters={"scoreFiles": "false"}), said) is None
    assert azure.obstacle(Deployment(), "") is None  # nothing is there yet
    named = json.dumps({"name": {"value": "penguins"}})  # left out, a second app would be made
    assert "name=penguins" in str(azure.obstacle(Deployment(), named))


def test_azure_goes_back_by_sending_the_earlier_folder(run: Run, put: Put, tools: ProviderTools, port: int, here: Path) -> None:
    put("azure", 1)
    tools.state(url=f"http://127.0.0.1:{port}")
    run("deploy", "azure")
    put("azure", 2)
    run("deploy", "azure", "--patience", 0)
    sent = [Path(one["cwd"]).name for one in tools.lines() if "publish" in one["words"]]
    assert sent == ["0001", "0002", "0001"]
    assert not (here / ".flyweight" / "azure" / "flyweight" / "0002").exists()


def test_what_azure_creates_follows_the_conditions() -> None:
    bus, alert = "Microsoft.ServiceBus/namespaces", "Microsoft.Insights/metricAlerts"
    kinds = {piece.kind for piece in deployer("azure").creates(Deployment())}
    assert {"Microsoft.Web/sites", "Microsoft.Storage/storageAccounts"} <= kinds and not {bus, alert} & kinds
    asked = Deployment(parameters={"serviceBusQueue": "rows", "alertEmail": "ada@example.com", "scoreFiles": "true"})
    more = {piece.kind for piece in deployer("azure").creates(asked)}
    assert {bus, alert} <= more and "Microsoft.EventGrid/systemTopics" not in more


def test_what_azure_creates_has_names_and_conditions_as_people_write_them() -> None:
    made = deployer("azure").creates(
        Deployment(parameters={"name": "iris", "serviceBusQueue": "rows", "alertEmail": "ada@example.com"})
    )
    by_name = {(piece.name, piece.kind.rpartition("/")[2]): piece.when for piece in made}
    assert by_name["iris-5xx", "metricAlerts"] == "alertEmail"
    assert by_name["iris-bus/rows", "queues"] == "serviceBusQueue"
    assert by_name["iris-bus", "namespaces"] == "serviceBusQueue or resultsQueue or deadLetterQueue"
    assert ("storageBlobDataOwner on fly…", "roleAssignments") in by_name
