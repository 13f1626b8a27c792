"""The proof that an engine answers as the estimator does, row by row.

Bounds: an output that only exact ops lead to has to be equal, bit for bit. Elsewhere scores and values agree within 1e-12 of
the scale of the terms that were summed, and probabilities within 1e-12, or that same scale where it is above 1. A label may
differ only where the estimator's own margin lies inside that rounding; such rows are counted and shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from flyweight.engines.pure import Engine
from flyweight.errors import InvalidInput
from flyweight.signature import Signature
from flyweight.toolkit.oracle import Array, Oracle
from flyweight.toolkit.sample import Row

BOUND = 1e-12
CHUNK = 500


@dataclass
class Parity:
    """What was compared, and how far apart it was; `largest` per output is absolute."""

    rows_sample: int = 0
    rows_edge: int = 0
    bounds: dict[str, str] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    label_differences: int = 0
    ties: list[Row] = field(default_factory=list)  # labels that differ inside the estimator's own rounding
    refused_alike: int = 0
    tolerance: float | None = None
    failures: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was outside its bound."""
        return not self.failures

    def document(self) -> dict[str, Any]:
        """The report as a model file keeps it."""
        report = {key: value for key, value in asdict(self).items() if key not in ("failures", "ties")}
        return {**report, "ties": len(self.ties)}


def prove(
    engine: Engine,
    oracle: Oracle,
    signature: Signature,
    sample: list[Row],
    edges: list[Row],
    refused: list[Row],
    tolerance: float | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Parity:
    """Compare engine and estimator over the sample's rows and the edge rows, and over rows that both should refuse."""
    parity = Parity(len(sample), len(edges), tolerance=tolerance)
    exact = exact_outputs(engine)
    parity.bounds = {output: "equal" if output in exact else f"{tolerance or BOUND:g} of scale" for output in engine.slots}
    rows = sample + edges
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        _compare(engine, oracle, signature, chunk, exact, parity)
        progress(len(chunk))
    for row in refused:
        _compare(engine, oracle, signature, [row], exact, parity)
    return parity


def exact_outputs(engine: Engine) -> set[str]:
    """The outputs to which only exact ops lead."""
    sound = [True]
    for op, reads in zip(engine.ops, engine.reads, strict=True):
        sound.append(op.exact and all(sound[slot] for slot in reads))
    return {output for output, slot in engine.slots.items() if sound[slot]}


def _compare(engine: Engine, oracle: Oracle, signature: Signature, rows: list[Row], exact: set[str], parity: Parity) -> None:
    try:
        answers = oracle.answers(rows)
    except Exception:
        if len(rows) > 1:  # find the rows that the estimator does not take: the engine has to refuse the same ones
            for row in rows:
                _compare(engine, oracle, signature, [row], exact, parity)
            return
        _refuse_alike(engine, rows[0], parity)
        return
    for number, row in enumerate(rows):
        try:
            values = engine.values(row)
        except InvalidInput as error:
            _fail(parity, row, f"the engine refused it ({error}), the estimator answers")
            continue
        _compare_row(engine, signature, row, values, {name: answer[number] for name, answer in answers.items()}, exact, parity)


def _refuse_alike(engine: Engine, row: Row, parity: Parity) -> None:
    try:
        engine.values(row)
    except InvalidInput:
        parity.refused_alike += 1
    else:
        _fail(parity, row, "the estimator refused it, the engine answers")


def _compare_row(
    engine: Engine, signature: Signature, row: Row, values: list[Any], truth: dict[str, Array], exact: set[str], parity: Parity
) -> None:
    scale = _scale(engine, values)
    bound = (parity.tolerance or BOUND) * scale
    for output, slot in engine.slots.items():
        if output == "index":
            continue
        expected = truth["predictions" if output == "values" else output]
        limit = 0.0 if output in exact and parity.tolerance is None else bound
        apart = _largest_difference(values[slot], expected)
        parity.largest[output] = max(parity.largest.get(output, 0.0), apart)
        if not apart <= limit:
            _fail(parity, row, f"{output} differ by {apart:g}, the bound is {limit:g}")
    if signature.classes is not None:
        _compare_labels(engine, signature, row, values, truth, bound, parity)


def _compare_labels(
    engine: Engine, signature: Signature, row: Row, values: list[Any], truth: dict[str, Array], bound: float, parity: Parity
) -> None:
    assert signature.classes is not None
    index = values[engine.slots["index"]]
    labels = [classes[int(position)] for classes, position in zip(signature.classes, index, strict=True)]
    expected = truth["predictions"].tolist()
    if labels == expected:
        return
    if len(labels) == 1 and _margin(truth, len(signature.classes[0])) <= 2 * bound:
        parity.ties.append(row)
        return
    parity.label_differences += 1
    _fail(parity, row, f"label {labels}, the estimator says {expected}")


def _margin(truth: dict[str, Array], classes: int) -> float:
    """How far the estimator was from another label: the score of two classes, or the lead of the best over the second.

    Infinitely far where it gives neither scores nor probabilities: then nothing excuses another label.
    """
    scores = truth.get("scores", truth.get("probabilities"))
    if scores is None:
        return float("inf")
    if len(scores) == 1 and classes == 2:
        return abs(float(scores[0]))
    second, best = np.sort(np.asarray(scores, dtype=float))[-2:]
    return float(best - second)


def _scale(engine: Engine, values: list[Any]) -> float:
    """The largest sum of absolute terms anywhere in the plan, at least 1."""
    scale = 1.0
    for op, reads in zip(engine.ops, engine.reads, strict=True):
        magnitude = None if op.exact else getattr(op, "magnitude", None)
        if magnitude is not None:
            scale = max(scale, *magnitude(*[values[slot] for slot in reads]))
    return scale


def _largest_difference(ours: list[Any], theirs: Array) -> float:
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


def _fail(parity: Parity, row: Row, reason: str) -> None:
    if len(parity.failures) < 20:
        parity.failures.append(f"{reason}; row {row[:12]}")
