"""The commands of `docs/doctor.md` run, and its options and steps are those of the verb."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.toolkit.cli import main
from flyweight.toolkit.running.cold_start import STEPS
from tests.targets.handler import ROOT

PAGE = (ROOT / "docs" / "doctor.md").read_text()


def test_the_commands_run(built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for target in ("aws", "gcp"):
        shutil.copytree(built(target), tmp_path / "build" / target)
    (block,) = re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    lines = block.splitlines()
    assert len(lines) == 3
    for line in lines:
        words = [*shlex.split(line)[1:], "--rounds", "1"]
        result = CliRunner().invoke(main, words, catch_exceptions=False)
        assert result.exit_code == 0 or ("--at-most" in words and "expected at most 0.6" in result.stderr), (
            f"{line}\n{result.output}"
        )
    assert Path("cold_start.svg").is_file()


def test_the_page_names_every_option_and_step() -> None:
    options = {
        option
        for option in re.findall(r"--[a-z-]+", CliRunner().invoke(main, ["doctor", "--help"]).output.partition("Examples")[0])
    }
    assert options - {"--help"} == set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE))
    named = {name.strip() for row in re.findall(r"^\| ([a-z, ]+) \| ", PAGE, re.MULTILINE) for name in row.split(",")}
    assert {*STEPS} <= named
