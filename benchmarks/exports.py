"""Export estimators beside skl2onnx, and write the tables of docs/exports.md: what is exported, and the largest differences.

    python -m benchmarks.exports

Every class of docs/coverage.md in its defaults, on the first small table that it accepts. Exports and skl2onnx's graphs answer
the same rows in onnxruntime, and are compared with the estimator itself.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from rich.progress import track

from benchmarks.configurations import classes, defaults, fitted, tables, tables_for
from benchmarks.environments import ROOT
from flyweight.errors import InvalidInput
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.exporting import forms
from flyweight.toolkit.exporting.answering import answered
from flyweight.toolkit.exporting.edge_cases import rows_of
from flyweight.toolkit.exporting.export import export, find
from flyweight.toolkit.exporting.planned import Planned
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.packing.parity import scale_of

RESULTS = ROOT / "benchmarks" / "results" / "exports.json"
PAGE = ROOT / "docs" / "exports.md"
BEGINS = "## Beside skl2onnx\n"
MADE = 300  # rows, beside those of the table
EDGES = 50  # rows on which the model itself is compared; docs/parity.md is about that
LITERT_TOLERANCE = 1e-5
ROUNDING = 1e-12  # differences below are of the last digits, which the order of additions decides

HEAD = """
Printed by `python -m benchmarks.exports`: {count} estimators of [coverage.md](coverage.md) in their defaults, which have a plan
and take a table. Both graphs answer the same rows, rounded to float32, on values at and beside the model's thresholds, missing
and unseen ones included, and are compared with the estimator itself; rows whose answer the estimator's own rounding chooses, as
among training rows that are equally near, are left out. For skl2onnx the better of its graphs in float32 and float64 counts.
"exact": every answer is the model's, bit for bit.

| | |
|---|--:|"""
TABLE = """\
| estimator | ONNX | labels differ | largest difference | skl2onnx | labels differ | largest difference | C | LiteRT |
|---|---|--:|--:|---|--:|--:|---|---|"""


@dataclass
class Row:
    """The results of one estimator: its ops, "" or the reason why not for each form and skl2onnx, and the differences.

    `differing` has, of a model with trees, the outputs of the ONNX graph that are not the model's in every row, bit for bit;
    `labels` counts rows with another label than the estimator's; `largest` is the largest difference of numbers; for skl2onnx the
    better of its graphs in float32 and in float64.
    """

    name: str
    ops: list[str] = field(default_factory=list)
    forms: dict[str, str] = field(default_factory=dict)
    exact: bool = False  # every answer of the ONNX graph is the model's, bit for bit
    differing: list[str] = field(default_factory=list)
    skl2onnx: str = ""
    largest: dict[str, float] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)


@click.command()
@click.option("--only", help="Names of classes, separated by commas; the results are printed and not written.")
@click.option("--workers", type=int, default=os.cpu_count() or 1, show_default=True, help="Processes at a time.")
def main(only: str | None, workers: int) -> None:
    """Try each estimator in a process of its own and write the results and the page."""
    names = only.split(",") if only else [*classes()]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        made = track(pool.map(attempt, names), total=len(names), description="exporting")
        rows = [row for row in made if row is not None]
    if only:
        click.echo("\n".join([*map(_line, rows), json.dumps([asdict(row) for row in rows])]))
        return
    RESULTS.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    head = PAGE.read_text().partition(BEGINS)[0]
    PAGE.write_text(head + BEGINS + page(rows))
    click.echo(page(rows))


def attempt(name: str) -> Row | None:
    """Fit one class in its defaults and export it; None where it has no plan on a table of numbers or columns."""
    warnings.simplefilter("ignore")
    cls = classes()[name]
    try:
        table, estimator = next(fits for fits in ((table, fitted(defaults(cls), table)) for table in tables_for(cls)) if fits[1])
    except Exception:
        return None
    X = tables()[table][0]
    if isinstance(X, list):
        return None
    row = Row(name)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.safetensors"
        try:
            pack(estimator, model, sample=X, engine="pure", name="model", edge_count=EDGES)
        except Exception:
            return None
        planned = Planned(packed_file(model))
        row.ops = sorted({step.name for step in planned.steps})
        for form in forms():
            row.forms[form] = _exported(model, form, Path(folder) / f"export{find(form).suffix}", row)
        rows = _rows(planned, X)
        if not row.forms["onnx"]:
            _compare(row, "onnx", estimator, X, rows, _of_export(planned, Path(folder) / "export.onnx", estimator))
        _beside(row, estimator, X, rows)
    return row


def packed_file(path: Path) -> Any:
    """Read the model file."""
    from flyweight.models import file

    return file.read(str(path))


def _exported(model: Path, form: str, path: Path, row: Row) -> str:
    """Export to a form; "" or the reason why not."""
    try:
        made = export(model, form, path, tolerance=None if find(form).precise else LITERT_TOLERANCE, rows=MADE)
    except ToolkitError as error:
        return str(error)
    if form == "onnx":
        differing = sorted(output for output, own in made.proof.outputs.items() if own.differing)
        row.exact, row.differing = not differing, differing if "trees.sum" in row.ops else []
    return ""


def _rows(planned: Planned, X: Any) -> list[list[Any]]:
    """Return rows of float32 numbers, which graphs in float32 take as they are: those of the table, and some that are made."""
    own = X.to_numpy(dtype=object).tolist() if isinstance(X, pd.DataFrame) else np.asarray(X).tolist()
    rows = [*own[:150], *rows_of(planned, MADE)[1]]
    rows = [[float(np.float32(v)) if isinstance(v, float) else v for v in row] for row in rows]
    return [row for row in rows if _is_settled(planned, row)]


def _is_settled(planned: Planned, row: list[Any]) -> bool:
    """Tell whether the estimator's answer is a function of the row: rounding may choose among equally near training rows."""
    try:
        return math.isfinite(scale_of(planned.plan, planned.engine.values(row)))
    except InvalidInput:
        return True


