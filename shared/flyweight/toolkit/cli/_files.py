"""Score files by a job of several processes, and show how far it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from flyweight.toolkit.cli import _show
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.jobs.run import Progress
    from flyweight.jobs.scoring import Job

SECONDS = 3.0  # between two lines of JSON
SHOWN = 5  # files that have no answers, in one message


def several(rows: Sequence[str], out: str) -> bool:
    """Tell whether answers go to files of a folder: for several files, a folder, a pattern or an address."""
    from flyweight.jobs.inputs import WILD

    first = rows[0]
    named = "://" in first or os.path.isdir(first) or (WILD.search(first) is not None and not os.path.exists(first))
    return len(rows) > 1 or named or "://" in out or out.endswith(("/", os.sep)) or os.path.isdir(out)


def root_of(out: str) -> str:
    """Make the root of the answers' store.

    :raises ToolkitError: answers of several files have no folder.
    """
    if out == "-":
        raise ToolkitError(
            "answers of several files, of a folder or of a store go to a folder", "name it: -o FOLDER, or -o s3://BUCKET/FOLDER"
        )
    if "://" in out:
        return out.rstrip("/")
    if os.path.isfile(out):
        raise ToolkitError(f"{out} is a file, and the answers of several files go to a folder", "name a folder: -o FOLDER")
    return f"file://{Path(out).absolute().as_posix()}"


def score(job: Job, rows: Sequence[str], workers: int, as_json: bool) -> None:
    """Score files, and report the files and rows that have answers.

    :param workers: how many processes; 0 for the cores of this machine.
    :raises ToolkitError: files have no answers.
    :raises OSError: a file that is named does not exist.
    """
    from flyweight.jobs import inputs, run

    for named in rows:
        if "://" not in named and inputs.WILD.search(named) is None:
            os.stat(named)  # an error that names it
    found = inputs.find(rows, job.output)
    began = monotonic()
    try:
        with _progress(as_json) as advance:
            done = run.run(job, found, workers or _cores(), lambda now: advance(now, monotonic() - began))
    except KeyboardInterrupt:
        click.echo("stopped; the same command continues: files that are done stay as they are", err=True)
        raise
    _report(done, monotonic() - began, job, as_json)
    if done.errors:
        listed = "; ".join(done.errors[:SHOWN])
        more = f"; and {len(done.errors) - SHOWN:,} more" if len(done.errors) > SHOWN else ""
        step = "correct them and run the same command again: files that are done stay as they are"
        raise ToolkitError(f"{len(done.errors):,} of {done.of:,} files have no answers: {listed}{more}", step)


def _cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _report(done: Progress, seconds: float, job: Job, as_json: bool) -> None:
    """Print what was done."""
    document = {**_document(done, seconds), "output": job.output, "sha256": job.sha256}
    if as_json:
        click.echo(json.dumps({**document, "errors": [*done.errors]}))
        return
    faults = f", {done.faults:,} of them without an answer" if done.faults else ""
    kept = f", {done.kept:,} of them by an earlier run" if done.kept else ""
    click.echo(f"{done.files:,} of {done.of:,} files{kept}; {done.rows:,} rows{faults}; {seconds:.1f} s; {job.output}", err=True)


def _document(now: Progress, seconds: float) -> dict[str, object]:
    named = {name: getattr(now, name) for name in ("files", "of", "kept", "rows", "faults")}
    return {
        **named,
        "failed": len(now.errors),
        "seconds": round(seconds, 1),
        "rows_per_second": round(now.rows / max(seconds, 1e-9)),
    }


@contextmanager
def _progress(as_json: bool) -> Iterator[Callable[[Progress, float], None]]:
    """Show the files and rows that are done, and the rate, on standard error."""
    if as_json:
        last = [0.0]

        def tell(now: Progress, seconds: float) -> None:
            if seconds - last[0] >= SECONDS:
                last[0] = seconds
                click.echo(json.dumps(_document(now, seconds)), err=True)

        yield tell
        return
    with _show.progress(True) as advance:
        yield lambda now, seconds: advance("predicting", now.files + len(now.errors), now.of, _words(now, seconds))


def _words(now: Progress, seconds: float) -> str:
    return f"{now.rows:,} rows, {now.rows / max(seconds, 1e-9):,.0f} a second"
