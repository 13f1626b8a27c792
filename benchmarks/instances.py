"""Measure the memory of several processes of one function on Lambda Managed Instances, beside that of one process.

    python -m benchmarks.instances

A forest of 100 MB is built for AWS and started by each client of the Runtime API: as one process, as on other instances, and with
AWS_LAMBDA_MAX_CONCURRENCY. Each process answers the same events. A page that several processes share counts once: the figures are
proportional set sizes (PSS, https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html).
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from flyweight.toolkit.building import build
from flyweight.toolkit.events import samples
from flyweight.toolkit.packing.pack import pack
from tests.targets.aws.runtime_api import OWN, PLATFORM, event
from tests.targets.aws.test_client_stages import Pool

RESULTS = Path(__file__).parent / "results" / "instances.json"
ROWS, COLUMNS = 60_000, 10  # of the training table: a tree has a leaf for each row
BOUND = 1.5


@click.command()
@click.option("--processes", default=16, show_default=True, type=click.IntRange(2), help="Processes of one function.")
@click.option("--trees", default=64, show_default=True, type=click.IntRange(1), help="Trees of the forest, 1.6 MB each.")
@click.option("--events", default=40, show_default=True, type=click.IntRange(1), help="Events that each process answers.")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="The file to write the figures to.")
def main(processes: int, trees: int, events: int, out: Path) -> None:
    """Measure one and several processes under both clients, write the figures and print them."""
    with tempfile.TemporaryDirectory() as place:
        folder, rows, size = forest(Path(place), trees, events)
        found = {
            f"{client}, {count}": memory(client, folder, count, rows) for client in (OWN, PLATFORM) for count in (1, processes)
        }
    several, one = found[f"{OWN}, {processes}"], found[f"{OWN}, 1"]
    document: dict[str, Any] = {
        "python": platform.python_version(),
        "model_mb": round(size / 1e6, 1),
        "events": events,
        "pss_mb": {name: round(figure / 1e6, 1) for name, figure in found.items()},
        "times_one": round(several / one, 3),
        "bound": BOUND,
        "met": several <= BOUND * one,
    }
    out.write_text(json.dumps(document, indent=1) + "\n")
    click.echo(json.dumps(document, indent=1))
    click.echo(f"written: {os.path.relpath(out)}")


def forest(place: Path, trees: int, events: int) -> tuple[Path, list[list[float]], int]:
    """Fit a forest, pack it, and build its folder.

    :returns: the folder, rows to predict, and the size of the model file in bytes.
    """
    choose = np.random.default_rng(0)
    table = choose.normal(size=(ROWS, COLUMNS))
    target = table @ choose.normal(size=COLUMNS) + choose.normal(size=ROWS)
    estimator = ExtraTreesRegressor(trees, max_features=1, random_state=0).fit(table, target)
    file = place / "forest.safetensors"
    pack(estimator, file, sample=table[:200], name="forest", edge_count=20, engine="pure")
    python = ".".join(platform.python_version_tuple()[:2])
    return build("aws", file, place / "built", python=python).folder, table[:events].tolist(), file.stat().st_size


def memory(client: str, folder: Path, count: int, rows: list[list[float]]) -> int:
    """Start a function's processes, let each answer an event for each row, and add their proportional set sizes, in bytes."""
    environ = {"AWS_LAMBDA_LOG_FORMAT": "JSON", **({"AWS_LAMBDA_MAX_CONCURRENCY": str(count)} if count > 1 else {})}
    with Pool(client, folder, "app.lambda_handler", environ=environ, wrapper=folder / "flyweight_wrapper") as pool:
        pool.gather(count)
        for row in rows:
            bodies = [json.loads(answer)["body"] for answer in pool.ask_all(event(samples.predicting("aws", [row])))]
            answers = {str(json.loads(body)["predictions"]) for body in bodies}
            if len(answers) != 1:
                raise SystemExit(f"{count} processes under the {client} client give {len(answers)} different answers")
        return sum(map(proportional, members(pool.pid)))


def members(group: int) -> list[int]:
    """List the processes of a process group."""
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if os.getpgid(int(name)) == group:
                found.append(int(name))
        except ProcessLookupError:
            pass
    return found


def proportional(process: int) -> int:
    """Read the proportional set size of a process, in bytes."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
