"""The page of devices: its lines run in the built folder as they are written, and its settings are the agent's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flyweight.settings.edge import Edge
from tests.targets.handler import ROOT

PAGE = (ROOT / "docs" / "providers" / "edge.md").read_text()


def test_the_lines_for_programs_without_http_answer_in_the_built_folder(built: Callable[[str], Path], tmp_path: Path) -> None:
    (lines,) = [fence for fence in re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) if "--stdin" in fence]
    script = lines.replace("cd build/edge", f"cd {built('edge')}").replace("/tmp/edge", str(tmp_path / "state"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    environ = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-e"], input=script, env=environ, capture_output=True, text=True, check=True)
    answer, status, synchronised = map(json.loads, done.stdout.splitlines())
    assert (answer["predictions"], answer["sequence"]) == (["Gentoo"], 1)
    assert status["answers"]["waiting"] == 1 == synchronised["answers"]["kept"]


def test_the_table_has_each_setting_with_its_default() -> None:
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (.*?) \|", PAGE, re.MULTILINE)
    told = {name: default for names, defaults in rows for name, default in zip(
        re.findall(r"[A-Z_]+", names), re.split(", ", defaults) if "," in names else [defaults], strict=True
    )}  # fmt: skip
    assert {name.lower() for name in told} == {*Edge._fields}
    for name, default in Edge()._asdict().items():
        if isinstance(default, (int, float)):
            assert float(told[name.upper()]) == default


@pytest.mark.parametrize("name", ["hybrid.md", "providers/edge.md"])
def test_each_setting_that_a_page_names_is_one(name: str) -> None:
    from flyweight import settings

    named = {*re.findall(r"FLYWEIGHT_[A-Z_]*[A-Z]", (ROOT / "docs" / name).read_text())}
    assert named and settings.misspelt(dict.fromkeys(named, "")) == []
