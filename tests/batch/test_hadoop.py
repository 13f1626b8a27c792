"""The mapper's file answers a table in HDFS on YARN, whatever happens to its nodes, and under other programs that pipe lines."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.targets.deployment import Deployment
from tests import fitted
from tests.batch.conftest import SCRIPTS, environment
from tests.batch.hadoop_cluster import SECONDS, Cluster

ROWS = 6_000
BAD = 3  # rows
SPLITS = 4  # of 256 KiB, and the rest
SLOW = "slow.py"
# stands for a model that takes its time, so that a node can be killed in the middle
SLOWLY = """import subprocess, sys, time
mapper = subprocess.Popen([sys.executable, "mapper.pyz", *sys.argv[1:]], stdin=subprocess.PIPE)
for number, line in enumerate(sys.stdin.buffer):
    mapper.stdin.write(line)
    if number % 100 == 0:
        mapper.stdin.flush()
        time.sleep(0.6)
mapper.stdin.close()
sys.exit(mapper.wait())
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mapper(built: Callable[[str], Path]) -> Path:
    return built("hadoop") / "mapper.pyz"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Penguins with an id, one a line; a few are none."""
    birds = json.loads(fitted.penguins()[1].to_json(orient="records"))
    path = tmp_path_factory.mktemp("rows") / "birds.jsonl"
    lines = [json.dumps({"id": number, **birds[number % len(birds)]}) for number in range(ROWS)]
    for number in range(0, ROWS, ROWS // BAD):
        lines[number] = json.dumps({"id": number, "year": "last"})
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def expected(mapper: Path, rows: Path) -> list[str]:
    """The answers of one process, in the order of the rows."""
    with rows.open("rb") as source:
        done = subprocess.run(
            [sys.executable, "-I", mapper, "--key", "id"], stdin=source, capture_output=True, text=True, check=True
        )
    lines = done.stdout.splitlines()
    assert [line.partition("\t")[0] for line in lines] == [str(number) for number in range(ROWS)]
    return lines


@pytest.fixture(scope="module")
def birds(hadoop: Cluster, rows: Path) -> str:
    hadoop.run("hdfs", "dfs", "-mkdir", "-p", "/birds")
    hadoop.run("hdfs", "dfs", "-put", str(rows), "/birds/birds.jsonl")
    return "/birds"


def counted(log: str) -> dict[str, int]:
    """The counters of a job's log, by name."""
    return {name: int(number) for name, number in re.findall(r"^\s+([A-Za-z -]+)=(\d+)$", log, re.MULTILINE)}


@pytest.fixture(scope="module")
def deployed(hadoop: Cluster, birds: str, mapper: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, str]:
    """A deployment with a job that has ended, and the job's log; each command is the one that `flyweight deploy` runs."""
    parameters = {"input": birds, "output": "/answers", "arguments": "--key id", "python": sys.executable}
    deployment = Deployment("birds", folder=mapper.parent, parameters=parameters, work=tmp_path_factory.mktemp("work"))
    log = ""
    for one in targets.find("hadoop").deployer.deploy(deployment):
        done = hadoop.run(*map(str, one.words), **dict(one.environ))
        log = done.stdout + done.stderr
    return deployment, log


def test_a_deployed_job_answers_every_row_once_over_all_splits(
    hadoop: Cluster, deployed: tuple[Deployment, str], expected: list[str]
) -> None:
    parts = hadoop.texts("/answers")
    assert len(parts) >= SPLITS and all(parts.values())
    assert "".join(parts.values()).splitlines() == expected


def test_its_counters_are_the_sums_over_all_tasks(deployed: tuple[Deployment, str]) -> None:
    counters = counted(deployed[1])
    assert (counters["rows"], counters["answered"], counters["failed"]) == (ROWS, ROWS - BAD, BAD)
    assert counters["Map input records"] == counters["Map output records"] == ROWS


