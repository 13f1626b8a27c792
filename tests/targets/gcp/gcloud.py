"""The real gcloud, asked about commands and files; nothing of this reaches a project or the network."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

needs_gcloud = pytest.mark.needs("gcloud")


def gcloud(*arguments: str, place: Path) -> str:
    """Run `gcloud` with an empty configuration in `place`; its standard output."""
    quiet = {"CLOUDSDK_CORE_DISABLE_PROMPTS": "1", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1"}
    environ = {**os.environ, **quiet, "CLOUDSDK_CONFIG": str(place / "gcloud"), "CLOUDSDK_CORE_PROJECT": "a-project"}
    done = subprocess.run(["gcloud", *arguments], env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def complaints(commands: list[str], place: Path) -> list[str]:
    """What gcloud's own linter has to say against the commands."""
    listed = place / "commands.json"
    listed.write_text(json.dumps([{"command_string": command} for command in commands]))
    report: list[dict[str, Any]] = json.loads(gcloud("meta", "lint-gcloud-commands", f"--commands-file={listed}", place=place))
    assert len(report) == len(commands)
    return [f"{one['command_string']}: {one['error_message']}" for one in report if not one["success"]]
