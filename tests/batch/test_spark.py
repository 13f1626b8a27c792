"""Spark answers each row as the scorer does, by each of its forms, through kills and retries, and says which rows failed."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flyweight
from tests import fitted
from tests.batch.conftest import SCRIPTS, environment
from tests.conftest import ROOT
from tests.services.web import free_port, wait_until

COPIES, PARTS = 20, 12
FORMS = ["arrow", "order of columns", "pandas", "bytes", "loaded", "store", "arrow_udf", "pandas_udf", "sql", "sql by columns"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python() -> Path:
    return environment("spark")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Penguins, with an id, in files of several row groups."""
    birds = pa.Table.from_pandas(fitted.penguins()[1], preserve_index=False)
    birds = pa.concat_tables([birds] * COPIES)
    path = tmp_path_factory.mktemp("table") / "birds.parquet"
    pq.write_table(birds.append_column("id", pa.array(range(birds.num_rows))), path, row_group_size=1000)
    return path


@pytest.fixture(scope="module")
def expected(penguins: Path, table: Path) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = flyweight.Scorer(penguins, keep=["id"])(pq.read_table(table)).to_pylist()
    return answers


def environ(python: Path) -> dict[str, str]:
    """The variables of a process with Spark; those of tests run side by side don't share folders."""
    places = os.pathsep.join([str(ROOT / "shared"), str(SCRIPTS)])
    return {**os.environ, "PYTHONPATH": places, "PYSPARK_PYTHON": str(python), "SPARK_LOCAL_IP": "127.0.0.1"}


