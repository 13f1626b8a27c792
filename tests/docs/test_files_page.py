"""The program of `docs/files.md` runs, and the settings that the page names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flyweight.stores import open_store
from tests import fitted
from tests.conftest import ROOT
from tests.services.fixtures import PATIENT

PAGE = (ROOT / "docs" / "files.md").read_text()


def test_the_program_runs_and_writes_what_the_page_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, penguins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("penguins.safetensors").write_bytes(penguins.read_bytes())
    table = fitted.penguins()[1]
    store = open_store(f"file://{tmp_path}/files", PATIENT)
    store.put("in/penguins.csv", table.to_csv(index=False).encode() + b"bad\n", None)
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    exec(program.replace("file:///tmp/files", f"file://{tmp_path}/files"), {})
    assert capsys.readouterr().out == f"True {len(table)} 1\n"
    tag = store.head("in/penguins.csv").tag
    ends = ["jsonl", "progress.json", "rejected.jsonl"]
    assert store.keys("out") == [f"out/in/penguins.csv.{tag}.{end}" for end in ends]


def test_the_settings_that_the_page_names_are_read() -> None:
    source = (ROOT / "shared" / "flyweight" / "settings.py").read_text()
    named = {*re.findall(r"`FLYWEIGHT_(\w+)", PAGE)}
    assert len(named) == 3
    assert not [name for name in named if f'"{name}"' not in source]
