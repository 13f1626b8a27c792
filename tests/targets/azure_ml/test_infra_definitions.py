"""azure-ai-ml takes the YAML files with what `deploy.sh` sets in them, and refuses what is not Azure's."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.targets.azure_ml.loading import KINDS, Load, load
from tests.targets.azure_ml.scripted import lines

__all__ = ["load"]
pytestmark = pytest.mark.needs("azure-ml")
EVERYTHING = {
    "NAME": "penguins", "MODEL": "azureml:penguins:1", "INSTANCE_TYPE": "Standard_F4s_v2", "INSTANCE_COUNT": "3",
    "TIMEOUT_MS": "30000", "AUTH": "aad_token", "PUBLIC": "false", "COLLECT": "true", "SETTINGS": "FLYWEIGHT_MAX_INSTANCES=50",
    "TAGS": "team=ml,stage=prod",
}  # fmt: skip


def given_by(line: str) -> tuple[str, dict[str, str]]:
    """The file of a command of the script, and what it sets in it."""
    words = shlex.split(line)
    start = words.index("--set") + 1
    return Path(words[words.index("--file") + 1]).name, dict(word.split("=", 1) for word in words[start:])


def test_every_file_is_taken_as_it_is(load: Load) -> None:
    files = [path.name for path in sorted((ROOT / "infra" / "azure_ml").glob("*.yml"))]
    assert files == sorted(KINDS)
    found = dict(zip(files, load(*[(name, {}) for name in files]), strict=True))
    assert not {name: one["refused"] for name, one in found.items() if "refused" in one}
    assert found["deployment.yml"]["document"]["code_configuration"]["scoring_script"] == "score.py"
    assert found["batch-deployment.yml"]["document"]["code_configuration"]["scoring_script"] == "batch_driver.py"


@pytest.mark.parametrize("client", ["platform", "own"])
def test_what_the_script_sets_is_taken_where_it_belongs(client: str, load: Load) -> None:
    image = {"IMAGE": "registry.azurecr.io/penguins:1"} if client == "own" else {}
    sets = [given_by(line) for line in lines(CLIENT=client, **image, **EVERYTHING) if "--file" in line]
    endpoint, release = (one.get("document", one) for one in load(*sets))
    assert (endpoint["name"], endpoint["auth_mode"], endpoint["public_network_access"]) == ("penguins", "aad_token", "disabled")
    assert endpoint["tags"] == {"team": "ml", "stage": "prod"}
    assert (release["name"], release["endpoint_name"], release["instance_type"]) == ("release-1", "penguins", "Standard_F4s_v2")
    assert int(release["instance_count"]) == 3 and int(release["request_settings"]["request_timeout_ms"]) == 30000
    assert release["environment_variables"]["FLYWEIGHT_MAX_INSTANCES"] == "50" and release["model"] == "azureml:penguins:1"
    collected = release["data_collector"]["collections"]
    assert {name: one["enabled"] for name, one in collected.items()} == {"request": "true", "response": "true"}
    assert release["environment"]["image"] == (image.get("IMAGE") or "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest")
    assert ("code_configuration" in release) == (client == "platform")


REFUSED = [
    ("endpoint.yml", {"auth_mode": "nobody"}),
    ("endpoint.yml", {"colour": "blue"}),
    ("deployment.yml", {"instance_count": "many"}),
    ("deployment.yml", {"environment.colour": "blue"}),
    ("deployment-container.yml", {"request_settings.request_timeout": "5000"}),
    ("deployment-container.yml", {"environment.inference_config.scoring_route.port": "http"}),
    ("batch-deployment.yml", {"settings.output_action": "nothing"}),
]


def test_what_is_not_azures_is_refused_by_its_name(load: Load) -> None:
    for (_, given), found in zip(REFUSED, load(*REFUSED), strict=True):
        assert next(iter(given)).rpartition(".")[2] in found["refused"]
