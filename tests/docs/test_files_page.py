"""The program and the commands of `docs/files.md` run, and the settings that the page names exist."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from flyweight.stores import open_store
from flyweight.toolkit.cli import main
from tests import fitted
from tests.conftest import ROOT
from tests.services.fixtures import PATIENT, Bucket, s3, servers

__all__ = ["s3", "servers"]
PAGE = (ROOT / "docs" / "files.md").read_text()


def test_the_program_runs_and_writes_what_the_page_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, penguins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("penguins.safetensors").write_bytes(penguins.read_bytes())
    table = fitted.penguins()[1]
    Path("birds.csv").write_bytes(table.reset_index(names="id").to_csv(index=False).encode() + b"344,Biscoe,bad\n")
    store = open_store(f"file://{tmp_path}/files", PATIENT)
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    exec(program.replace("file:///tmp/files", f"file://{tmp_path}/files"), {})
    assert capsys.readouterr().out == f"True {len(table)} 1\n"
    tag = store.head("in/penguins.csv").tag
    ends = ["jsonl", "progress.json", "rejected.jsonl"]
    assert store.keys("out") == [f"out/in/penguins.csv.{tag}.{end}" for end in ends]


def test_the_settings_that_the_page_names_are_read() -> None:
    source = (ROOT / "shared" / "flyweight" / "settings" / "parts.py").read_text()
    named = {*re.findall(r"`FLYWEIGHT_(\w+)", PAGE)}
    assert len(named) == 3
    assert not [name for name in named if f'"{name}"' not in source]


def test_the_commands_score_folders_here_and_in_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, penguins: Path, s3: Bucket
) -> None:
    (fence,) = re.findall(r"^## From the command line\n\n```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    made, *lines = fence.splitlines()
    here, there = [shlex.split(line)[1:] for line in lines]
    monkeypatch.chdir(tmp_path)
    Path("penguins.safetensors").write_bytes(penguins.read_bytes())
    estimator, table = fitted.penguins()
    rows, expected = table.reset_index(names="id"), estimator.predict(table).tolist()
    rows.to_parquet("birds.parquet", index=False)
    rows.to_csv("birds.csv", index=False)
    subprocess.run(made, shell=True, check=True)
    Path("birds/day=1/left_out.csv").write_bytes(Path("birds.csv").read_bytes())
    assert CliRunner().invoke(main, here).exit_code == 0
    answers = [pd.read_parquet("answers/day=1/birds.parquet"), pd.read_csv("answers/birds.csv")]
    assert all(one["prediction"].tolist() == expected and one["id"].tolist() == [*rows["id"]] for one in answers)
    assert not [*Path("answers").rglob("left_out*")]
    s3.server.make_bucket("zoo")
    store = open_store("s3://zoo", PATIENT)
    store.put("birds/b.csv", rows.to_csv(index=False).encode() + b"5,bad\n", None)
    done = CliRunner().invoke(main, there)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["files"], report["rows"], report["faults"]) == (1, len(rows) + 1, 1)
    scored = pd.read_csv(io.BytesIO(store.get("answers/b.csv", 1 << 24)[0]))
    assert scored["prediction"].tolist()[:-1] == expected and scored["error"].notna().tolist() == [False] * len(rows) + [True]
