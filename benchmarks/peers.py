"""Compare our own server with other model servers that have the same fitted models, on one core.

    .ci/install-wrk && .ci/install-peers
    python -m benchmarks.peers --rounds 5 --others 2

A full run takes some minutes. It writes the figures to `results/peers.json`, and the tables of `docs/peers.md`.

The servers take turns in fresh processes, on one core, and wrk makes the load on another. The figures are medians of the rounds:
from the start of the process to the first prediction, requests a second and percentiles at 1 and 16 connections, the memory
of all processes of a server after that, and what is installed. Ratios are medians of the ratios in each round.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

import flyweight
from benchmarks.environments import ROOT
from benchmarks.load import FIGURES, OURS, WRK, Way, cores, family, loaded, serving
from benchmarks.models import MODELS, Model
from benchmarks.peer_servers import ONNX, PEERS, SKLEARN, Peer, environment, instances, serve, version
from benchmarks.rounds import ratio
from flyweight.toolkit.building import build

RESULTS = ROOT / "benchmarks" / "results" / "peers.json"
PAGE = ROOT / "docs" / "peers.md"
BEGIN, END = "<!-- figures: python -m benchmarks.peers -->", "<!-- end of the figures -->"
CONNECTIONS = (1, 16)
MAIN = (SKLEARN, ONNX)  # the goals are against these, and they take part in every round
TITLES = {peer.name: peer.title for peer in PEERS}


@dataclass
class Series:
    """The figures of one server with one model, one value for each round that it took part in."""

    numbers: list[int] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    pss_mb: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    loads: dict[int, list[dict[str, float]]] = field(default_factory=lambda: {count: [] for count in CONNECTIONS})

    def of(self, numbers: list[int]) -> dict[str, list[float]]:
        """Give each figure of some rounds by name."""
        at = [self.numbers.index(number) for number in numbers]
        found = {"first_answer_ms": self.first_ms, "pss_mb": self.pss_mb, "rss_mb": self.rss_mb}
        for count, rounds in self.loads.items():
            for figure in FIGURES:
                found[f"{figure}_{count}"] = [each[figure] for each in rounds]
        return {name: [values[position] for position in at] for name, values in found.items()}


def ours(model: Model, place: Path) -> Way:
    """Pack a model, and build the folder of our own server with it."""
    packed = flyweight.pack(model.estimator, place / f"{model.name}.safetensors", sample=model.sample, name=model.name)
    assert packed.path is not None
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = build("gcp", packed.path, place / model.name, python=python, handler=ROOT / "handlers" / "server").folder
    (folder / "body.json").write_text(json.dumps(instances([model.instance])))  # type: ignore[list-item]
    return Way(OURS, model.name, (sys.executable, "server_main.py"), folder, {})


def memory_mb(pid: int, kind: str) -> float:
    """Read the memory of a process and those it started, in MB: proc(5), smaps_rollup.

    :param kind: `Pss`, in which each process that shares a page has a part of it, also processes of others, or `Rss`.
    """
    lines = [line for one in family(pid) for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) * 1024 / 1e6


def size_mb(folder: Path) -> float:
    """Sum the files of a folder, bytecode included, in MB; each is read, so that no first start waits for the disk."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(len(path.read_bytes()) for path in files) / 1e6


