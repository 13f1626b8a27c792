"""Prove that engines answer as the estimator does, row by row.

An output that depends on exact ops alone has to be equal, bit for bit. Other scores and values agree within 1e-12 of the scale of
the summed terms; probabilities within 1e-12, times that scale where it is above 1. A label may differ only where the estimator's
own margin lies inside that rounding; such rows are counted and shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from flyweight.engines.plan import Plan
from flyweight.engines.pure import Engine as PlanEngine
from flyweight.errors import InvalidInput
from flyweight.models.signature import Signature
from flyweight.toolkit.packing import magnitudes
from flyweight.toolkit.packing.oracle import Array, Oracle
from flyweight.toolkit.packing.sample import Row

if TYPE_CHECKING:
    from flyweight.engines import Engine

BOUND = 1e-12
CHUNK = 500  # rows at a time
MAX_FAILURES = 20  # kept in a report


@dataclass
class Parity:
    """The report of a comparison: the rows, the bound of each output, and the largest absolute difference of each."""

    rows_sample: int = 0
    rows_edge: int = 0
    bounds: dict[str, str] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    label_differences: int = 0
    ties: list[Row] = field(default_factory=list)  # rows whose labels differ inside the estimator's own rounding
    refused_alike: int = 0  # rows that the estimator and the engine refuse
    tolerance: float | None = None
    failures: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every answer was inside its bound."""
        return not self.failures

    def document(self) -> dict[str, Any]:
        """Return the report as a model file holds it."""
        report = {key: value for key, value in asdict(self).items() if key not in ("failures", "ties")}
        return {**report, "ties": len(self.ties)}

    def fail(self, row: Row, reason: str) -> None:
        """Note an answer outside its bound, up to MAX_FAILURES of them."""
        if len(self.failures) < MAX_FAILURES:
            self.failures.append(f"{reason}; row {row[:12]}")