def test_its_release_is_in_hdfs_and_its_status_is_told(hadoop: Cluster, deployed: tuple[Deployment, str]) -> None:
    deployer, deployment = targets.find("hadoop").deployer, deployed[0]
    jobs, releases = [hadoop.run(*map(str, one.words)).stdout for one in deployer.status(deployment)]
    assert re.search(r"application_\d+_\d+\s+birds\s+MAPREDUCE", jobs) and "SUCCEEDED" in jobs
    assert re.search(r"/apps/flyweight/birds/[0-9a-f]{16}$", releases, re.MULTILINE)
    again = [one for one in deployer.deploy(Deployment("birds", folder=deployment.folder)) if "-put" in str(one)]
    before = hadoop.run("hdfs", "dfs", "-ls", "-R", "/apps").stdout
    hadoop.run(*map(str, again[0].words))
    assert hadoop.run("hdfs", "dfs", "-ls", "-R", "/apps").stdout == before, "a file that is there stays as it is"


def test_a_job_ends_with_an_error_where_too_many_rows_fail(hadoop: Cluster, mapper: Path, tmp_path: Path) -> None:
    (tmp_path / "few.jsonl").write_text('{"id": 1}\n')
    hadoop.run("hdfs", "dfs", "-put", str(tmp_path / "few.jsonl"), "/few.jsonl")
    words = ["bash", str(mapper.parent / "submit.sh"), "--key", "id", "--max-error-rate", "0.1"]
    environ = {"INPUT": "/few.jsonl", "OUTPUT": "/none", "PYTHON": sys.executable}
    done = hadoop.attempt(*words, SETTINGS="-D mapreduce.map.maxattempts=2 -D mapreduce.job.maps=1", **environ)
    assert done.returncode != 0 and "subprocess failed with code 4" in done.stdout + done.stderr, done.stderr[-3000:]
    assert hadoop.attempt("hdfs", "dfs", "-test", "-e", "/none/_SUCCESS").returncode != 0


def test_the_answers_are_the_same_with_a_node_killed_in_the_middle(
    hadoop: Cluster, birds: str, mapper: Path, expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / SLOW).write_text(SLOWLY)
    job = hadoop.begin(
        "mapred", "streaming", "-D", "mapreduce.job.reduces=0", "-files", f"{mapper},{tmp_path / SLOW}", "-input", birds,
        "-output", "/killed", "-mapper", f"{sys.executable} {SLOW} --key id",
    )  # fmt: skip
    deadline = time.monotonic() + SECONDS
    while hadoop.busy_nodes(SLOW) < len(hadoop.nodes) or not hadoop.busy_nodes("MRAppMaster"):
        assert job.poll() is None and time.monotonic() < deadline, "no task runs on the other node"
        time.sleep(0.2)
    time.sleep(2)  # some rows are answered
    killed = hadoop.kill_node(without="MRAppMaster")
    log, _ = job.communicate(timeout=SECONDS)
    assert job.returncode == 0 and killed, log[-3000:]
    counters = counted(log)
    assert counters["Launched map tasks"] > SPLITS and counters.get("Killed map tasks", 0) + counters.get("Failed map tasks", 0)
    assert (counters["rows"], counters["answered"], counters["failed"]) == (ROWS, ROWS - BAD, BAD)
    assert "".join(hadoop.texts("/killed").values()).splitlines() == expected


def test_mrjobs_local_runner_runs_the_file(mapper: Path, rows: Path, expected: list[str]) -> None:
    python = environment("mrjob")
    words = [python, SCRIPTS / "hadoop_mrjob.py", "-r", "local", "--no-conf", "--interpreter", sys.executable]
    done = subprocess.run([*words, "--mapper-file", mapper, rows], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr[-3000:]
    assert sorted(done.stdout.splitlines()) == sorted(expected)
    counters = json.loads(done.stderr.partition("COUNTERS ")[2])
    assert counters == {"rows": ROWS, "answered": ROWS - BAD, "failed": BAD}


def test_spark_pipes_lines_through_the_file_and_fails_with_it(mapper: Path, rows: Path, expected: list[str]) -> None:
    python = environment("spark")
    words = [python, SCRIPTS / "hadoop_pipe.py", mapper, rows]
    environ = {**os.environ, "PYSPARK_PYTHON": str(python), "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, env=environ)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == expected
    failed = subprocess.run([*words, "--on-error", "raise"], capture_output=True, text=True, timeout=SECONDS, env=environ)
    assert failed.returncode != 0 and "exited with error code 4" in failed.stderr
