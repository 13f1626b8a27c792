"""The real SAM CLI, which `.ci/install-sam` puts into an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, missing

TRANSLATE = """
import json, sys
from samtranslator.translator.transform import transform

class Nothing:  # stands where the translator would ask AWS for its managed policies; the template uses none
    def load(self):
        return {}

print(json.dumps(transform(json.load(sys.stdin), {}, Nothing())))
"""


def sam(*arguments: str, cwd: Path, **environ: str) -> str:
    """Run `sam` without anybody's credentials or configuration; what it printed. A failure fails the test."""
    return _run([str(_installed()), *arguments], cwd=cwd, environ=environ)


def sam_said(*arguments: str, cwd: Path, given: str, **environ: str) -> str:
    """What `sam` printed to answers that it was given, however it ended."""
    done = _done([str(_installed()), *arguments], cwd=cwd, environ=environ, given=given)
    return done.stdout + done.stderr


def translated(template: dict[str, Any], cwd: Path) -> dict[str, Any]:
    """What CloudFormation makes of a SAM template, by the translator that AWS publishes and that the CLI brings."""
    python = _installed().resolve().with_name("python")
    result: dict[str, Any] = json.loads(_run([str(python), "-c", TRANSLATE], cwd=cwd, environ={}, given=json.dumps(template)))
    return result


def sam_reads(program: str, words: dict[str, list[str]], cwd: Path) -> dict[str, dict[str, str]]:
    """What a program makes of words by the types of the CLI's own options."""
    python = _installed().resolve().with_name("python")
    result: dict[str, dict[str, str]] = json.loads(
        _run([str(python), "-c", program], cwd=cwd, environ={}, given=json.dumps(words))
    )
    return result


def _installed() -> Path:
    own = ROOT / ".tools" / "sam" / "bin" / "sam"
    found = str(own) if own.is_file() else shutil.which("sam")
    if found is None:
        pytest.skip(missing("sam"))
    return Path(found)


def _run(command: list[str], *, cwd: Path, environ: dict[str, str], given: str | None = None) -> str:
    done = _done(command, cwd=cwd, environ=environ, given=given)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _done(command: list[str], *, cwd: Path, environ: dict[str, str], given: str | None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "PYTHON"))}
    offline = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
    nobody = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "HOME": str(cwd)}
    everything = {**kept, **offline, **nobody, **environ}
    return subprocess.run(command, cwd=cwd, env=everything, input=given, capture_output=True, text=True, timeout=300)
