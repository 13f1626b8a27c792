"""Every line that a dry run, the script or the page prints is one that `az ml` has.

The options are those of https://learn.microsoft.com/cli/azure/ml, read on 2026-11-30; the extension is not in the package index.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

import pytest

from tests.conftest import ROOT
from tests.targets.azure_ml.scripted import lines as scripted

EVERYWHERE = {"--output", "--query", "--only-show-errors"}
PLACE = {"--resource-group", "--workspace-name"}
OPTIONS = {
    "account get-access-token": set(),
    "account show": set(),
    "configure": {"--defaults"},
    "login": set(),
    "ml batch-deployment create": {*PLACE, "--file", "--set", "--set-default"},
    "ml batch-endpoint create": {*PLACE, "--file", "--set"},
    "ml batch-endpoint invoke": {*PLACE, "--name", "--input", "--input-type"},
    "ml job download": {*PLACE, "--name", "--output-name", "--download-path"},
    "ml job stream": {*PLACE, "--name"},
    "ml online-deployment create": {*PLACE, "--file", "--set"},
    "ml online-deployment delete": {*PLACE, "--name", "--endpoint-name", "--yes"},
    "ml online-deployment get-logs": {*PLACE, "--name", "--endpoint-name", "--lines"},
    "ml online-deployment list": {*PLACE, "--endpoint-name"},
    "ml online-deployment show": {*PLACE, "--name", "--endpoint-name"},
    "ml online-endpoint create": {*PLACE, "--file", "--set"},
    "ml online-endpoint delete": {*PLACE, "--name", "--yes"},
    "ml online-endpoint get-credentials": {*PLACE, "--name"},
    "ml online-endpoint invoke": {*PLACE, "--name", "--request-file", "--deployment-name"},
    "ml online-endpoint show": {*PLACE, "--name"},
    "ml online-endpoint update": {*PLACE, "--name", "--traffic", "--set"},
    "deployment group create": {"--resource-group", "--name", "--template-file", "--parameters"},
}


def strange(line: str) -> set[str]:
    """The options of a line of az that its command does not have; the line itself if there is no such command."""
    words = shlex.split(line)[1:]
    known = [command for command in OPTIONS if words[: len(command.split())] == command.split()]
    return {word for word in words if word.startswith("--")} - OPTIONS[known[-1]] - EVERYWHERE if known else {line}


def test_az_has_each_option_that_a_dry_run_prints(printed: Callable[[str], list[str]]) -> None:
    found = [line for line in printed("azure_ml") if line.startswith("az ")]
    assert len(found) > 10 and {line: strange(line) for line in found if strange(line)} == {}


@pytest.mark.parametrize("client", ["platform", "own"])
def test_az_has_each_option_that_the_script_prints(client: str) -> None:
    image = {"IMAGE": "registry.azurecr.io/a:1", "LAYOUT": "a.oci"} if client == "own" else {}
    found = [line for line in scripted(CLIENT=client, TAGS="a=b", COLLECT="true", **image) if line.startswith("az ")]
    assert found and [line for line in found if strange(line)] == []


def test_az_has_each_option_that_the_page_prints() -> None:
    page = (ROOT / "docs" / "providers" / "azure_ml.md").read_text()
    shown = "\n".join(re.findall(r"```bash\n(.*?)```", page, re.DOTALL)).replace("\\\n", " ")
    found = re.findall(r"(?:^|\$\()(az [^)\n]*)", shown, re.MULTILINE)
    assert len(found) > 5 and {line: strange(line) for line in found if strange(line)} == {}
