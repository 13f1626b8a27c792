"""Run `infra/azure_ml/deploy.sh`: a dry run to its lines, or with a stand-in of az that has an endpoint with releases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from flyweight.toolkit.targets import script_variables
from tests.conftest import ROOT

SCRIPT = ROOT / "infra" / "azure_ml" / "deploy.sh"
AZ = """#!{python} -IS
import json, sys
from pathlib import Path
words = sys.argv[1:]
with Path({calls!r}).open("a") as file:
    file.write(json.dumps(words) + "\\n")
query = dict(zip(words, words[1:])).get("--query", "")
told = {{"name": {name!r}, "tags.live": {live!r}, "[].name": {releases!r}}}
if "show" in words and not {name!r}:
    sys.exit(3)
print(told.get(query, ""))
"""


def script(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the script in an environment without its variables but for those that are given."""
    variables = script_variables.defaults([SCRIPT])
    kept = {name: value for name, value in os.environ.items() if name not in variables}
    return subprocess.run(["bash", str(SCRIPT), *arguments], cwd=ROOT, env={**kept, **environ}, capture_output=True, text=True)


def lines(**environ: str) -> list[str]:
    """List the commands of a dry run."""
    done = script("--dry-run", **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def ran(
    place: Path, folder: Path, live: str = "", releases: tuple[str, ...] = (), name: str = "flyweight", **environ: str
) -> list[list[str]]:
    """Run the script where az tells these releases, and list the words of the commands that change something."""
    tool, calls = place / "az", place / "calls.jsonl"
    tool.write_text(AZ.format(python=sys.executable, calls=str(calls), name=name, live=live, releases="\n".join(releases)))
    tool.chmod(0o755)
    done = script(SOURCE=str(folder), PATH=f"{place}{os.pathsep}{os.environ['PATH']}", **environ)
    assert done.returncode == 0, done.stderr
    asked = [json.loads(line) for line in calls.read_text().splitlines()]
    return [words for words in asked if words[2] not in ("show", "list")]
