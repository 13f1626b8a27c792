"""The program of `docs/scorer.md` runs and prints what the page shows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests import fitted
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "scorer.md").read_text()


PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(program: str, penguins: Path, tmp_path: Path) -> str:
    table = pa.Table.from_pandas(fitted.penguins()[1], preserve_index=False)
    pq.write_table(table.append_column("id", pa.array(range(table.num_rows))), tmp_path / "birds.parquet")
    shutil.copy(penguins, tmp_path / "penguins.safetensors")
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_program_prints_what_the_page_shows(penguins: Path, tmp_path: Path) -> None:
    printed = PAGE.partition("```\n\n```\n")[2].partition("\n```")[0]

    def rounded(text: str) -> str:  # the last digits of exponentials differ between machines
        return re.sub(r"\d+\.\d{10,}(e-\d+)?", lambda found: f"{float(found[0]):.9f}", text)

    assert rounded(run(PROGRAMS[0], penguins, tmp_path).strip()) == rounded(printed.strip())


def test_the_program_of_several_processes_answers_every_row(penguins: Path, tmp_path: Path) -> None:
    assert run(PROGRAMS[1], penguins, tmp_path) == f"{len(fitted.penguins()[1])} rows\n"