def ran(python: Path, script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script in a group of its own, which it may kill."""
    command = [str(python), str(SCRIPTS / f"{script}.py"), *map(str, arguments)]
    return subprocess.run(command, env=environ(python), capture_output=True, text=True, timeout=600, start_new_session=True)


def answered(folder: Path) -> list[dict[str, Any]]:
    """Read all answers in a folder, by their ids."""
    files = sorted(folder.rglob("*.parquet"))
    return pa.concat_tables([pq.ParquetFile(file).read() for file in files]).sort_by("id").to_pylist()


@pytest.fixture(scope="module")
def forms(python: Path, penguins: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    done = ran(python, "spark_forms", penguins, table, tmp_path_factory.mktemp("forms"))
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["rows"] == COPIES * len(fitted.penguins()[1])
    return found


@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_the_scorers_own_answers_to_the_bit(form: str, forms: dict[str, Any]) -> None:
    assert forms[form] is True


def test_null_for_null_no_rows_for_none_and_outputs_as_chosen(forms: dict[str, Any]) -> None:
    assert forms["null struct"] == [True, False]
    assert forms["empty"] == [0, ["id", "prediction", "probabilities"]]
    assert forms["outputs"] == ["id", "prediction"]


def test_rows_that_fail_are_told_apart_and_counted(forms: dict[str, Any]) -> None:
    assert forms["observed"] == {"rows": forms["rows"], "failed": forms["rows"] // 10}
    assert forms["failed rows"] and forms["null answers"] and forms["others as before"]
    assert forms["reasons"] == ["feature 'year': expected a finite number, got a number too large for a double"]


def test_what_can_not_be_scored_ends_the_job_with_our_words(forms: dict[str, Any]) -> None:
    assert "feature 'year': expected a finite number" in forms["raised"]
    assert forms["missing column"].startswith("the data frame has no column 'sex'; it has ")
    assert forms["missing kept"].startswith("the data frame has no column 'no'; it has ")
    assert "feature 'island': expected a string or null, got no such column" in forms["missing field"]


def test_a_stream_whose_driver_is_killed_goes_on_without_a_row_lost_or_doubled(
    python: Path, penguins: Path, table: Path, expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    whole, inputs = pq.read_table(table), tmp_path / "in"
    inputs.mkdir()
    for number in range(3):
        pq.write_table(whole.slice(number * 2500, 2500), inputs / f"{number}.parquet")
    killed = ran(python, "spark_stream_killed", penguins, inputs, tmp_path, "kill")
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert (tmp_path / "out" / "batch=1" / "_SUCCESS").is_file() and not (tmp_path / "checkpoint" / "commits" / "1").exists()
    again = ran(python, "spark_stream_killed", penguins, inputs, tmp_path)
    assert again.returncode == 0, again.stderr[-2000:]
    assert answered(tmp_path / "out") == expected
    counted = ast.literal_eval(again.stdout.strip().splitlines()[-1])
    assert [batch["rows"] for batch in counted] == [2500, len(expected) - 5000], "batch 1 came again"


@contextmanager
def started(python: Path, log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Spark's own in a group of its own, which ends with the test."""
    home = next((python.parents[1] / "lib").glob("python3*/site-packages/pyspark"))
    variables = {**environ(python), "SPARK_HOME": str(home), "SPARK_WORKER_DIR": str(log.with_suffix(".work"))}
    command = [str(home / "bin" / arguments[0]), *arguments[1:]]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=variables, stdout=out, stderr=out, start_new_session=True)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with those that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def cluster(python: Path, tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A standalone cluster of two workers: its address, and the workers."""
    port, main = free_port(), "org.apache.spark.deploy"
    address, here = f"spark://127.0.0.1:{port}", ("--host", "127.0.0.1")
    log = tmp_path / "master.log"
    with ExitStack() as stack:
        stack.enter_context(
            started(python, log, "spark-class", f"{main}.master.Master", *here, "--port", str(port), "--webui-port", "0")
        )
        size = ("--cores", "1", "--memory", "1g", "--webui-port", "0")
        workers = []
        for number in range(2):
            wait_until(lambda: b"Starting Spark master" in log.read_bytes(), "the master is up", seconds=120)
            words = ("spark-class", f"{main}.worker.Worker", *here, *size, address)
            workers.append(stack.enter_context(started(python, tmp_path / f"worker-{number}.log", *words)))
        wait_until(lambda: log.read_bytes().count(b"Registering worker") == 2, "both workers are there", seconds=120)
        yield address, workers


@pytest.mark.parametrize("kill", [False, True], ids=["whole", "a worker killed"])
def test_a_cluster_gives_the_same_answers_also_if_a_worker_is_killed(
    kill: bool, python: Path, penguins: Path, table: Path, expected: list[dict[str, Any]], cluster: Any, tmp_path: Path
) -> None:
    address, workers = cluster
    command = [python, SCRIPTS / "spark_cluster.py", address, penguins, table, tmp_path]
    log = tmp_path / "driver.log"
    with log.open("wb") as out:
        driver = subprocess.Popen(command, env=environ(python), stdout=out, stderr=out, start_new_session=True)
    try:
        wait_until(lambda: attempts(tmp_path) >= 2 or driver.poll() is not None, "each worker has a part", seconds=180)
        if kill:
            end(workers[0])
        (tmp_path / "go").touch()
        assert driver.wait(timeout=300) == 0, log.read_text()[-3000:]
    finally:
        end(driver)
    assert answered(tmp_path / "out") == expected
    assert attempts(tmp_path) > PARTS if kill else attempts(tmp_path) == PARTS, "a part was scored again after the kill alone"


def attempts(folder: Path) -> int:
    return len([*folder.glob("attempt-*")])


def test_a_client_of_spark_connect_gets_the_same_answers(
    python: Path, penguins: Path, table: Path, expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "server.log"
    settings = {"spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": str(port)}
    settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false"}
    pairs = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    main = "org.apache.spark.sql.connect.service.SparkConnectServer"
    with started(python, log, "spark-submit", "--master", "local[2]", "--class", main, *pairs) as server:
        up = b"Spark Connect server started"
        wait_until(lambda: up in log.read_bytes() or server.poll() is not None, "the server is up", seconds=180)
        done = ran(python, "spark_connect", f"sc://127.0.0.1:{port}", penguins, table, tmp_path)
    assert done.returncode == 0, (done.stderr[-3000:], log.read_text()[-3000:])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found == {
        "rows": len(expected),
        "arrow": True,
        "observed": {"rows": len(expected), "failed": 0},
        "sql": True,
        "stream": True,
    }
