"""What all deployers of Spark's job share: parameters, the words of the job, and where its files lie."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from flyweight.settings import ADDRESS_FILE
from flyweight.toolkit.building.folder import MODEL
from flyweight.toolkit.targets.deployment import JobDeployer
from flyweight.toolkit.targets.spark.package import ZIP

ENTRY = "spark_job.py"
# of every platform: the table, where answers go, and further words of the job
COMMON = {"input": "", "output": "", "arguments": ""}


class Submitted(JobDeployer):
    """A job that is submitted once by each `deploy`."""

    name = "spark"
    common = COMMON


def words(given: Mapping[str, str]) -> list[str]:
    """Write the job's own words."""
    return ["--input", given["input"], "--output", given["output"], *shlex.split(given["arguments"])]


def model_file(folder: Path) -> str:
    """Name the file of a built folder that says which model it is: the model itself, or its address."""
    return ADDRESS_FILE if (folder / ADDRESS_FILE).is_file() else MODEL


def sent(folder: Path, root: str) -> dict[str, str]:
    """Say where the files of a built folder lie after they were copied to `root`: the entry, the zip and the model."""
    return {"entry": f"{root}/{ENTRY}", "zip": f"{root}/{ZIP}", "model": f"{root}/{model_file(folder)}"}
