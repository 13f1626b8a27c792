"""The lines of the script's dry runs, with what a shell would have in the place of variables."""

from __future__ import annotations

import os
import re
import shlex
import subprocess

from tests.targets.handler import ROOT

SCRIPT = ROOT / "infra" / "vertex" / "deploy.sh"
VALUES = {"PROJECT": "a-project", "VERSION": "3", "LIVE": "2", "SPARE": "1", "TOKEN": "a-token"}


def filled(line: str) -> str:
    """Put values in the places of variables, and take the command out of NAME=$(COMMAND)."""
    line = re.sub(r"^[A-Z]+=\$\((.*)\)$", r"\1", line)
    line = re.sub(r'"\$\{OF:-(\S+)\}"', r"\1", line)
    line = re.sub(r'"\$([A-Z]+)"', lambda found: VALUES[found[1]], line)
    return line.replace("$EARLIER", "1")


def variables() -> list[str]:
    """The variables of the script."""
    return re.findall(r'"\$\{([A-Z_]+):=', SCRIPT.read_text())


def script(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the script as a user does, its variables set as given and not otherwise."""
    kept = {name: value for name, value in os.environ.items() if name not in variables()}
    command = ["bash", str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=ROOT, env={**kept, **environ}, capture_output=True, text=True)


def dry_run(*arguments: str, **environ: str) -> list[str]:
    """The commands of a dry run, each as a shell would run it after the ones before."""
    done = script("--dry-run", *arguments, **environ)
    assert done.returncode == 0, done.stderr
    return [filled(line) for line in done.stdout.splitlines()]


def flags(lines: list[str], part: str) -> dict[str, str]:
    """The options of the one command that has this part."""
    (line,) = [line for line in lines if part in line]
    words = [word for word in shlex.split(line) if word.startswith("--")]
    return {name: value for name, _, value in (word.partition("=") for word in words)}
