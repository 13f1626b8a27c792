"""`docs/providers/scheduled.md`: the commands for this machine run, and log what the page shows; each deployment is planned."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from tests import fitted
from tests.targets.handler import ROOT

PAGE = (ROOT / "docs" / "providers" / "scheduled.md").read_text()
FENCES = re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
DEPLOYS = [line for fence in FENCES for line in fence.replace("\\\n", " ").splitlines() if line.startswith("flyweight deploy")]


def ran(line: str) -> str:
    """Run a line of the page for `flyweight`."""
    done = CliRunner().invoke(main, shlex.split(line)[1:])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_first_commands_score_a_folder_and_log_the_line_of_the_page(
    penguins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("penguins.safetensors").write_bytes(penguins.read_bytes())
    estimator, X = fitted.penguins()
    rows = X.reset_index(names="id")
    rows.to_csv("birds.csv", index=False)
    rows.to_parquet("birds.parquet", index=False)
    copied, build, invoke, program = FENCES[0].splitlines()
    subprocess.run(copied, shell=True, check=True)
    ran(build)
    assert "as recorded" in ran(invoke)
    words = [sys.executable, *shlex.split(program)[1:]]
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": "build/scheduled"}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    (shown,) = [json.loads(line) for line in re.findall(r"^\{\"level\".*\}$", PAGE, re.MULTILINE)]
    logged = json.loads(done.stdout.splitlines()[-1])
    assert [*logged] == [*shown] and logged["output"] == Path("out").absolute().as_uri()
    told = ("level", "message", "files", "of", "kept", "rows", "faults", "failed")
    assert [logged[name] for name in told] == [shown[name] for name in told]
    assert pd.read_csv("out/birds.csv")["prediction"].tolist() == estimator.predict(X).tolist()
    assert pd.read_parquet("out/birds.parquet")["id"].tolist() == rows["id"].tolist()


def test_the_table_of_words_is_the_programs(built: Callable[[str], Path]) -> None:
    said = subprocess.run(
        [sys.executable, "-P", built("scheduled") / "scheduled_main.py", "--help"],
        env={**os.environ, "PYTHONPATH": str(built("scheduled"))}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    table = re.search(r"^\| word \|.*?\n\n", PAGE, re.DOTALL | re.MULTILINE)
    assert table is not None
    named = {word for row in table[0].strip().splitlines() for word in re.findall(r"`(--[a-z-]+)`", row.split("|")[1])}
    assert named == {*re.findall(r"--[a-z-]+", said)} - {"--help"}


def test_every_platform_has_its_row_and_its_command() -> None:
    platforms = targets.find("scheduled").platforms()
    assert sorted(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == platforms
    chosen = [re.search(r"--platform (\w+)", line) for line in DEPLOYS]
    assert sorted(found[1] if found else "systemd" for found in chosen) == platforms


@pytest.mark.parametrize("line", DEPLOYS, ids=lambda line: (re.findall(r"--platform (\w+)", line) or ["systemd"])[0])
def test_each_deployment_of_the_page_is_planned(
    line: str, built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "scheduled").symlink_to(built("scheduled"))
    given = dict(re.findall(r"--set (\w+)=('[^']*'|\S+)", line))
    printed = ran(f"{line} --dry-run")
    work = [path for path in (tmp_path / ".flyweight" / "scheduled").glob("penguins.*") if path.suffix != ".zip"]
    written = printed + "".join(path.read_text() for path in work)
    for value in given.values():
        assert all(word in written for word in shlex.split(value.strip("'"))), value
