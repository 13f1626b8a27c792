"""Make the rows on which an export is compared: the model's sample, and rows that are made to find differences.

They are made as `flyweight pack` makes them: values at thresholds and their neighbours, missing values, each category and an
unknown one. Here there is no estimator, so that the thresholds come from the plan's arrays, and the features that they are about
from the plan's own answers.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from flyweight.errors import FlyweightError, InvalidInput
from flyweight.models.validation import Validator
from flyweight.settings import Limits
from flyweight.toolkit.convert.draft import Draft
from flyweight.toolkit.exporting.planned import Planned, Step
from flyweight.toolkit.packing.edge_rows import edge_rows

Row = list[Any]
PROBED = 200  # features, at most, whose thresholds are looked for
PROBES = (0.0, 1.0, 3.0)  # values of a feature, on which a column has to lie on a line
EDGES = 20_000  # thresholds of a feature, at most


def rows_of(planned: Planned, count: int) -> tuple[list[Row], list[Row]]:
    """Return the rows of the model's sample, and `count` rows that are made."""
    features = planned.signature.features
    draft = Draft([feature.name for feature in features])
    draft.categories = {p: [*feature.categories] for p, feature in enumerate(features) if feature.categories}
    sample = _sample(planned)
    draft.edges = {p: np.unique(edges)[:EDGES] for p, edges in _edges(planned, sample).items()}
    return sample, edge_rows(draft, features, {*draft.categories}, sample, count)


def _sample(planned: Planned) -> list[Row]:
    sample = planned.file.document.get("sample")
    instances = sample.get("instances") if isinstance(sample, dict) else None
    try:
        return Validator(planned.signature, Limits()).rows(instances) if isinstance(instances, list) else []
    except FlyweightError:
        return []


def _edges(planned: Planned, sample: list[Row]) -> dict[int, list[float]]:
    """Find values of features at which answers may jump, by position: thresholds led back through what the plan does before."""
    jumps = [(step.reads[0], _thresholds(step)) for step in planned.steps]
    jumps = [(slot, found) for slot, found in jumps if found]
    numbers = [p for p, kind in enumerate(planned.kinds[0]) if kind == "n"][:PROBED]
    if not jumps:
        return {}
    base = [_present(planned, position, sample) for position in range(len(planned.kinds[0]))]
    edges: dict[int, list[float]] = {}
    for position in numbers:
        values = _probed(planned, base, position)
        for slot, found in jumps if values else []:
            for column, thresholds in found.items():
                line = _line(*[own[slot][column] for own in values or []])
                if line is not None:
                    edges.setdefault(position, []).extend([(t - line[1]) / line[0] for t in thresholds])
    return edges


def _present(planned: Planned, position: int, sample: list[Row]) -> Any:
    """Return a feature's first value in the sample that is not missing, or else one that the model may take."""
    feature = planned.signature.features[position]
    values = [row[position] for row in sample if row[position] is not None and row[position] == row[position]]
    known = feature.categories or ([""] if feature.kind == "string" else [0.0])
    return values[0] if values else known[0] if feature.kind == "string" else float(known[0])


def _thresholds(step: Step) -> dict[int, list[float]]:
    """Return the thresholds of a step by column: of its trees, or of its edges and knots."""
    node, found = step.node, dict[int, list[float]]()
    if node.has("feature") and node.has("threshold"):
        feature = np.asarray(node.array("feature", "I16 I32", (None,)).values)
        threshold = np.asarray(node.array("threshold", "F32 F64", (len(feature),)).values).astype(float)
        kept = (feature >= 0) & np.isfinite(threshold)
        for column in np.unique(feature[kept]):
            found[int(column)] = np.unique(threshold[kept & (feature == column)]).tolist()
    for name in ("edges", "xs"):
        if node.has(name) and node.has("starts"):
            values = node.floats(name, None)
            starts = node.indices("starts", len(values) + 1, None)
            found = {column: values[a:b] for column, (a, b) in enumerate(pairwise(starts)) if b > a}
    return found


def _probed(planned: Planned, base: Row, position: int) -> list[list[Any]] | None:
    """Return all values of the plan for each probe of a feature; None if the model refuses one."""
    try:
        return [planned.engine.values([*base[:position], probe, *base[position + 1 :]]) for probe in PROBES]
    except InvalidInput:
        return None


def _line(*y: Any) -> tuple[float, float] | None:
    """Return slope and offset of the line through the values of a column at the probes; None if they lie on none."""
    if not all(isinstance(v, float) for v in y):
        return None
    slope = (y[1] - y[0]) / (PROBES[1] - PROBES[0])
    offset = y[0] - slope * PROBES[0]
    straight = abs(slope * PROBES[2] + offset - y[2]) <= 1e-9 * max(map(abs, y))
    return (slope, offset) if slope and straight else None
