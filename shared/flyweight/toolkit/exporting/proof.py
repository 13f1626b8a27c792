"""Compare an export with the model: the answers of its runtime, in a process of its own, with those of the plan.

An output that depends on exact ops and on trees alone has to be equal, bit for bit. Others agree within 1e-12 of the scale of the
summed terms, as in `packing/parity.py`. Labels are equal, but for rows whose margin lies inside that rounding, which are counted.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flyweight.errors import InvalidInput
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.exporting.planned import Planned
from flyweight.toolkit.packing.parity import BOUND, scale_of

Row = list[Any]
MAX_REFUSED = 100  # rows that the model refuses, and the export is asked for
MAX_FAULTS = 5


@dataclass
class Difference:
    """One output's comparison: rows, those not equal bit for bit, the largest difference, and the bound relative to the scale."""

    bound: float
    rows: int = 0
    differing: int = 0
    largest: float = 0.0
    beyond: int = 0  # rows outside the bound
    first: str = ""  # the first of these


@dataclass
class Proof:
    """The report of a comparison, by output; for labels `differing` counts rows, of which `ties` lie inside the rounding."""

    runtime: str
    rows_sample: int
    rows_made: int
    outputs: dict[str, Difference]
    tolerance: float | None = None
    ties: int = 0
    refused_alike: int = 0
    answered: int = 0  # rows that the model refuses and the export answers
    others: list[str] = field(default_factory=list)  # what else does not hold

    @property
    def faults(self) -> list[str]:
        """What does not hold: for each output the rows outside its bound, and the first of them."""
        beyond = [
            f"{name} in {own.beyond} of {own.rows} rows" + (f", by up to {own.largest:.2g}" if own.largest else "") + own.first
            for name, own in self.outputs.items()
            if own.beyond
        ]
        return [*beyond, *self.others]

    @property
    def holds(self) -> bool:
        """Whether every answer was inside its bound."""
        return not self.faults

    def document(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        own = ("rows", "differing", "largest", "bound")
        outputs = {name: {key: getattr(found, key) for key in own} for name, found in self.outputs.items()}
        return {**{key: value for key, value in asdict(self).items() if key != "others"}, "outputs": outputs}

    def fault(self, reason: str) -> None:
        """Note what does not hold and is about no output."""
        if len(self.others) < MAX_FAULTS:
            self.others.append(reason)

    def next_step(self, precise: bool) -> str:
        """Say what to do where the proof does not hold."""
        worst = max([1e-12, *[own.largest for own in self.outputs.values() if math.isfinite(own.largest)]])
        accepted = 10.0 ** math.ceil(math.log10(worst))
        why = "" if precise else "the form computes in float32; "
        return (
            f"{why}accept such differences, if they are small enough for you, by --tolerance {accepted:g}, or take another form"
        )


def compare(planned: Planned, form: str, path: Path, rows: tuple[list[Row], list[Row]], tolerance: float | None = None) -> Proof:
    """Ask the plan and the export for the same rows and compare the answers.

    :param form: the name of the form, whose module `running` answers rows.
    :param path: the exported file.
    :param rows: rows of the sample, and rows that were made.
    :param tolerance: a bound for all outputs, relative to the scale; None for the bounds of the plan's ops.
    :raises RuntimeFailed: the runtime ends with an error.
    """
    taken: list[tuple[Row, dict[str, Any], float]] = []
    refused = []
    for row in [*rows[0], *rows[1]]:
        try:
            values = planned.engine.values(row)
        except InvalidInput:
            refused.append(row)
            continue
        taken.append((row, {name: values[slot] for name, slot in planned.outputs.items()}, scale_of(planned.plan, values)))
    refused = refused[:MAX_REFUSED]
    given = _run(form, path, [*[row for row, _, _ in taken], *refused], planned)
    bounds = {name: max(bound, tolerance or 0.0) for name, bound in _bounds(planned).items()}
    outputs = {name: Difference(bound) for name, bound in bounds.items() if name in given["outputs"]}
    proof = Proof(given["runtime"], len(rows[0]), len(rows[1]), outputs, tolerance)
    for (row, expected, scale), answers in zip(taken, given["answers"], strict=False):
        if answers is None:
            proof.fault(f"it refuses a row that the model answers: {_shown(row)}")
        elif math.isfinite(scale):
            _compare_row(planned, proof, row, expected, scale, answers)
    for name in planned.outputs.keys() - outputs.keys():
        proof.fault(f"it does not give {name}")
    for row, answers in zip(refused, given["answers"][len(taken) :], strict=True):
        proof.refused_alike += answers is None
        proof.answered += answers is not None
        if answers is not None and tolerance is None:
            proof.fault(f"it answers a row that the model refuses: {_shown(row)}")
    return proof


def _bounds(planned: Planned) -> dict[str, float]:
    """Return the allowed difference of each output, relative to the scale; 0 where it depends on exact ops and trees alone."""
    bounds = {0: 0.0}
    for step in planned.steps:
        own = 0.0 if step.op.exact or step.node.has("leaves") else max(BOUND, getattr(step.op, "precision", 0.0))
        bounds[step.slot] = max(own, *[bounds[slot] for slot in step.reads])
    return {name: bounds[slot] for name, slot in planned.outputs.items()}


def _compare_row(
    planned: Planned, proof: Proof, row: Row, expected: dict[str, Any], scale: float, answers: dict[str, Any]
) -> None:
    """Compare one row's answers, output by output."""
    for name, difference in proof.outputs.items():
        difference.rows += 1
        ours, theirs = answers[name], expected[name]
        if name == "index":
            ours, theirs = _labels(planned, ours), _labels(planned, theirs)
            if ours == theirs:
                continue
            difference.differing += 1
            if _margin(expected, ours, theirs, planned) <= 2 * max(BOUND, difference.bound) * scale:
                proof.ties += 1
            else:
                difference.beyond += 1
                difference.first = difference.first or f" ({_listed(ours)} for {_listed(theirs)}, row {_shown(row)})"
            continue
        apart, equal = _apart(ours, theirs)
        difference.differing += not equal
        difference.largest = max(difference.largest, apart)
        if not apart <= difference.bound * scale:
            difference.beyond += 1
            difference.first = difference.first or f" (row {_shown(row)})"


def _labels(planned: Planned, index: list[Any]) -> list[Any]:
    """Return the labels at places; labels stay what they are."""
    classes = planned.signature.classes
    if classes is None:
        return [float(place) for place in index]
    return [
        labels[int(place)] if type(place) in (int, float) else place["label"]
        for labels, place in zip(classes, index, strict=True)
    ]


def _margin(expected: dict[str, Any], ours: list[Any], theirs: list[Any], planned: Planned) -> float:
    """Return by how much the model prefers its label; infinite where it gives neither scores nor probabilities."""
    scores = expected.get("scores", expected.get("probabilities"))
    classes = planned.signature.classes
    if scores is None or classes is None or len(classes) != 1 or ours[0] not in classes[0]:
        return math.inf
    if len(scores) == 1:
        return abs(float(scores[0]))
    if len(scores) != len(classes[0]):
        return math.inf
    return float(scores[classes[0].index(theirs[0])]) - float(scores[classes[0].index(ours[0])])


def _apart(ours: list[Any], theirs: list[Any]) -> tuple[float, bool]:
    """Return the largest difference of two lists, infinite where they are not alike, and whether they are equal."""
    if len(ours) != len(theirs):
        return math.inf, False
    largest = 0.0
    for a, b in zip(ours, theirs, strict=True):
        missing = [v is None or v != v for v in (a, b)]
        if a == b or all(missing):
            continue
        gap = math.inf if any(missing) or isinstance(a, str) or isinstance(b, str) else abs(float(a) - float(b))
        largest = max(largest, gap if gap == gap else math.inf)
    return largest, largest == 0.0


def _run(form: str, path: Path, rows: list[Row], planned: Planned) -> dict[str, Any]:
    """Answer rows by the export in a process of its own, since a runtime may end with the process that it is in.

    :raises RuntimeFailed: it ends with an error.
    """
    features = [feature.name for feature in planned.signature.features]
    asked: dict[str, Any] = {"rows": rows, "name": planned.name, "kinds": planned.kinds[0], "features": features}
    asked["widths"] = {name: len(planned.kinds[slot]) for name, slot in planned.outputs.items()}
    words = [sys.executable, "-m", "flyweight.toolkit.exporting.child", form, str(path)]
    done = subprocess.run(words, input=json.dumps(asked), capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"it ended by {done.returncode}"]
        raise RuntimeFailed(f"the runtime of {form} does not run the export: {last[0][:500]}", "export to another form")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _listed(labels: list[Any]) -> str:
    return ", ".join(map(str, labels))


def _shown(row: Row) -> str:
    text = json.dumps(row, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "..."
