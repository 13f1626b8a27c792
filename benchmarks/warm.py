"""Compare the warm time for one row of each covered estimator's own `predict` with ours, and write docs/warm.md."""

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
SECONDS = 0.05  # for which each of both is measured
BLOCK = 0.001  # seconds of one block of calls, which gives one mean

HEAD = """# One row, warm

The time to predict one instance in a warm process: the estimator's `predict` (or `transform`) on an existing array or DataFrame
of one row, and flyweight's `predict` on one list as JSON gives it, including validation and probabilities. Both are called in
turns, for a millisecond each; the time is the best of many means (as in `timeit`). Measured for the defaults of every class of
[coverage.md](coverage.md) that is packed. `python -m benchmarks.warm` makes this page again.

**{median:.0f}x** is the median of {count} estimators; a quarter are below {low:.0f}x, a quarter above {high:.0f}x. If single
calls alternate, so that each call finds the processor's caches filled by the other library, the median is {alternating:.0f}x.

The ten smallest ratios:

| estimator | scikit-learn us | flyweight us | ratio |
|---|--:|--:|--:|
"""

WHY = """
The reasons: plain Python takes 0.11 us for a distance, 0.24 us for a sum of products and 0.05 us for an exponential, and these
models compute a hundred or more of them for one row (neighbours, Gaussian processes, kernels against samples, networks, RBM). A
topic model computes 51 rounds of digammas; a Gaussian process classifier also returns probabilities, which scikit-learn's
`predict` does not compute; NMF solves for the row iteratively. For a model that returns its input or a constant
(FunctionTransformer without a function, DummyRegressor) only our validation is measured. Batches of all these models run in
NumPy.
"""


@dataclass(frozen=True)
class Row:
    """One estimator: microseconds of both, and how many times as fast ours is if single calls alternate."""

    name: str
    sklearn_us: float
    flyweight_us: float
    alternating: float

    @property
    def ratio(self) -> float:
        """Divide scikit-learn's time by ours."""
        return self.sklearn_us / self.flyweight_us


@click.command()
@click.option("--only", help="Names of classes, separated by commas; the results are printed and not written.")
def main(only: str | None) -> None:
    """Measure each covered estimator and write the results."""
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
    """Measure one class in its defaults on its first table.

    :returns: None if it is not packed.
    """
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
    """Measure the seconds of one call of each.

    :param calls: for each run the number of calls in one block; blocks alternate, and the best one counts.
    """
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
    """Write the page: the median and the ten smallest ratios."""
    ratios = [row.ratio for row in rows]
    low, median, high = statistics.quantiles(ratios, n=4)
    lines = [f"| {row.name} | {row.sklearn_us:.0f} | {row.flyweight_us:.1f} | {row.ratio:.1f}x |\n" for row in rows[:10]]
    alternating = statistics.median(row.alternating for row in rows)
    head = HEAD.format(median=median, low=low, high=high, count=len(rows), alternating=alternating)
    page.write_text(head + "".join(lines) + WHY)


if __name__ == "__main__":
    main()
