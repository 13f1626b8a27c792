"""What `az` and `func` take: a line goes in, the options that it uses and that its tool does not have come out.

The options of `az` are those that `az COMMAND --help` of version 2.91.0 lists, as far as our lines use them; where the Azure CLI
is at hand (`.ci/install-az`), it is asked anew. `az monitor app-insights` is an extension, whose options were read in its source
(github.com/Azure/azure-cli-extensions, src/application-insights, _params.py and custom.py at 0041ebd), those of `func` in that of
Core Tools (github.com/Azure/azure-functions-core-tools, src/Cli/func/Actions/AzureActions and Helpers at 3ee97a6, of 2026-08-20).
All of it was read on 2026-11-25.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.targets.handler import ROOT

EXTENSIONS = ("az monitor app-insights",)
EVERYWHERE = {"--output", "--query", "--only-show-errors"}  # in each command of az
GROUP = {"--resource-group", "--name"}
OPTIONS = {
    "az account get-access-token": set(),
    "az account show": set(),
    "az deployment group create": {*GROUP, "--template-file", "--parameters"},
    "az deployment group show": GROUP,
    "az extension add": {"--name"},
    "az functionapp config appsettings set": {*GROUP, "--settings"},
    "az functionapp keys list": GROUP,
    "az functionapp show": GROUP,
    "az group create": {"--name", "--location"},
    "az group delete": {"--name", "--yes"},
    "az login": set(),
    "az monitor app-insights query": {"--resource-group", "--apps", "--analytics-query", "--offset"},
    "func azure functionapp logstream": {"--browser"},
    "func azure functionapp publish": {"--python", "--no-build"},
}


def strange(line: str) -> set[str]:
    """The options of a line that its command does not have.

    :raises ValueError: the command is not one that we know.
    """
    commands = [known for known in OPTIONS if f"{line} ".startswith(f"{known} ")]
    if not commands:
        raise ValueError(f"{line!r} is no command of az or func that we know")
    given = {word for word in shlex.split(line) if word.startswith("--")}
    return given - OPTIONS[commands[0]] - (EVERYWHERE if line.startswith("az ") else set())


def az() -> str | None:
    """The Azure CLI, if it is at hand."""
    own = ROOT / ".tools" / "az" / "bin" / "az"
    return str(own) if own.is_file() else shutil.which("az")


@cache
def asked(command: str, place: Path) -> set[str]:
    """The options that the Azure CLI itself has for one of its commands."""
    tool = az()
    assert tool
    environ = {**os.environ, "AZURE_CONFIG_DIR": str(place), "AZURE_CORE_COLLECT_TELEMETRY": "0"}
    words = [tool, *command.split()[1:], "--help"]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=120, check=True)
    return set(re.findall(r"^ +(--[a-z][a-z-]*)", done.stdout, re.MULTILINE))
