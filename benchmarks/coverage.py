"""Pack every estimator of scikit-learn that answers on new data, and write docs/coverage.md: what is packed, and why not."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import sklearn
from rich.progress import track

from benchmarks import other_converters
from benchmarks.configurations import classes, defaults, fitted, others, tables, tables_for
from benchmarks.environments import ROOT
from flyweight.toolkit.packing.pack import pack

RESULTS = ROOT / "benchmarks" / "results" / "coverage.json"
PAGE = ROOT / "docs" / "coverage.md"
COMPARED = ("skl2onnx", "m2cgen")
EDGE_ROWS = 100

HEAD = """# Coverage

Every class of scikit-learn {sklearn} that predicts or transforms new data: fitted in its defaults (as scikit-learn's own
tests configure it) on each of {tables} small tables that it accepts, and with each of its parameters
changed in turn on the first of these. Each fit is packed for the `pure` engine and compared on {edges} rows made to
break it. `make coverage` makes this page again; a test fails if a row gets worse.

The tables: {names}.

The column **packed** is about the defaults on the first table. The columns **skl2onnx** and **m2cgen** are about the same fit,
converted by these libraries; differences of up to {generous:g} count as "yes" for them (ours is compared within 1e-12).

| | of {all_predicting} that predict | of {all_transforming} that only transform |
|---|--:|--:|
| flyweight, pure engine | {predicting} ({predicting_share:.0%}) | {transforming} ({transforming_share:.0%}) |
| skl2onnx {skl2onnx} | {skl2onnx_predicting} | {skl2onnx_transforming} |
| m2cgen {m2cgen} | {m2cgen_predicting} | {m2cgen_transforming} |

Of all {tried:,} fits, {held:,} were packed at parity. A fit without parity for the pure engine still runs in the
`sklearn` engine ([engines.md](engines.md)).

| estimator | packed | fits packed | largest difference | bytes | skl2onnx | m2cgen | the first reason why not |
|---|---|--:|--:|--:|---|---|---|
"""


@dataclass
class Row:
    """The results of one estimator; `difference` is the largest absolute one of all outputs on its first table."""

    name: str
    predicts: bool
    packed: bool = False
    tried: int = 0
    held: int = 0
    difference: float | None = None
    size: int | None = None
    reasons: list[str] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)  # by converter: "" if it answers, else the reason


@click.command()
@click.option("--only", help="Names of classes, separated by commas; the results are printed and not written.")
def main(only: str | None) -> None:
    """Try each estimator in a process of its own and write the results."""
    names = only.split(",") if only else [*classes()]
    # spawned: a child that is forked after scikit-learn has used OpenMP hangs when it uses it too
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        rows = [*track(pool.map(attempt, names), total=len(names), description="trying", transient=True)]
    if only:
        for row in rows:
            click.echo(json.dumps(asdict(row), indent=1))
        return
    write(rows, PAGE, RESULTS)
    click.echo(f"{sum(row.packed for row in rows)} of {len(rows)} are packed; see {PAGE.relative_to(ROOT)}")


def attempt(name: str, configurations: int | None = None) -> Row:
    """Fit and pack one class on its tables and in other configurations.

    :param configurations: how many of its configurations to try; None: all.
    """
    cls = classes()[name]
    row = Row(name, hasattr(cls, "predict"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # lazily, so that no further fit is made: one against one with a hundred classes takes a minute
        for number, (label, estimator, table) in enumerate(islice(_fits(cls), configurations)):
            _try(row, label, estimator, table)
            if number == 0 and configurations is None:
                row.others = {tool: getattr(other_converters, tool)(estimator, tables()[table][0]) for tool in COMPARED}
    if not row.tried:
        row.reasons.append("it takes none of the tables")
    return row


def _fits(cls: Any) -> Iterator[tuple[str, Any, str]]:
    """Fit the defaults on the first table, each other configuration on the same table, then the defaults on every other table."""
    names = tables_for(cls)
    own = next((table for table in names if _fit(defaults(cls), table) is not None), None)
    if own is None:
        return
    yield f"on {own}", _fit(defaults(cls), own), own
    for label, estimator in others(cls):
        if (made := _fit(estimator, own)) is not None:
            yield label, made, own
    for table in names:
        if table != own and (made := _fit(defaults(cls), table)) is not None:
            yield f"on {table}", made, table


def _fit(estimator: Any, table: str) -> Any:
    try:
        return fitted(estimator, table)
    except Exception:  # it does not take this table
        return None


def _try(row: Row, label: str, estimator: Any, table: str) -> None:
    """Pack one fit; note any error as the reason."""
    row.tried += 1
    try:
        packed = pack(estimator, sample=tables()[table][0], edge_count=EDGE_ROWS, engine="pure")
    except Exception as error:
        row.reasons.append(f"{label}: {_short(error)}")
        return
    row.held += 1
    if row.tried == 1:
        row.packed, row.size = True, len(packed.data)
        row.difference = float(max(packed.parity.largest.values(), default=0.0))


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text.removeprefix("step (the estimator itself), ")[:150].strip().replace("|", "/")


def write(rows: list[Row], page: Path, results: Path) -> None:
    """Write the page, and the JSON that the test compares with."""
    import m2cgen
    import skl2onnx

    groups = {"predicting": [row for row in rows if row.predicts], "transforming": [row for row in rows if not row.predicts]}
    counts: dict[str, Any] = {}
    for word, group in groups.items():
        held = sum(row.packed for row in group)
        counts |= {word: held, f"all_{word}": len(group), f"{word}_share": held / len(group)}
        counts |= {f"{tool}_{word}": sum(row.others.get(tool) == "" for row in group) for tool in COMPARED}
    head = HEAD.format(
        sklearn=sklearn.__version__,
        skl2onnx=skl2onnx.__version__,
        m2cgen=getattr(m2cgen, "__version__", "0.10"),
        tables=len(tables()),
        names=", ".join(tables()),
        edges=EDGE_ROWS,
        generous=other_converters.GENEROUS,
        tried=sum(row.tried for row in rows),
        held=sum(row.held for row in rows),
        **counts,
    )
    page.write_text(head + "\n".join(map(_line, rows)) + "\n")
    results.write_text(json.dumps({row.name: asdict(row) for row in rows}, indent=1) + "\n")


def _line(row: Row) -> str:
    numbers = "| |" if row.difference is None or row.size is None else f"| {row.difference:.2g} | {row.size:,} |"
    compared = " | ".join({"": "yes", None: ""}.get(row.others.get(tool), row.others.get(tool, "")) for tool in COMPARED)
    reason = row.reasons[0] if row.reasons else ""
    return f"| {row.name} | {'yes' if row.packed else 'no'} | {row.held} of {row.tried} {numbers} {compared} | {reason} |"


if __name__ == "__main__":
    main()
