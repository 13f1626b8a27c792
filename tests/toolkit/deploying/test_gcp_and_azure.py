"""What is special about deploying to Google Cloud and to Azure: what is refused before anything runs, and whose group is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from flyweight.toolkit.deploying import Deployment, target
from flyweight.toolkit.targets.deployment import StatefulTarget

Run = Callable[..., Result]
Put = Callable[[str, int], None]


@pytest.mark.parametrize(
    ("provider", "given", "told"),
    [
        ("gcp", "MEMROY=1Gi", "MEMROY (MEMORY?)"),
        ("gcp", "PUBLIC=yes", "true or false"),
        ("azure", "instanceMemory=512", "instanceMemory (instanceMemoryMB?)"),
        ("azure", "instanceMemoryMB=600", "one of 512, 2048, 4096"),
        ("azure", "subscribe=yes", "true or false"),
        ("azure", "alwaysReadyInstances=-1", "from 0 to 1000"),
        ("azure", "name=fly", "4 to 40 letters"),
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


@pytest.mark.parametrize(("provider", "parameter"), [("gcp", "PYTHON"), ("azure", "pythonVersion")])
def test_the_function_gets_the_python_that_its_folder_was_built_for(
    provider: str, parameter: str, folders: Callable[[str, int], Path], tmp_path: Path
) -> None:
    from flyweight.toolkit.deploying import DeployFailed

    (tmp_path / "flyweight.json").write_text(json.dumps({"runtime": "3.12"}, indent=2))
    lines = "\n".join(map(str, target(provider).deploy(Deployment(folder=tmp_path))))
    assert "python312" in lines or "pythonVersion=3.12" in lines
    with pytest.raises(DeployFailed, match=r"built for Python 3\.12"):
        target(provider).deploy(Deployment(folder=tmp_path, parameters={parameter: "3.11"}))


def test_a_variable_of_the_environment_that_is_named_like_the_scripts_changes_nothing(
    folders: Callable[[str, int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [str(one) for one in target("gcp").deploy(Deployment(folder=folders("gcp", 1)))]
    for name, value in {"PUBLIC": "true", "MEMORY": "8Gi", "NAME": "other", "INVOKERS": "allUsers", "PROJECT": "p"}.items():
        monkeypatch.setenv(name, value)
    assert [str(one) for one in target("gcp").deploy(Deployment(folder=folders("gcp", 1)))] == before


def test_a_resource_group_that_is_named_is_somebodys_own_and_made_only_where_a_region_is_named_too(
    folders: Callable[[str, int], Path],
) -> None:
    folder = folders("azure", 1)
    made = {
        group + region: target("azure").deploy(Deployment(folder=folder, group=group, region=region))[0].words
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
    from flyweight.toolkit.deploying import DeployFailed

    assert [str(one) for one in target("azure").destroy(Deployment(name="penguins"))] == ["az group delete --name penguins --yes"]
    with pytest.raises(DeployFailed, match="may hold other things") as refused:
        target("azure").destroy(Deployment(name="penguins", group="ours"))
    assert "az group delete --name ours" in refused.value.next_step


def test_on_google_cloud_triggers_and_identities_go_with_the_function() -> None:
    lines = str(target("gcp").destroy(Deployment(group="a-project"))[0]).splitlines()
    assert [" ".join(line.split()[1:4]) for line in lines] == [
        *["eventarc triggers delete"] * 2,
        "run services delete",
        *["iam service-accounts delete"] * 2,
    ]
    assert len(str(target("gcp").destroy(Deployment())[0]).splitlines()) == 1


def test_on_azure_a_parameter_that_is_left_out_is_not_reset_in_silence() -> None:
    azure = target("azure")
    assert isinstance(azure, StatefulTarget)
    standing = {
        "scoreFiles": True,
        "logRetentionDays": 30,
        "pythonVersion": "3.12",
        "name": "flyweight-abcdefghijklm",
        "location": "x",
    }
    said = json.dumps({name: {"type": "x", "value": value} for name, value in standing.items()})
    assert azure.in_force(said)["scoreFiles"] == "true"
    refused = azure.obstacle(Deployment(), said)
    assert refused and "scoreFiles=true would have its default again" in str(refused)
    assert refused.next_step == "add --set scoreFiles=true, or another value"
    assert azure.obstacle(Deployment(parameters={"scoreFiles": "false"}), said) is None
    assert azure.obstacle(Deployment(), "") is None  # nothing is there yet
    named = json.dumps({"name": {"value": "penguins"}})  # left out, a second app would be made
    assert "name=penguins" in str(azure.obstacle(Deployment(), named))