Answers = Any  # a function from rows to (labels or None, numbers or None), each as an array


def _of_export(planned: Planned, path: Path, estimator: Any) -> Answers:
    from flyweight.toolkit.exporting.onnx import running

    asked = {"kinds": planned.kinds[0], "features": [feature.name for feature in planned.signature.features]}
    _, outputs, answer = running.opened(str(path), asked)
    order = ("probabilities", "scores") if "index" in outputs else ("values", "transformed")
    main = next((name for name in order if name in outputs), "values")

    def answers(rows: list[list[Any]]) -> Any:
        found = answered(answer, rows)
        kept = [own for own in found if own is not None]
        labels = np.array([own["index"][0]["label"] for own in kept]) if "index" in outputs else None
        numbers = np.array([own[main] for own in kept]) if main in outputs else None
        return [own is not None for own in found], labels, numbers

    return answers


def _truth(estimator: Any, rows: Any) -> tuple[Any, Any]:
    """Return the estimator's own labels and numbers."""
    labels = estimator.predict(rows) if hasattr(estimator, "classes_") and hasattr(estimator, "predict") else None
    names = ("predict_proba", "decision_function") if labels is not None else ("predict", "transform")
    method = next((getattr(estimator, name) for name in names if hasattr(estimator, name)), None)
    numbers = None if method is None else method(rows)
    return labels, np.asarray(numbers.toarray() if hasattr(numbers, "toarray") else numbers) if method else None


def _frame(X: Any, rows: list[list[Any]]) -> Any:
    return pd.DataFrame(rows, columns=X.columns).astype(X.dtypes) if isinstance(X, pd.DataFrame) else np.array(rows, dtype=float)


def _compare(row: Row, who: str, estimator: Any, X: Any, rows: list[list[Any]], answers: Answers) -> None:
    """Note the largest difference of answers from the estimator's, over the rows that both take."""
    taken, labels, numbers = answers(rows)
    kept = []
    for own, is_taken in zip(rows, taken, strict=True):
        if is_taken:
            kept.append(own)
    expected_labels, expected = _truth(estimator, _frame(X, kept))
    if labels is not None and expected_labels is not None and np.ndim(expected_labels) == 1:
        row.labels[who] = int((np.asarray(labels).astype(str) != np.asarray(expected_labels).astype(str)).sum())
    if numbers is not None and expected is not None and expected.dtype.kind in "fiub":
        ours, theirs = np.asarray(numbers, dtype=float).reshape(len(kept), -1), expected.astype(float).reshape(len(kept), -1)
        if ours.shape[1] == 2 and theirs.shape[1] == 1:
            ours = ours[:, 1:]
        if ours.shape == theirs.shape:
            same = (ours == theirs) | ((ours != ours) & (theirs != theirs))
            with np.errstate(invalid="ignore"):
                row.largest[who] = float(np.where(same, 0.0, np.abs(ours - theirs)).max(initial=0.0))


