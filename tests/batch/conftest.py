"""The environments of the engines for large batches, and what runs scripts and the programs of pages in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import fitted
from tests.batch import hadoop_cluster
from tests.conftest import ROOT

SCRIPTS = Path(__file__).with_name("scripts")
Score = Callable[..., dict[str, Any]]


def environment(name: str) -> Path:
    """The Python of an engine's environment; the test is skipped, in words, where it is not made."""
    python = ROOT / ".tools" / f"engines-{name}" / "bin" / "python"
    if not (python.parents[1] / "installed.txt").exists():
        pytest.skip(f"the engine {name} is not installed; run: .ci/install-engines {name}")
    return python


def birds(folder: Path) -> Path:
    """Write the penguins with an id to a file of Parquet."""
    table = pa.Table.from_pandas(fitted.penguins()[1], preserve_index=False)
    pq.write_table(table.append_column("id", pa.array(range(table.num_rows))), folder / "birds.parquet")
    return folder / "birds.parquet"


def ran(python: Path, words: list[str], folder: Path) -> str:
    """Run Python in a folder, and give what it printed."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "shared")}
    done = subprocess.run([str(python), *words], cwd=folder, env=environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="session")
def score(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Score:
    """Run a script in the environment of an engine, with a model, a table and a folder, and give the JSON that it printed."""

    def run(name: str, script: str, *further: Any) -> dict[str, Any]:
        python, folder = environment(name), tmp_path_factory.mktemp(name)
        words = ["-P", *map(str, [SCRIPTS / script, penguins, birds(folder), folder, *further])]
        found: dict[str, Any] = json.loads(ran(python, words, folder).splitlines()[-1])
        return found

    return run


@pytest.fixture
def page_program(penguins: Path, tmp_path: Path) -> Callable[[Path, str], str]:
    """Run the program of a page beside the penguins' model and table, and give what it printed."""

    def run(python: Path, program: str) -> str:
        birds(tmp_path)
        shutil.copy(penguins, tmp_path / "penguins.safetensors")
        (tmp_path / "program.py").write_text(program)
        return ran(python, ["program.py"], tmp_path)

    return run


@pytest.fixture(scope="session")
def hadoop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hadoop_cluster.Cluster]:
    """A cluster of HDFS and YARN with two node managers."""
    with hadoop_cluster.running(tmp_path_factory.mktemp("hadoop")) as cluster:
        yield cluster
