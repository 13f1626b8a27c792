"""Prove that engines answer as the estimator does, row by row.

An output that depends on exact ops alone has to be equal, bit for bit. Other scores and values agree within 1e-12 of the scale of
the summed terms; probabilities within 1e-12, times that scale where it is above 1. A label may differ only where the estimator's
own margin lies inside that rounding; such rows are counted and shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from flyweight.engines.plan import Plan
from flyweight.engines.pure import Engine as PlanEngine
from flyweight.errors import InvalidInput
from flyweight.models.signature import Signature
from flyweight.toolkit.packing import magnitudes
from flyweight.toolkit.packing.guard import STOPS, failure, first_raising, guarded, own_step_of, shown
from flyweight.toolkit.packing.oracle import Array, Oracle
from flyweight.toolkit.packing.sample import Row

if TYPE_CHECKING:
    from flyweight.engines import Engine
    from flyweight.toolkit.packing.source_model import Rows

    _PlanAnswer = tuple[dict[str, list[Any]], float]  # the outputs of a plan for one row, and the row's scale

BOUND = 1e-12
CHUNK = 2000  # rows at a time, at most
CHUNK_SECONDS = 5.0  # of edge rows at a time, so that progress is seen
LEAST_EDGES = 200  # edge rows that are compared however long they take
MAX_FAILURES = 20  # kept in a report


@dataclass
class Parity:
    """The report of a comparison: the rows, the bound of each output, and the largest absolute difference of each."""

    rows_sample: int = 0
    rows_edge: int = 0
    rows_made: int = 0  # edge rows that were there to compare; more than `rows_edge` if the time was up
    bounds: dict[str, str] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    label_differences: int = 0
    ties: list[Row] = field(default_factory=list)  # rows whose answers differ where the estimator's own rounding decides
    refused_alike: int = 0  # rows that the estimator and the engine refuse
    refused_by_step: int = 0  # edge rows that a step of the user's own refuses, and the estimator answers
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
            self.failures.append(f"{reason}; row {shown(row)}")


def prove(
    engines: Mapping[str, Engine],
    oracle: Oracle,
    signature: Signature,
    rows: Rows,
    tolerance: float | None = None,
    progress: Callable[[int], None] = lambda rows: None,
    budget: float = math.inf,
) -> dict[str, Parity]:
    """Compare each engine with the estimator.

    Engines that run a plan run the same one: its ops say which outputs are exact, and give the scale of the others. Without a
    plan the scale is the size of the estimator's answer.

    :param engines: the engines by name.
    :param oracle: the estimator.
    :param rows: rows of the sample, rows made to find differences, and rows that the estimator should refuse.
    :param tolerance: a bound for all outputs, relative to the scale; None for the bounds of the plan's ops.
    :param progress: called with the number of rows after each chunk.
    :param budget: the seconds after which no more edge rows are compared, if `LEAST_EDGES` of them are.
    :returns: a report an engine, by name.
    :raises CodeFailed: an engine raises an error instead of refusing a row.
    """
    judge = _Judge(engines, oracle, signature, tolerance)
    reports = judge.reports.values()
    sample = [rows.sample[start : start + CHUNK] for start in range(0, len(rows.sample), CHUNK)]
    edges = 0
    for part, is_sample in chain(((part, True) for part in sample), ((part, False) for part in _in_time(rows.edges, budget))):
        if all(len(parity.failures) == MAX_FAILURES for parity in reports):
            break
        judge.compare(part, is_sample)
        progress(len(part))
        edges += 0 if is_sample else len(part)
    judge.compare(rows.refused)
    for parity in reports:
        parity.rows_sample, parity.rows_edge, parity.rows_made = len(rows.sample), edges, len(rows.edges)
    return judge.reports


def _in_time(rows: list[Row], budget: float) -> Iterator[list[Row]]:
    """Yield rows in chunks while there is time; `LEAST_EDGES` rows are yielded in any case.

    A chunk is as large as the time that is left is expected to allow.
    """
    began, start, size = perf_counter(), 0, LEAST_EDGES
    while start < len(rows) and size > 0:
        yield rows[start : start + size]
        start += size
        seconds = perf_counter() - began
        left = min(budget - seconds, CHUNK_SECONDS) * start / seconds if seconds > 0 else math.inf
        size = int(min(CHUNK, max(0.0, left)))


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

    def compare(self, rows: list[Row], is_sample: bool = False) -> None:
        """Compare the answers of the oracle and of every engine; rows that the oracle refuses, every engine has to refuse.

        :param is_sample: whether the rows are the user's own; a step of the user's own may refuse other rows.
        """
        own = {id(row): self._ask_plan(row) for row in rows} if self.rows_engine else {}
        batches, refused = self.oracle.sort(rows, {key for key, answer in own.items() if isinstance(answer, InvalidInput)})
        for row in refused:
            for name, engine in self.engines.items():
                self._refuse_alike(engine, row, own.get(id(row)) if engine is self.rows_engine else None, self.reports[name])
        for batch, truth in batches:
            taken = [n for n, row in enumerate(batch) if is_sample or not self._is_refused_by_step(row, own.get(id(row)))]
            kept, answers = [batch[n] for n in taken], {key: answer[taken] for key, answer in truth.items()}
            if kept:
                self._compare_batch(kept, answers, own)

    def _ask_plan(self, row: Row) -> _PlanAnswer | InvalidInput:
        """Run the engine that computes every value of the plan; these give the scale of the row, for other engines too."""
        assert self.rows_engine is not None
        plan = self.rows_engine.plan
        try:
            values = self.rows_engine.values(row)
        except InvalidInput as error:
            return error
        except STOPS:
            raise
        except BaseException as error:
            raise failure("the plan does not run", error, row=row) from error
        return {output: values[slot] for output, slot in plan.slots.items()}, scale_of(plan, values)

    def _is_refused_by_step(self, row: Row, answer: _PlanAnswer | InvalidInput | None) -> bool:
        """Check whether a step of the user's own refuses a row, and count it; every engine of the plan has to refuse it alike."""
        if not isinstance(answer, InvalidInput) or not own_step_of(answer):
            return False
        for name, engine in self.engines.items():
            parity = self.reports[name]
            parity.refused_by_step += 1
            if engine is not self.rows_engine and not self._refuses(engine, row):
                parity.fail(row, f"your step {own_step_of(answer)!r} refused it, the engine answers")
        return True

    def _compare_batch(self, rows: list[Row], truth: dict[str, Array], own: dict[int, _PlanAnswer | InvalidInput]) -> None:
        """Compare the answers of every engine to rows that the oracle answers."""
        scales = [1.0] * len(rows) if self.rows_engine else _sizes(truth, len(rows))
        for name, engine in self.engines.items():
            parity = self.reports[name]
            if engine is not self.rows_engine:
                self._compare_at_once(engine, rows, truth, scales, parity)
                continue
            for number, row in enumerate(rows):
                answer = own[id(row)]
                if isinstance(answer, InvalidInput):
                    step = own_step_of(answer)
                    who = f"your step {step!r} refused a row of the sample" if step else "the engine refused it"
                    parity.fail(row, f"{who} ({answer}), the estimator answers")
                    continue
                ours, scales[number] = answer
                self._compare_row(row, ours, {key: values[number] for key, values in truth.items()}, scales[number], parity)

    def _compare_at_once(
        self, engine: Engine, rows: list[Row], truth: dict[str, Array], scales: list[float], parity: Parity
    ) -> None:
        try:
            answers = engine.outputs(rows, self.names)
        except InvalidInput as error:
            parity.fail(rows[error.faults[0].instance or 0], f"the engine refused it ({error}), the estimator answers")
            return
        except STOPS:
            raise
        except BaseException as error:
            row = first_raising(rows, lambda part: engine.outputs([*part], self.names))
            raise failure("the engine does not run", error, row=row) from error
        for number, row in enumerate(rows):
            ours = {output: values[number] for output, values in zip(self.names, answers, strict=True)}
            self._compare_row(row, ours, {key: answer[number] for key, answer in truth.items()}, scales[number], parity)

    def _compare_row(self, row: Row, ours: dict[str, list[Any]], truth: dict[str, Array], scale: float, parity: Parity) -> None:
        if scale == float("inf"):  # rounding decides the estimator's answer: it is another one on another machine
            self._count_tie(row, ours, truth, parity)
            return
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

    def _count_tie(self, row: Row, ours: dict[str, list[Any]], truth: dict[str, Array], parity: Parity) -> None:
        """Count a row whose answer is not a function of the row, if the answers differ."""
        numbers = {output: values for output, values in ours.items() if output != "index"}
        pairs = [(values, truth["predictions" if output == "values" else output]) for output, values in numbers.items()]
        differ = any(not _largest_difference(values, expected) <= BOUND * _size(expected) for values, expected in pairs)
        if "index" in ours and self.classes is not None:
            labels = [classes[int(position)] for classes, position in zip(self.classes, ours["index"], strict=True)]
            differ = differ or labels != truth["predictions"].tolist()
        if differ:
            parity.ties.append(row)

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

    def _refuse_alike(self, engine: Engine, row: Row, answer: _PlanAnswer | InvalidInput | None, parity: Parity) -> None:
        """Check that an engine refuses a row.

        :param answer: what the engine gave for it, if that is known.
        """
        refuses = isinstance(answer, InvalidInput) if answer is not None else self._refuses(engine, row)
        if refuses:
            parity.refused_alike += 1
        else:
            parity.fail(row, "the estimator refused it, the engine answers")

    def _refuses(self, engine: Engine, row: Row) -> bool:
        """Ask an engine for one row.

        :raises CodeFailed: it raises an error instead of refusing the row.
        """
        with guarded("the engine does not run", row=row):
            try:
                engine.outputs([row], self.names)
            except InvalidInput:
                return True
        return False


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


def scale_of(plan: Plan, values: list[Any]) -> float:
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


def _size(answer: Array) -> float:
    """Return the size of the largest finite number, at least 1."""
    return max([1.0, *(abs(v) for v in answer.tolist() if isinstance(v, float) and abs(v) < float("inf"))])


def _missing(value: Any) -> bool:
    return value is None or value != value
