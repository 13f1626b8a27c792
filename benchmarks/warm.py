"""One row, warm, in process: each covered estimator's own `predict` against ours, side by side; to docs/warm.md."""

from __future__ import annotations

import json
import platform
import statistics
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import numpy
import sklearn
from rich.progress import track

from benchmarks.configurations import classes, defaults, fitted, tables, tables_for
from benchmarks.environments import ROOT
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.packing.pack import pack

RESULTS = ROOT / "benchmarks" / "results" / "warm.json"
PAGE = ROOT / "docs" / "warm.md"
SECONDS = 0.05  # that each of both may be measured for, in turns
BLOCK = 0.001  # seconds of calls that stand for one figure

HEAD = """# One row, warm

The time for one instance in a process that is warm: the estimator's `predict` (or `transform`) on an array or DataFrame of one
row that is there already, and flyweight's `predict` on one list as JSON gives it, checks and probabilities included. Both in
turns, a millisecond of calls each, the best mean of many (as `timeit` measures), for the defaults of every class of
[coverage.md](coverage.md) that is packed. `python -m benchmarks.warm` makes this page anew.

**{median:.0f}x** is the median of {count} estimators; a quarter are below {low:.0f}x, a quarter above {high:.0f}x. Where single
calls take turns, so that each finds the processor's caches full of the other's, the median is {alternating:.0f}x.

The ten that gain least:

| estimator | scikit-learn us | flyweight us | ratio |
|---|--:|--:|--:|
"""

WHY = """
Why these: plain Python takes 0.11 us for a distance, 0.24 us for a sum of products and 0.05 us for an exponential, and such
models take a hundred and more of them for a row (neighbours, Gaussian processes, kernels against samples, networks, RBM). A topic
model goes 51 rounds of digammas, a Gaussian process classifier answers with probabilities that scikit-learn's `predict` does not
compute, and NMF solves for the row by steps. A model that hands its input back (FunctionTransformer without a function,
DummyRegressor) leaves only our checks to be measured. For batches all of these go to NumPy.
"""


@dataclass(frozen=True)
class Row:
    """One estimator: microseconds of either, and how many times as fast ours is where single calls take turns."""

    name: str
    sklearn_us: float
    flyweight_us: float
    alternating: float

    @property
    def ratio(self) -> float:
        """How many times as fast ours is."""
        return self.sklearn_us / self.flyweight_us


@click.command()
@click.option("--only", help="Some names, separated by commas; prints and writes nothing.")
def main(only: str | None) -> None:
    """Measure each covered estimator and write down what came out."""
    names = only.split(",") if only else [*classes()]
    rows = [row for name in track(names, description="measuring", transient=True) if (row := measure(name))]
    rows.sort(key=lambda row: row.ratio)
    if only:
        for row in rows:
            click.echo(f"{row.name}: {row.sklearn_us:.1f} us, {row.flyweight_us:.1f} us, {row.ratio:.1f}x")
        return
    machine = {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": numpy.__version__}
    RESULTS.write_text(json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=1) + "\n")
    write(rows, PAGE)
    click.echo(PAGE.read_text())


def measure(name: str) -> Row | None:
    """One class in its defaults on its first table; None where it isn't packed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for table in tables_for(classes()[name]):
            try:
                estimator = fitted(defaults(classes()[name]), table)
            except Exception:  # it does not take this table
                continue
            try:
                packed = pack(estimator, sample=tables()[table][0], edge_count=1, engine="pure")
            except Exception:  # it is not packed
                return None
            return _side_by_side(name, estimator, tables()[table][0][:1], Predictor(model_file.parse(packed.data)))
    return None


def _side_by_side(name: str, estimator: Any, one: Any, model: Predictor) -> Row:
    instance = [[*model.file.document["sample"]["instances"][0].values()]]
    theirs = getattr(estimator, "predict", None) or estimator.transform
    runs: list[Callable[[], Any]] = [lambda: theirs(one), lambda: model.predict(instance)]
    singly = _best(runs, [1, 1])
    sklearn_us, flyweight_us = _best(runs, [max(1, round(BLOCK / seconds)) for seconds in singly])
    return Row(name, round(1e6 * sklearn_us, 2), round(1e6 * flyweight_us, 2), round(singly[0] / singly[1], 2))


def _best(runs: list[Callable[[], Any]], calls: list[int]) -> list[float]:
    """Seconds a call of each: so many calls at a time, in turns, the best of what time allows."""
    best = [float("inf")] * len(runs)
    ends = perf_counter() + len(runs) * SECONDS
    while perf_counter() < ends:
        for place, (run, count) in enumerate(zip(runs, calls, strict=True)):
            repeated = range(count)
            began = perf_counter()
            for _ in repeated:
                run()
            best[place] = min(best[place], (perf_counter() - began) / count)
    return best


def write(rows: list[Row], page: Path) -> None:
    """The page: the median and the worst ten."""
    ratios = [row.ratio for row in rows]
    low, median, high = statistics.quantiles(ratios, n=4)
    lines = [f"| {row.name} | {row.sklearn_us:.0f} | {row.flyweight_us:.1f} | {row.ratio:.1f}x |\n" for row in rows[:10]]
    alternating = statistics.median(row.alternating for row in rows)
    head = HEAD.format(median=median, low=low, high=high, count=len(rows), alternating=alternating)
    page.write_text(head + "".join(lines) + WHY)


if __name__ == "__main__":
    main()