def prove(
    engines: Mapping[str, Engine],
    oracle: Oracle,
    signature: Signature,
    sample: list[Row],
    edges: list[Row],
    refused: list[Row],
    tolerance: float | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> dict[str, Parity]:
    """Compare each engine with the estimator.

    Engines that run a plan run the same one: its ops say which outputs are exact, and give the scale of the others. Without a
    plan the scale is the size of the estimator's answer.

    :param engines: the engines by name.
    :param oracle: the estimator.
    :param sample: rows of the training sample.
    :param edges: rows made to find differences.
    :param refused: rows that the estimator should refuse.
    :param tolerance: a bound for all outputs, relative to the scale; None for the bounds of the plan's ops.
    :param progress: called with the number of rows after each chunk.
    :returns: a report an engine, by name.
    """
    judge = _Judge(engines, oracle, signature, tolerance)
    for parity in judge.reports.values():
        parity.rows_sample, parity.rows_edge = len(sample), len(edges)
    rows = sample + edges
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        judge.compare(chunk)
        progress(len(chunk))
        if all(len(parity.failures) == MAX_FAILURES for parity in judge.reports.values()):
            break
    for row in refused:
        judge.compare([row])
    return judge.reports


def bounds_of(plan: Plan) -> dict[str, float]:
    """Return the allowed difference of each output, relative to the scale: 0 where it depends on exact ops alone.

    Ops that compute in single precision have a bound of their own, `precision`.
    """
    bounds = [0.0]
    for op, reads in zip(plan.ops, plan.reads, strict=True):
        own = 0.0 if op.exact else max(BOUND, getattr(op, "precision", 0.0))
        bounds.append(max(own, *[bounds[slot] for slot in reads]))
    return {output: bounds[slot] for output, slot in plan.slots.items()}


class _Judge:
    """A comparison of engines with one oracle; `reports` has a report an engine."""

    def __init__(self, engines: Mapping[str, Engine], oracle: Oracle, signature: Signature, tolerance: float | None) -> None:
        self.engines, self.oracle, self.classes = engines, oracle, signature.classes
        self.rows_engine = next((e for e in engines.values() if type(e) is PlanEngine), None)
        self.names = tuple(name for name in next(iter(engines.values())).widths if oracle.covers(name))
        of_plan = bounds_of(self.rows_engine.plan) if self.rows_engine and tolerance is None else {}
        self.bounds = {output: of_plan.get(output, tolerance or BOUND) for output in self.names}
        bounds = {output: f"{bound:.2g} of scale" if bound else "equal" for output, bound in self.bounds.items()}
        self.reports = {name: Parity(bounds=dict(bounds), tolerance=tolerance) for name in engines}

    def compare(self, rows: list[Row]) -> None:
        """Compare the answers of the oracle and of every engine; rows that the oracle refuses, every engine has to refuse."""
        try:
            truth = self.oracle.answers(rows)
        except Exception:
            if len(rows) > 1:
                for row in rows:
                    self.compare([row])
                return
            for name, engine in self.engines.items():
                self._refuse_alike(engine, rows[0], self.reports[name])
            return
        scales = [1.0] * len(rows) if self.rows_engine else _sizes(truth, len(rows))
        for name, engine in self.engines.items():
            if engine is self.rows_engine:
                self._compare_by_row(engine, rows, truth, scales)
            else:
                self._compare_at_once(engine, rows, truth, scales, self.reports[name])

    def _compare_by_row(self, engine: PlanEngine, rows: list[Row], truth: dict[str, Array], scales: list[float]) -> None:
        """Compare the engine that computes every value of the plan; these give the scale of each row, for the others too."""
        parity = next(report for name, report in self.reports.items() if self.engines[name] is engine)
        for number, row in enumerate(rows):
            try:
                values = engine.values(row)
            except InvalidInput as error:
                parity.fail(row, f"the engine refused it ({error}), the estimator answers")
                continue
            scales[number] = _scale(engine.plan, values)
            ours = {output: values[slot] for output, slot in engine.plan.slots.items()}
            self._compare_row(row, ours, {key: answer[number] for key, answer in truth.items()}, scales[number], parity)

    def _compare_at_once(
        self, engine: Engine, rows: list[Row], truth: dict[str, Array], scales: list[float], parity: Parity
    ) -> None:
        try:
            answers = engine.outputs(rows, self.names)
        except InvalidInput as error:
            parity.fail(rows[error.faults[0].instance or 0], f"the engine refused it ({error}), the estimator answers")
            return
        for number, row in enumerate(rows):
            ours = {output: values[number] for output, values in zip(self.names, answers, strict=True)}
            self._compare_row(row, ours, {key: answer[number] for key, answer in truth.items()}, scales[number], parity)

    def _compare_row(self, row: Row, ours: dict[str, list[Any]], truth: dict[str, Array], scale: float, parity: Parity) -> None:
        for output, values in ours.items():
            if output == "index":
                continue
            limit = self.bounds[output] * scale
            apart = _largest_difference(values, truth["predictions" if output == "values" else output])
            parity.largest[output] = max(parity.largest.get(output, 0.0), apart)
            if not apart <= limit:
                parity.fail(row, f"{output} differ by {apart:g}, the bound is {limit:g}")
        if "index" in ours:
            self._compare_labels(row, ours["index"], truth, max(BOUND, self.bounds["index"]) * scale, parity)

    def _compare_labels(self, row: Row, index: list[int], truth: dict[str, Array], bound: float, parity: Parity) -> None:
        assert self.classes is not None
        labels = [classes[int(position)] for classes, position in zip(self.classes, index, strict=True)]
        expected = truth["predictions"].tolist()
        if labels == expected:
            return
        if len(labels) == 1 and _margin(truth, len(self.classes[0])) <= 2 * bound:
            parity.ties.append(row)
            return
        parity.label_differences += 1
        parity.fail(row, f"label {labels}, the estimator says {expected}")

    def _refuse_alike(self, engine: Engine, row: Row, parity: Parity) -> None:
        try:
            engine.outputs([row], self.names)
        except InvalidInput:
            parity.refused_alike += 1
        else:
            parity.fail(row, "the estimator refused it, the engine answers")


def _margin(truth: dict[str, Array], classes: int) -> float:
    """Return the estimator's distance from another label: the score of two classes, or the lead of the best over the second.

    It is infinite where the estimator gives neither scores nor probabilities: then no other label is accepted.
    """
    scores = truth.get("scores", truth.get("probabilities"))
    if scores is None:
        return float("inf")
    if len(scores) == 1 and classes == 2:
        return abs(float(scores[0]))
    second, best = np.sort(np.asarray(scores, dtype=float))[-2:]
    return float(best - second)


def _scale(plan: Plan, values: list[Any]) -> float:
    """Return the largest sum of absolute terms anywhere in the plan, at least 1."""
    scale = 1.0
    for op, name, reads in zip(plan.ops, plan.names, plan.reads, strict=True):
        magnitude = None if op.exact else magnitudes.find(name)
        if magnitude is not None:
            scale = max([scale, *magnitude(op, *[values[slot] for slot in reads])])
    return scale


def _sizes(truth: dict[str, Array], rows: int) -> list[float]:
    """Return the scale of each row where no plan gives the summed terms: the answer's own size, at least 1."""
    sizes = np.ones(rows)
    for answer in truth.values():
        if answer.dtype.kind in "fiu":
            finite = np.abs(np.where(np.isfinite(answer.astype(float)), answer, 0.0))
            sizes = np.maximum(sizes, finite.max(axis=1, initial=1.0))
    return [float(size) for size in sizes]


def _largest_difference(ours: list[Any], theirs: Array) -> float:
    """Return the largest absolute difference; infinite where the lengths or texts differ."""
    if len(ours) != len(theirs):
        return float("inf")
    if theirs.dtype.kind not in "fiub":
        same = all(a == b or (_missing(a) and _missing(b)) for a, b in zip(ours, theirs.tolist(), strict=True))
        return 0.0 if same else float("inf")
    apart = 0.0
    for mine, other in zip(ours, theirs.astype(float).tolist(), strict=True):
        if mine != other and not (_missing(mine) and _missing(other)):
            difference = abs(mine - other)
            apart = max(apart, difference if difference == difference else float("inf"))
    return apart


def _missing(value: Any) -> bool:
    return value is None or value != value
