"""The examples of the page on Spark print what it says, in one session, and its lines for a shell run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flyweight
from tests import fitted
from tests.batch.conftest import environment
from tests.conftest import PYTHON, ROOT

PAGE = (ROOT / "docs" / "providers" / "spark.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, flags=re.DOTALL)
pytestmark = pytest.mark.slow


@pytest.fixture
def here(penguins: Path, tmp_path: Path) -> Path:
    birds = pa.Table.from_pandas(fitted.penguins()[1], preserve_index=False)
    birds = birds.append_column("id", pa.array(range(birds.num_rows)))
    (tmp_path / "incoming").mkdir()
    for path in ("birds.parquet", "incoming/birds.parquet"):
        pq.write_table(birds, tmp_path / path)
    (tmp_path / "penguins.safetensors").write_bytes(penguins.read_bytes())
    return tmp_path


def variables(python: Path) -> dict[str, str]:
    home = next((python.parents[1] / "lib").glob("python3*/site-packages/pyspark"))
    path = os.pathsep.join([str(python.parent), str(home / "bin"), os.environ["PATH"]])
    ours = {"PATH": path, "PYTHONPATH": str(ROOT / "shared"), "PYSPARK_PYTHON": str(python), "SPARK_LOCAL_IP": "127.0.0.1"}
    return {**os.environ, **ours}


def test_the_examples_print_what_the_page_says(here: Path) -> None:
    python = environment("spark")
    program = "\n".join(text for kind, text in BLOCKS if kind == "python")
    done = subprocess.run([python, "-c", program], cwd=here, env=variables(python), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    told = [text for kind, text in BLOCKS if not kind]
    assert len(told) == 2 and all(text in done.stdout for text in told), done.stdout
    assert pq.read_table(here / "scored").num_rows == 344
    assert done.stdout.count("Adelie|") == 4, "the counts, and three rows of SQL"


def test_the_first_prediction_is_within_forty_lines() -> None:
    assert PAGE[: PAGE.index("answers.groupBy")].count("\n") < 40


def test_the_lines_that_submit_jobs_run(here: Path) -> None:
    python = environment("spark")
    flyweight.build("spark", here / "penguins.safetensors", here / "build" / "spark", python=PYTHON)
    lines = [line for kind, text in BLOCKS if kind == "bash" for line in text.splitlines() if "submit.sh" in line]
    assert len(lines) == 2
    for line in lines:
        done = subprocess.run(["sh", "-c", line], cwd=here, env=variables(python), capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr[-3000:]
    assert [pq.read_table(here / name).num_rows for name in ("answers", "scored")] == [344, 344]