def measured(ways: dict[str, list[Way]], rounds: int, others: int, seconds: int) -> dict[Way, Series]:
    """Measure servers in turns.

    :param ways: the servers of each peer, one a model.
    :param others: the rounds, spread among all, in which those beside MAIN take part.
    """
    series = {way: Series() for found in ways.values() for way in found}
    every = max(1, rounds // max(1, others))
    turns = [
        (number, way)
        for number in range(rounds)
        for way in rotated(
            [way for name, found in ways.items() if takes_part(name, number, every, others) for way in found], number
        )
    ]
    for number, way in track(turns, description="servers", transient=True):
        body = (way.folder / "body.json").read_bytes()
        with serving(way, body, cores()[0]) as (process, port, first):
            one = series[way]
            one.numbers.append(number)
            one.first_ms.append(first)
            for count in CONNECTIONS:
                one.loads[count].append(loaded(process.pid, port, way.folder, "body", count, seconds, way.path))
            one.pss_mb.append(memory_mb(process.pid, "Pss"))
            one.rss_mb.append(memory_mb(process.pid, "Rss"))
    return series


def takes_part(name: str, number: int, every: int, others: int) -> bool:
    """Tell whether a server takes part in a round."""
    return name in (OURS, *MAIN) or (number % every == 0 and number // every < others)


def rotated(ways: list[Way], number: int) -> list[Way]:
    """Rotate the servers, so that another one is first in each round."""
    start = number % len(ways) if ways else 0
    return ways[start:] + ways[:start]


def against(own: Series, theirs: Series) -> dict[str, float]:
    """Compute the ratios of our figures to theirs, of the rounds in which both took part."""
    numbers = [number for number in own.numbers if number in theirs.numbers]
    mine, other = own.of(numbers), theirs.of(numbers)
    return {name: round(ratio(mine[name], other[name]), 4) for name in mine if not name.startswith("failed")}


def summary(series: Series) -> dict[str, float]:
    """Compute the medians of one server with one model."""
    return {
        "rounds": len(series.numbers),
        **{name: round(median(values), 2) for name, values in series.of(series.numbers).items()},
    }


Goal = tuple[str, Callable[[dict[str, Any]], float], str, dict[str, float]]  # words, figure, comparison, bound of each model
GOALS: list[Goal] = [
    (SKLEARN, lambda row: 1 / row["first_answer_ms"], "first answer sooner, times", {"linear": 30, "forest": 30}),
    (SKLEARN, lambda row: row["p50_ms_1"], "p50 at 1 connection, at most", {"linear": 0.25, "forest": 0.06}),
    (SKLEARN, lambda row: row["requests_a_second_16"], "requests a second at 16 connections, times", {"linear": 5, "forest": 60}),
    (SKLEARN, lambda row: row["pss_mb"], "memory (PSS), at most", {"linear": 0.1, "forest": 0.1}),
    (SKLEARN, lambda row: row["rss_mb"], "memory (RSS), at most", {"linear": 0.1, "forest": 0.1}),
    (ONNX, lambda row: row["p50_ms_1"], "p50 at 1 connection, at most", {"linear": 0.5, "forest": 0.5}),
]


def goals(document: dict[str, Any]) -> list[list[str]]:
    """Compare the ratios with the goals: one row a goal and model."""
    rows = []
    for name, figure, words, bounds in GOALS:
        for model, bound in bounds.items():
            found = document["models"].get(model, {}).get(TITLES[name])
            if found:
                value = figure(found["ours_to_theirs"])
                reached = value <= bound if "at most" in words else value >= bound
                rows.append([f"{words} {bound:g}", TITLES[name], model, f"{value:.3g}", "yes" if reached else "no"])
    return rows


HEAD = ["model", "server", "first answer ms", "requests/s, 1", "p50 ms", "p99 ms", "requests/s, 16", "p50 ms", "p99 ms"]
HEAD += ["requests/processor s, 16", "PSS MB", "RSS MB", "installed MB"]
GOAL_HEAD = ["goal", "against", "model", "measured", "reached"]


def rows(document: dict[str, Any]) -> list[list[str]]:
    """Write the figures, one row a server and model."""
    found = []
    for model, servers in document["models"].items():
        for title, row in servers.items():
            forms = {"requests_a_second": ",.0f", "p50_ms": ".2f", "p99_ms": ".2f"}
            loads = [f"{row[f'{figure}_{count}']:{form}}" for count in CONNECTIONS for figure, form in forms.items()]
            loads.append(f"{row['requests_a_processor_second_16']:,.0f}")
            size = document["installed_mb"][title]
            found.append(
                [
                    model,
                    title,
                    f"{row['first_answer_ms']:,.0f}",
                    *loads,
                    f"{row['pss_mb']:.0f}",
                    f"{row['rss_mb']:.0f}",
                    f"{size:.{0 if size > 10 else 1}f}",
                ]
            )
    return found


def show(document: dict[str, Any]) -> None:
    """Show the figures and the goals as tables."""
    for head, body in ((HEAD, rows(document)), (GOAL_HEAD, goals(document))):
        table = Table()
        for position, column in enumerate(head):
            table.add_column(column, justify="left" if position < 2 else "right")
        for row in body:
            table.add_row(*row)
        Console(width=150).print(table)


def write(document: dict[str, Any]) -> None:
    """Write the figures and the goals into the page, between its two marks."""
    machine, parts = document["machine"], []
    figures = rows(document)
    for model in document["models"]:
        body = [row[1:] for row in figures if row[0] == model]
        parts.append(f"**{MODELS[model]().title.capitalize()}**\n\n{markdown(HEAD[1:], body)}")
    parts.append(f"**The goals**\n\n{markdown(GOAL_HEAD, goals(document))}")
    packages = ", ".join(f"{title} ({found})" for title, found in document["versions"].items())
    load, absent = " and ".join(map(str, machine["load"])), ", ".join(document["not_installed"]) or "none"
    machine_words = f"Python {machine['python']}, {machine['cores']} cores, load average before and after {load}"
    fewest = min(row["rounds"] for servers in document["models"].values() for row in servers.values())
    rounds = f"{document['rounds']} rounds, of which the slower starters took part in {fewest}"
    parts.append(f"{rounds}. {machine_words}. Versions: {packages}. Not installed: {absent}.\n")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(parts) + f"\n{END}{rest.partition(END)[2]}")


def markdown(head: list[str], body: list[list[str]]) -> str:
    """Write a table of a page, its figures to the right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def prepared(chosen: list[Peer], models: list[str], place: Path) -> tuple[dict[str, list[Way]], dict[str, float]]:
    """Prepare our server and the chosen ones; give them by name, and the size of what is installed of each by title."""
    fitted = [MODELS[name]() for name in models]
    ways = {OURS: [ours(model, place / "ours") for model in fitted]}
    sizes = {OURS: size_mb(ways[OURS][0].folder)}
    for peer in track(chosen, description="preparing", transient=True):
        folder = environment(peer)
        assert folder is not None
        ways[peer.name] = [serve(peer, place / peer.name / model.name, model) for model in fitted]
        sizes[peer.title] = size_mb(folder / "lib")
    return ways, sizes


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Of our server and the two of FastAPI.")
@click.option(
    "--others", default=2, show_default=True, help="Of these rounds, those in which the others take part: they start slowly."
)
@click.option("--seconds", default=1, show_default=True, help="Of each load.")
@click.option("--peers", "names", default=",".join(TITLES), show_default=True)
@click.option("--models", default="linear,forest", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(rounds: int, others: int, seconds: int, names: str, models: str, out: Path) -> None:
    """Measure the servers in ROUNDS turns, and write the medians to OUT."""
    if not WRK.exists():
        raise click.ClickException("wrk makes the load, and is not installed; run: .ci/install-wrk")
    wanted = [peer for peer in PEERS if peer.name in names.split(",")]
    chosen = [peer for peer in wanted if environment(peer)]
    absent = [peer.title for peer in wanted if peer not in chosen]
    if absent:
        click.echo(f"not installed, and left out: {', '.join(absent)}; run: .ci/install-peers", err=True)
    with tempfile.TemporaryDirectory() as name:
        ways, sizes = prepared(chosen, models.split(","), Path(name))
        before = os.getloadavg()[0]
        series = measured(ways, rounds, others, seconds)
    document: dict[str, Any] = {
        "machine": {
            "python": sys.version.split()[0],
            "cores": os.cpu_count(),
            "load": [round(each, 2) for each in (before, os.getloadavg()[0])],
        },
        "versions": {peer.title: version(peer) for peer in chosen},
        "not_installed": absent,
        "rounds": rounds,
        "seconds": seconds,
        "installed_mb": {title: round(size, 1) for title, size in sizes.items()},
        "models": {},
    }
    for way, one in series.items():
        row: dict[str, Any] = dict(summary(one))
        own = next(other for other in ways[OURS] if other.model == way.model)
        if way is not own:
            row["ours_to_theirs"] = against(series[own], one)
        document["models"].setdefault(way.model, {})[way.name] = row
    show(document)
    out.write_text(json.dumps(document, indent=1) + "\n")
    if out == RESULTS:
        write(document)


if __name__ == "__main__":
    main()
