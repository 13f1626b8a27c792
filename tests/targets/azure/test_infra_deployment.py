"""`flyweight deploy azure` by the real Azure CLI, with Azure's APIs in their place: what is sent, and what is read of answers.

Core Tools, which send the code, are a stand-in: they are no package of PyPI's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flyweight.toolkit.cli import main
from tests.conftest import PYTHON
from tests.targets.azure.azure_api import APP, AzureApi, azure_api
from tests.targets.azure.azure_tools import az
from tests.targets.handler import ROOT
from tests.toolkit.deploying.provider_tools import ProviderTools

pytestmark = pytest.mark.needs("az")
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AzureApi, dict[str, str]]]:
    """Azure's stand-in, and what leads `az` to it."""
    with azure_api(tmp_path_factory.mktemp("cloud")) as made:
        yield made


@pytest.fixture
def func(tmp_path: Path) -> ProviderTools:
    """A stand-in for Core Tools."""
    return ProviderTools(tmp_path / "tools", ("func",))


@pytest.fixture
def run(cloud: tuple[AzureApi, dict[str, str]], func: ProviderTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`flyweight` in a folder of its own."""
    for name, value in cloud[1].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", os.pathsep.join([str(func.folder), str(Path(str(az())).parent), os.environ["PATH"]]))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, [*words, "--name", "flyweight"])


def test_a_deployment_sends_the_template_with_typed_parameters_and_then_the_folder(
    cloud: tuple[AzureApi, dict[str, str]], func: ProviderTools, run: Run, built: Callable[[str], Path]
) -> None:
    api = cloud[0]
    given = ["--set", "instanceMemoryMB=512", "--set", "scoreFiles=true"]
    done = run("deploy", "azure", "--folder", str(built("azure")), *given, "--no-smoke")
    assert done.exit_code == 0, done.output
    (group,) = api.sent("PUT", "/resourcegroups/flyweight$")
    assert group == {"location": "westeurope"}
    (sent,) = api.sent("PUT", "/deployments/flyweight$")
    assert sent["properties"]["template"] == json.loads((ROOT / "infra" / "azure" / "main.json").read_text())
    parameters = {name: one["value"] for name, one in sent["properties"]["parameters"].items()}
    assert parameters == {"instanceMemoryMB": 512, "scoreFiles": True, "pythonVersion": PYTHON}
    assert [words for words in func.calls() if "publish" in words] == [
        ["func", "azure", "functionapp", "publish", APP, "--python", "--no-build"]
    ]
    assert f"https://{APP}.azurewebsites.net" in done.output


def test_the_state_and_the_key_are_read_from_what_az_prints(
    cloud: tuple[AzureApi, dict[str, str]], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("status", "azure", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["state"] == [APP, "Running", f"{APP}.azurewebsites.net"]
    assert cloud[0].sent("POST", "/host/default/listkeys$")


def test_what_the_last_deployment_was_given_is_read_and_not_reset_in_silence(run: Run, built: Callable[[str], Path]) -> None:
    done = run("deploy", "azure", "--folder", str(built("azure")), "--no-smoke")
    assert done.exit_code == 1
    assert "add --set instanceMemoryMB=512 --set scoreFiles=true, or another value" in " ".join(done.stderr.split())


def test_destroying_deletes_the_group(cloud: tuple[AzureApi, dict[str, str]], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = run("destroy", "azure", "--dry-run").stdout.splitlines()
    assert lines == ["az group delete --name flyweight --yes"]
    done = CliRunner().invoke(main, ["destroy", "azure", "--name", "flyweight"], input="flyweight\n")
    assert done.exit_code == 0, done.output
    assert ("DELETE", f"/subscriptions/{'2' * 8}-{'-'.join(['2222'] * 3)}-{'2' * 12}/resourcegroups/flyweight") in [
        (method, path) for method, path, _ in cloud[0].asked
    ]


def test_who_is_not_logged_in_is_told_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "nobody"))
    done = run("status", "azure")
    assert done.exit_code == 1
    assert "az login" in done.stderr
