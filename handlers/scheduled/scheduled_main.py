"""Score files: the program of a scheduled job. What is done stays as it is, so that a job may be started again at any time."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from time import monotonic

from flyweight.arrow import loading
from flyweight.errors import FlyweightError
from flyweight.jobs import inputs
from flyweight.jobs.run import Progress, run
from flyweight.jobs.scoring import Job
from flyweight.settings import variable

SECONDS = 30.0  # between two lines of the log
# the number of a task among those of one job, and how many there are, by platform:
# https://cloud.google.com/run/docs/container-contract#jobs-env-vars
# https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
TASKS = (
    ("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"),
    ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
)


def parser() -> argparse.ArgumentParser:
    """Make the parser of the job's arguments."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("input", nargs="+", help="Files, folders or patterns, such as s3://BUCKET/in/day=*/*.parquet.")
    made.add_argument("--output", required=True, help="A folder, or an address such as s3://BUCKET/out.")
    made.add_argument("--model", default="", help="A model file or an address in a registry.  [default: the one of this build]")
    made.add_argument("--keep", default="", help="Columns that the answers begin with, separated by commas.")
    made.add_argument("--outputs", default="", help="The model's outputs, separated by commas.  [default: the usual ones]")
    made.add_argument("--on-error", default="column", choices=("column", "raise"), help="What happens to rows that fail.")
    made.add_argument("--workers", type=int, default=0, help="How many processes.  [default: the cores]")
    return made


def main(words: list[str]) -> int:
    """Score this task's share of the files.

    :returns: the exit status: 0 if every file has answers, 1 if not.
    """
    options = parser().parse_args(words)
    began = monotonic()
    try:
        model = options.model or beside()
        output = options.output if "://" in options.output else f"file://{Path(options.output).absolute()}"
        keep = tuple(name for name in options.keep.split(",") if name)
        outputs = [name for name in options.outputs.split(",") if name] or None
        job = Job(model, loading.load(model).file.sha256, output.rstrip("/"), keep, outputs, options.on_error)
        found = share(inputs.find(options.input, job.output))
        done = run(job, found, options.workers or len(os.sched_getaffinity(0)), Log(began))
    except (FlyweightError, OSError) as error:
        write({"level": "ERROR", "message": str(error)})
        return 1
    for message in done.errors:
        write({"level": "ERROR", "message": message})
    write({"level": "INFO", "message": "done", **told(done, began), "sha256": job.sha256, "output": job.output})
    return 1 if done.errors else 0


def beside() -> str:
    """Find the model of this build: a file, or the address of one."""
    folder = Path(__file__).resolve().parent
    address = folder / "model.address"
    return address.read_text(encoding="utf-8").strip() if address.is_file() else str(folder / "model.safetensors")


def share(found: list[inputs.Input]) -> list[inputs.Input]:
    """Choose the files of this task: task I of N takes each file whose number is I modulo N."""
    for index, count in TASKS:
        if variable(index) and variable(count):
            return found[int(variable(index)) :: int(variable(count))]
    return found


class Log:
    """Writes a line of the progress now and then."""

    def __init__(self, began: float) -> None:
        self._began = self._last = began

    def __call__(self, now: Progress) -> None:
        """Write one if it is time."""
        if monotonic() - self._last >= SECONDS:
            self._last = monotonic()
            write({"level": "INFO", "message": "scoring", **told(now, self._began)})


def told(now: Progress, began: float) -> dict[str, object]:
    """Describe what is done."""
    counts = {name: getattr(now, name) for name in ("files", "of", "kept", "rows", "faults")}
    return {**counts, "failed": len(now.errors), "seconds": round(monotonic() - began, 1)}


def write(line: dict[str, object]) -> None:
    """Write a line of the log as JSON, which platforms index by its fields."""
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
