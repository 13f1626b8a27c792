"""The verbs of a deployment print lines of Hadoop's tools; what has no meaning is refused before any of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.errors import DeployFailed, RuntimeFailed
from flyweight.toolkit.targets.deployment import Deployment

DEPLOYER = targets.find("hadoop").deployer


def test_a_release_is_a_folder_named_by_its_file_and_a_job_reads_it_there(built: Callable[[str], Path]) -> None:
    folder = built("hadoop")
    parameters = {"input": "/birds/*.jsonl", "output": "/answers", "arguments": "--key id", "python": "py/bin/python3"}
    made, put, read, job = [
        shlex.split(str(one)) for one in DEPLOYER.deploy(Deployment("p", folder=folder, parameters=parameters))
    ]
    release = f"/apps/flyweight/p/{sha256((folder / 'mapper.pyz').read_bytes()).hexdigest()[:16]}"
    assert made == ["hdfs", "dfs", "-mkdir", "-p", release]
    assert put[-2:] == [str(folder / "mapper.pyz"), f"{release}/mapper.pyz"]
    assert read == ["hdfs", "dfs", "-chmod", "-R", "a+rX", "/apps/flyweight/p"]
    given = dict(pairwise(job))
    assert job[:2] == ["mapred", "streaming"] and given["-files"] == f"hdfs://{release}/mapper.pyz#mapper.pyz"
    assert (given["-input"], given["-output"]) == ("/birds/*.jsonl", "/answers")
    assert given["-mapper"] == "py/bin/python3 mapper.pyz --key id"
    assert "mapreduce.job.tags=p" in job, "by which status and logs find it"


def test_without_rows_nothing_is_run(built: Callable[[str], Path]) -> None:
    assert not [one for one in DEPLOYER.deploy(Deployment("p", folder=built("hadoop"))) if "streaming" in str(one)]


REFUSED = [
    ({"inputs": "/birds"}, r"there is no parameter inputs \(input\?\)"),
    ({"input": "/birds"}, "a job needs both input and output"),
    ({"input": "birds", "output": "/answers"}, "is not a valid name of a path"),
    ({"input": "/birds", "output": "/a; rm -r /"}, "is not a valid name of a path"),
    ({"python": "python3 -c x"}, "is not a valid name of a program"),
]


@pytest.mark.parametrize(("parameters", "words"), REFUSED)
def test_parameters_without_a_meaning_are_refused(parameters: dict[str, str], words: str, built: Callable[[str], Path]) -> None:
    with pytest.raises(DeployFailed, match=words):
        DEPLOYER.deploy(Deployment("p", folder=built("hadoop"), parameters=parameters))


def test_a_folder_without_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match=r"has no mapper\.pyz"):
        DEPLOYER.deploy(Deployment("p", folder=tmp_path))
    with pytest.raises(RuntimeFailed, match=r"has no mapper\.pyz"):
        targets.find("hadoop").job(tmp_path).run([], tmp_path)


def test_the_job_on_this_machine_answers_in_order_or_says_why_not(built: Callable[[str], Path], tmp_path: Path) -> None:
    job = targets.find("hadoop").job(built("hadoop"))
    bird = {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211.0}
    bird |= {"body_mass_g": 4500.0, "sex": "female", "year": 2007.0}
    assert job.run([bird, {**bird, "island": "Torgersen", "bill_length_mm": 34.0, "bill_depth_mm": 19.0}], tmp_path) == [
        "Gentoo",
        "Adelie",
    ]
    assert "Hadoop streaming's mapper under Python 3" in job.description()
    with pytest.raises(RuntimeFailed, match=r"exited with status 4: .*island"):
        job.run([{}], tmp_path)
