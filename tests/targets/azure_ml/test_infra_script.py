"""`infra/azure_ml/deploy.sh`: an endpoint once, a release each time, its traffic, and the end of what nobody goes back to."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from flyweight.toolkit.targets import script_variables
from tests.conftest import ROOT
from tests.targets.azure_ml.scripted import SCRIPT, lines, ran, script

OWN = {"CLIENT": "own", "IMAGE": "registry.azurecr.io/penguins:1"}


def after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_a_first_deployment_makes_the_endpoint_and_a_release_that_has_all_traffic(
    built: Callable[[str], Path], tmp_path: Path
) -> None:
    endpoint, release, traffic = ran(tmp_path, built("azure_ml"), name="")
    assert endpoint[:3] == ["ml", "online-endpoint", "create"] and release[:3] == ["ml", "online-deployment", "create"]
    assert "name=release-1" in release and not [word for word in release if word.startswith("tags.before")]
    assert f"code_configuration.code={built('azure_ml')}" in release
    assert (after(traffic, "--traffic"), after(traffic, "--set")) == ("release-1=100", "tags.live=release-1")


def test_a_later_one_leaves_the_release_before_and_deletes_older_ones(built: Callable[[str], Path], tmp_path: Path) -> None:
    known = ("release-1", "release-2", "release-10", "by-hand")
    release, traffic, *deleted = ran(tmp_path, built("azure_ml"), live="release-2", releases=known)
    assert {"name=release-11", "tags.before=release-2"} <= {*release}
    assert after(traffic, "--traffic") == "release-11=100"
    assert [after(words, "--name") for words in deleted] == ["release-1", "release-10"]
    assert all(words[:3] == ["ml", "online-deployment", "delete"] and "--yes" in words for words in deleted)


def test_a_canary_gets_a_share_and_the_live_release_stays_live(built: Callable[[str], Path], tmp_path: Path) -> None:
    _, traffic = ran(tmp_path, built("azure_ml"), live="release-1", releases=("release-1",), TRAFFIC="10")
    assert after(traffic, "--traffic") == "release-1=90 release-2=10" and "--set" not in traffic


def test_a_container_is_pushed_before_and_has_no_code() -> None:
    push, _, release, _ = map(shlex.split, lines(**OWN, LAYOUT="build/azure_ml.oci"))
    assert push[:5] == ["flyweight", "image", "push", "build/azure_ml.oci", OWN["IMAGE"]]
    assert "az acr login --name registry --expose-token" in after(push, "--password-command")
    assert f"environment.image={OWN['IMAGE']}" in release and not [word for word in release if "code_configuration" in word]


def test_workspace_and_group_are_in_every_command_of_az() -> None:
    found = lines(GROUP="our-group", WORKSPACE="our-workspace")
    assert found and all("--resource-group our-group --workspace-name our-workspace" in line for line in found)
    assert not [line for line in lines() if "--resource-group" in line or "--workspace-name" in line]


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"NAME": "-x"}, "NAME should begin with a letter"),
        ({"CLIENT": "mine"}, "CLIENT should be one of platform own, got 'mine'"),
        ({"CLIENT": "own"}, "set IMAGE as well"),
        ({"IMAGE": "a/b"}, "set CLIENT=own as well"),
        ({"INSTANCE_COUNT": "0"}, "INSTANCE_COUNT should be from 1 to 100"),
        ({"TIMEOUT_MS": "5s"}, "TIMEOUT_MS should be a whole number"),
        ({"TIMEOUT_MS": "180001"}, "TIMEOUT_MS should be from 1 to 180000"),
        ({"TRAFFIC": "0"}, "TRAFFIC should be from 1 to 100"),
        ({"AUTH": "aml_token"}, "AUTH should be one of key aad_token"),
        ({"SETTINGS": "A=1,MY_TOKEN=x"}, "SETTINGS should hold no secret"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_runs(variables: dict[str, str], told: str) -> None:
    done = script("--dry-run", **variables)
    assert done.returncode == 2 and told in done.stderr and done.stdout == ""


def test_another_option_and_another_folder_are_refused(built: Callable[[str], Path], tmp_path: Path) -> None:
    assert "it takes --dry-run alone" in script("--destroy").stderr
    assert "is not a built folder; run: flyweight build azure_ml" in script(SOURCE=str(tmp_path)).stderr
    assert "was not built for azure_ml" in script("--dry-run", SOURCE=str(built("docker"))).stderr


def test_bash_and_shellcheck_find_no_fault() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    checker = Path(sys.executable).parent / "shellcheck"
    if not checker.exists():
        pytest.skip("bash -n has passed; shellcheck is not installed")
    done = subprocess.run([str(checker), str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_variable_is_explained_with_its_default() -> None:
    text = SCRIPT.read_text()
    for name, default in script_variables.defaults([SCRIPT]).items():
        (told,) = re.findall(rf"^#   {name} .*(?:\n#                    .*)*", text, re.MULTILINE)
        assert default in told


def test_defaults_are_those_of_the_files() -> None:
    known = script_variables.defaults([SCRIPT])
    for name in ("deployment.yml", "deployment-container.yml"):
        document = yaml.safe_load((ROOT / "infra" / "azure_ml" / name).read_text())
        assert (document["instance_type"], str(document["instance_count"])) == (known["INSTANCE_TYPE"], known["INSTANCE_COUNT"])
        assert str(document["request_settings"]["request_timeout_ms"]) == known["TIMEOUT_MS"]
        assert {one["enabled"] for one in document["data_collector"]["collections"].values()} == {known["COLLECT"]}
    endpoint = yaml.safe_load((ROOT / "infra" / "azure_ml" / "endpoint.yml").read_text())
    assert (endpoint["name"], endpoint["auth_mode"], endpoint["public_network_access"]) == (
        known["NAME"],
        known["AUTH"],
        "enabled",
    )


def test_the_environment_has_the_python_that_folders_are_built_for_and_the_server_that_judges() -> None:
    from tests.targets.handler import PYTHON

    online = yaml.safe_load((ROOT / "infra" / "azure_ml" / "environment" / "online.yml").read_text())
    *conda, pip = online["dependencies"]
    locked = (ROOT / "constraints-clients-azure_ml_server.txt").read_text().splitlines()
    assert f"python={PYTHON}" in conda and {*pip["pip"]} <= {*locked}
