"""The program of `docs/penguins.md` makes the model and the tables that the other pages use."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd

import flyweight
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "penguins.md").read_text(encoding="utf-8")


def test_the_program_makes_the_model_of_the_tests_and_one_table_in_three_formats(penguins: Path, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    birds = pd.read_parquet(tmp_path / "birds.parquet")
    made, known = [flyweight.load(path) for path in (tmp_path / "penguins.safetensors", penguins)]
    assert (made.name, made.version) == ("penguins", "1.0.0")
    rows = birds.drop(columns="id")
    assert made.predict(rows) == known.predict(rows)
    assert birds["id"].tolist() == [*range(344)]
    csv = flyweight.pandas.score(pd.read_csv(tmp_path / "birds.csv"), tmp_path / "penguins.safetensors")
    lines = flyweight.pandas.score(pd.read_json(tmp_path / "birds.jsonl", lines=True), tmp_path / "penguins.safetensors")
    assert csv["prediction"].tolist() == lines["prediction"].tolist() == made.predict(rows).predictions


def test_pages_that_use_the_table_say_where_it_is_from() -> None:
    pages = [page for page in (ROOT / "docs").rglob("*.md") if "birds.parquet" in page.read_text(encoding="utf-8")]
    assert len(pages) > 5
    assert not [page for page in pages if "penguins.md" not in page.read_text(encoding="utf-8") and page.name != "penguins.md"]
