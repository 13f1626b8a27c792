"""Every command that reads a model file names it where it refuses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.toolkit.cli import main

LINES = [
    "advise --model {}",
    "build aws --model {} --out folder",
    "deploy aws --model {} --dry-run",
    "export {} --to onnx --out model.onnx",
    "inspect {}",
    "invoke aws --model {}",
    "new project --model {}",
    "plan aws --model {}",
    "predict {} rows.csv",
    "push {} registry",
    "serve {} --port 0",
    "sql bigquery --model {} --url https://example.com",
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[0])
def test_a_file_that_is_no_model_is_named(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("no.safetensors").write_text("hello")
    Path("rows.csv").write_text("a\n1\n")
    done = CliRunner().invoke(main, line.format("no.safetensors").split())
    said = "error: no.safetensors: the file is truncated: 5 bytes, but the header's length alone takes 8\n"
    assert done.exit_code == 1 and said in done.output, done.output
