"""Demonstrate all steps on three real tables: train, pack, build for every provider, answer in its real runtime, compare.

Cold starts are those of an empty function, and of ours under the provider's client and under our own client or server.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from benchmarks import folders, rounds, show
from benchmarks.environments import ROOT
from benchmarks.folders import EMPTY, FLYWEIGHT, JOBLIB, OWN, PROVIDERS, Function
from benchmarks.models import MODELS, Model
from benchmarks.rounds import Series
from flyweight.toolkit import targets
from flyweight.toolkit.events import samples
from flyweight.toolkit.running import runtime
from flyweight.toolkit.running.measure import folder_size

BUILD = ROOT / "build" / "demo"
PICTURE = ROOT / "docs" / "images" / "demo.svg"
WIDTH = 134  # of the tables; a narrower terminal wraps lines and cuts nothing off
COMPARED = "mixed"  # the model whose cold start is compared with an empty function's and scikit-learn's
SHOWN = (COMPARED, "forest", "boosting")
SAMPLES = ("predict.rest", "predict.alb", "predict.direct", "predict_csv")  # in addition to `predict`, if the provider has them


@dataclass(frozen=True)
class Shown:
    """A function with the event of one row of the table."""

    function: Function
    model: Model
    event: str


@click.command()
@click.option(
    "--rounds", "count", default=3, show_default=True, type=click.IntRange(1), help="Fresh processes for each function."
)
@click.option("--svg", is_flag=True, help=f"Save the output as {PICTURE.relative_to(ROOT)}.")
def main(count: int, svg: bool) -> None:
    """Train three models, and show their cold start, warm time and size as functions."""
    console = Console(record=svg, width=WIDTH if svg else max(Console().width, WIDTH))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def stage(words: str, total: int) -> Callable[[], None]:
            task, began = bar.add_task(words, total=total), perf_counter()

            def advance() -> None:
                bar.advance(task)
                if bar.tasks[task].finished:
                    bar.update(task, visible=False)
                    bar.console.print(f"{words}: {total} in {perf_counter() - began:.0f} s", highlight=False)

            return advance

        shown, others = built(PROVIDERS, SHOWN, BUILD, stage)
        functions = _neighbours(shown, others)
        pythons = {function.target: Path(sys.executable) for function in functions}
        advance = stage("answering events in fresh processes", len(functions) * (count + 1))
        series = rounds.measure(functions, pythons, count, warm_calls=50, advance=advance)
        advance = stage("answering every sample event", len(PROVIDERS))
        answered = {}
        for provider in PROVIDERS:
            function = next(row.function for row in shown if row.function.provider == provider)
            answered[provider] = samples_answered(function)
            advance()
    console.print(comparison(series))
    console.print(answers(shown, series))
    for provider, (right, total) in answered.items():
        words = f"{right} of {total} requests of events/http/, as {provider} passes them on,"
        console.print(f"{words} are answered with the status of events/cases.json")
    for words in notes(series):
        console.print(words, style="dim")
    if svg:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        # Without the web fonts that rich refers to; the reader's own monospaced font is enough.
        drawn = console.export_svg(title="make demo", unique_id="demo")
        PICTURE.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL))


def built(
    providers: Sequence[str], models: Sequence[str], place: Path, stage: Callable[[str, int], Callable[[], None]]
) -> tuple[list[Shown], list[Function]]:
    """Train and pack the models and build their folders; for the compared model also those that are compared with it."""
    advance = stage("training and packing", len(models))
    for name in models:
        folders.model_file(MODELS[name](), place)
        advance()
    beside = {provider: [kind for kind in (EMPTY, OWN, JOBLIB) if folders.offered(provider, kind)] for provider in providers}
    advance = stage("building folders", sum(len(models) + len(kinds) for kinds in beside.values()))
    shown: list[Shown] = []
    others: list[Function] = []
    for provider in providers:
        for name in models:
            function = folders.make(provider, MODELS[name](), FLYWEIGHT, place)
            shown += _events(function, MODELS[name]())
            advance()
        for kind in beside[provider]:
            others.append(folders.make(provider, MODELS[COMPARED](), kind, place))
            advance()
    return shown, others


def samples_answered(function: Function) -> tuple[int, int]:
    """Send every HTTP case, in each form of the provider's events, to one process.

    Events of queues, streams and files need stores and sinks: the contract suite sends those.

    :returns: the number of answers with the expected status, and the number of events.
    """
    asked = {name: samples.shapes(function.provider, request) for name, request in samples.requests().items()}
    events = [(event, samples.cases()[name]["status"]) for name, shapes in asked.items() for event in shapes.values()]
    with runtime(function.target)(function.folder) as process:
        right = sum(process.invoke(event).status == status for event, status in events)
    return right, len(events)


def answers(shown: Sequence[Shown], series: dict[Function, Series]) -> Table:
    """Make a table with one row for each event: the runtime, the answer, time and memory."""
    table = _table("Every function in its provider's own runtime", "runtime", "model", "event", "status", "prediction")
    for name in ("cold", "warm p50", "memory", "folder"):
        table.add_column(name, justify="right", no_wrap=True)
    for provider in dict.fromkeys(row.function.provider for row in shown):
        rows = [row for row in shown if row.function.provider == provider]
        package, _, rest = series[rows[0].function].runtime.partition(" ")
        version, _, python = rest.partition(" on ")
        places = [f"[bold]{show.RUNTIMES[provider]}[/]", f"[dim]{package}[/]", f"[dim]{version}, {python}[/]"]
        for place, row in zip_longest(places, rows, fillvalue=""):
            table.add_row(place, *(_cells(row, series[row.function]) if isinstance(row, Shown) else ()))
        table.add_section()
    return table


def _cells(row: Shown, own: Series) -> list[str]:
    assert own.answer is not None
    return [
        f"{row.model.table}, {row.model.name}",
        row.event,
        str(own.answer.status),
        prediction(own.answer.body),
        f"{1e3 * median(own.cold):.0f} ms",
        show.duration(1e6 * median(map(median, own.warm))),
        show.megabytes(median(own.memory) / 1e6 if own.memory else None),
        show.megabytes(folder_size(row.function.folder) / 1e6),
    ]


def comparison(series: dict[Function, Series]) -> Table:
    """Compare the cold start under the provider's client and under our own with an empty function's and scikit-learn's."""
    title = f"The cold start of a model of {MODELS[COMPARED]().table}, beside an empty function; ratios are taken round by round"
    table = _table(title, "provider")
    for name in (
        "empty function",
        "ours",
        "x empty",
        "ours, own client",
        "x empty",
        "memory",
        "joblib + scikit-learn",
        "x empty",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for provider in dict.fromkeys(function.provider for function in series):
        first: dict[str, Series] = {}
        for function, own in series.items():
            if (function.provider, function.model) == (provider, COMPARED):
                first.setdefault(function.kind, own)
        empty = first[EMPTY]
        own_client = first.get(OWN)
        table.add_row(
            show.RUNTIMES[provider],
            _cold(empty),
            f"[bold]{_cold(first[FLYWEIGHT])}[/]",
            f"[bold]{show.times(rounds.ratio(first[FLYWEIGHT].cold, empty.cold))}[/]",
            f"[bold]{_cold(own_client)}[/]" if own_client else "",
            f"[bold]{show.times(rounds.ratio(own_client.cold, empty.cold))}[/]" if own_client else "",
            f"{show.times(_most(own_client) / _most(empty))}" if own_client and own_client.memory else "",
            _cold(first[JOBLIB]),
            show.times(rounds.ratio(first[JOBLIB].cold, empty.cold)),
        )
    return table


def _cold(own: Series) -> str:
    return f"{1e3 * median(own.cold):.0f} ms"


def _most(own: Series) -> float:
    return median(own.memory)


def notes(series: dict[Function, Series]) -> list[str]:
    """Explain the figures to the reader."""
    rounds_ = len(next(iter(series.values())).cold)
    found = [f"Cold start: from exec to the whole first answer, median of {rounds_} rounds of fresh processes, page cache warm."]
    own = sorted(f"{show.RUNTIMES[f.provider]}: {words}" for f in series if f.kind == OWN and (words := _own(f, series[f])))
    found.append(f"Own client: {'; '.join(own)}.")
    described = {own.runtime for function, own in series.items() if function.provider == "azure" and function.kind != OWN}
    if any("azure-functions-runtime" not in words for words in described):
        found.append("Azure's worker library needs Python 3.13; here the function object of its SDK was called instead.")
    found.append(f"The folders are in {os.path.relpath(BUILD)}/; with more rounds and models: make bench.")
    return found


def _own(function: Function, series: Series) -> str:
    """Say what ran a function instead of the provider's client."""
    if function.target != function.provider:
        return f"flyweight's server on {targets.find(function.target).title}"
    return series.runtime.partition(" on ")[0]


def prediction(body: bytes) -> str:
    """Format the first prediction of an answer, with its probability."""
    document: dict[str, Any] = json.loads(body)
    value = document["predictions"][0]
    if "probabilities" in document:
        return f"{value} ({max(document['probabilities'][0]):.4f})"
    return f"{value:.2f}"


def _events(function: Function, model: Model) -> list[Shown]:
    """List the events for the function: the provider's samples are about penguins, each other model has an event of its own."""
    if model.name != COMPARED:
        return [Shown(function, model, "of its own")]
    names = [name for name in ("predict", *SAMPLES) if name in samples.names(function.provider)]
    events = [(name, samples.read(function.provider, name)) for name in names]
    return [Shown(replace(function, event=event), model, name) for name, event in events]


def _neighbours(shown: Sequence[Shown], others: Sequence[Function]) -> list[Function]:
    """List all functions, with the compared ones next to each other."""
    ours = [row.function for row in shown]
    order = {provider: number for number, provider in enumerate(PROVIDERS)}
    return sorted([*others, *ours], key=lambda function: order[function.provider])


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


if __name__ == "__main__":
    main()