def _beside(row: Row, estimator: Any, X: Any, rows: list[list[Any]]) -> None:
    """Convert by skl2onnx, in float32 and in float64, and note the better graph's differences."""
    best: Row | None = None
    for dtype in (np.float32, np.float64):
        trial = Row(row.name)
        try:
            _compare(trial, "skl2onnx", estimator, X, rows, _of_skl2onnx(estimator, X, dtype))
        except Exception as error:
            row.skl2onnx = row.skl2onnx or type(error).__name__
            continue
        key = (trial.labels.get("skl2onnx", 0), trial.largest.get("skl2onnx", np.inf))
        if best is None or key < (best.labels.get("skl2onnx", 0), best.largest.get("skl2onnx", np.inf)):
            best = trial
    if best is not None:
        row.skl2onnx = ""
        row.labels |= best.labels
        row.largest |= best.largest


def _of_skl2onnx(estimator: Any, X: Any, dtype: Any) -> Answers:
    import onnxruntime
    from skl2onnx import to_onnx

    onnxruntime.set_default_logger_severity(4)
    classifies = hasattr(estimator, "classes_") and hasattr(estimator, "predict")
    first = X[:1].astype(dtype) if not isinstance(X, pd.DataFrame) else _narrow(X[:1], dtype)
    graph = to_onnx(estimator, first, options={"zipmap": False} if classifies else None)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])

    def answers(rows: list[list[Any]]) -> Any:
        if isinstance(X, pd.DataFrame):
            frame = _narrow(_frame(X, rows), dtype)
            fed = {name: frame[[name]].to_numpy(dtype=object if frame[name].dtype == object else dtype) for name in frame}
        else:
            fed = {session.get_inputs()[0].name: np.array(rows, dtype=dtype)}
        given = session.run(None, fed)
        labels = given[0] if classifies else None
        numbers = (given[1] if len(given) > 1 else None) if classifies else given[0]
        return [True] * len(rows), labels, numbers

    return answers


def _narrow(frame: Any, dtype: Any) -> Any:
    return frame.astype({name: dtype for name in frame if frame[name].dtype.kind in "fiu"}).astype(
        {name: object for name in frame if frame[name].dtype.kind not in "fiu"}
    )


def page(rows: list[Row]) -> str:
    """Write the table and its summary."""
    ours = [row for row in rows if not row.forms["onnx"]]
    both = [row for row in ours if not row.skl2onnx and row.largest.keys() >= {"onnx", "skl2onnx"}]
    worse = [row.name for row in both if row.largest["onnx"] > max(row.largest["skl2onnx"], ROUNDING)]
    alone = [row.name for row in rows if row.forms["onnx"] and not row.skl2onnx]
    trees = [row for row in ours if "trees.sum" in row.ops]
    counts = {form: sum(not row.forms[form] for row in rows) for form in forms()}
    summary = {
        f"exported to ONNX / C / LiteRT (`--tolerance {LITERT_TOLERANCE:g}`)": [counts["onnx"], counts["c"], counts["litert"]],
        "converted by skl2onnx, with any differences": [sum(not row.skl2onnx for row in rows)],
        "with trees: exported to ONNX / every output exact": [len(trees), sum(row.exact for row in trees)],
        "with trees: the outputs of the others that differ": [
            f"{row.name} ({', '.join(row.differing)})" for row in trees if not row.exact
        ],
        f"larger differences than skl2onnx's, beyond {ROUNDING:g}, below which the order of additions decides": worse,
        "converted by skl2onnx alone": alone,
    }
    lines = [f"| {what} | {_listed(found)} |" for what, found in summary.items()]
    return "\n".join([HEAD.format(count=len(rows)), *lines, "", TABLE, *map(_line, rows), ""])


def _listed(found: Sequence[Any]) -> str:
    """Join counts by strokes and names by commas."""
    return (" / " if found and isinstance(found[0], int) else ", ").join(map(str, found)) or "none"


def _line(row: Row) -> str:
    cells = [row.name]
    for who, reason in (("onnx", row.forms["onnx"]), ("skl2onnx", row.skl2onnx)):
        labels, largest = row.labels.get(who), row.largest.get(who)
        said = ("exact" if row.exact else "yes") if who == "onnx" else "yes"
        cells += [
            said if not reason else _short(reason),
            *(("" if reason or v is None else f"{v:.2g}") for v in (labels, largest)),
        ]
    cells += ["yes" if not row.forms[form] else _short(row.forms[form]) for form in ("c", "litert")]
    return f"| {' | '.join(cells)} |"


def _short(reason: str) -> str:
    """Shorten a reason: the op that a form does not have, or that answers differ."""
    if reason.startswith("the op "):
        return f"no: {reason.removeprefix('the op ').partition(':')[0]}"
    return "no: answers differ" if "otherwise" in reason else reason.partition(":")[0].replace("|", "/")[:40]


if __name__ == "__main__":
    main()
