"""Rows that are made to break a model: values on, just below and just above thresholds, unseen, missing, zero and huge ones.

The same model, sample and seed give the same rows.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from flyweight.models.signature import Feature
from flyweight.toolkit.convert.draft import Draft
from flyweight.toolkit.packing.edge_dates import date_ways
from flyweight.toolkit.packing.edge_texts import text_ways
from flyweight.toolkit.packing.oracle import Oracle
from flyweight.toolkit.packing.sample import Row

UNREAD = "unread"  # the kind of a feature that no step reads
EDGE_ROWS = 2000
LEAST_ROWS = 200
EDGE_CELLS = 1_000_000  # of all made rows together: beyond 500 features fewer rows are made
MANY = 200  # features of a kind: beyond it only some of them are asked for one by one
PROBES = 12


def features_of(draft: Draft, oracle: Oracle, rows: list[Row]) -> tuple[list[Feature], set[int]]:
    """Build the signature's features. The estimator is asked whether it takes missing values and unseen categories.

    :returns: the features, and the positions of those that take categories which training never saw.
    """
    kinds = oracle.shape.kinds
    base = _typical(draft, kinds, rows)
    nullable = _taken(oracle, base, {p: _absent(kind) for p, kind in enumerate(kinds) if kind != UNREAD})
    known_of = {p: known for p, known in draft.categories.items() if kinds[p] not in ("boolean", UNREAD)}
    unseen = _taken(oracle, base, {p: _strange(known, kinds[p]) for p, known in sorted(known_of.items())})
    features = []
    for position, (name, kind) in enumerate(zip(oracle.shape.names, kinds, strict=True)):
        known = draft.categories.get(position)
        values = [row[position] for row in rows if not _is_absent(row[position])]
        if kind == "string" and known is None and position not in draft.texts:
            known = sorted(set(values))[:100]
        seen = [min(values), max(values)] if kind == "number" and values and known is None else None
        features.append(Feature(name, kind, kind == UNREAD or position in nullable, None if kind == UNREAD else known, seen))
    return features, unseen


def _taken(oracle: Oracle, base: Row, changes: dict[int, Any]) -> set[int]:
    """Ask the estimator which changes of a row it takes.

    All are made at once; if it refuses that, those of each kind of feature, and then halves of them. Of more than `MANY` it is
    asked for `PROBES` one by one: if it refuses each of them for the same reason, it refuses the others too.

    :param changes: a value by the position of the feature that gets it.
    """
    kinds, taken = oracle.shape.kinds, set()
    positions = [*changes]
    by_kind = [[p for p in positions if kinds[p] == kind] for kind in sorted({kinds[p] for p in positions})]
    waiting = [positions, *by_kind] if len(by_kind) > 1 else [positions]
    while waiting:
        group = waiting.pop(0)
        if not group or group[0] in taken:
            continue
        row = [*base]
        for position in group:
            row[position] = changes[position]
        if oracle.takes(row):
            taken.update(group)
        elif group is positions and len(by_kind) > 1:
            continue
        elif len(group) > 1 and not _refuses_each(oracle, base, changes, group):
            waiting += [group[: len(group) // 2], group[len(group) // 2 :]]
    return taken


def _refuses_each(oracle: Oracle, base: Row, changes: dict[int, Any], group: list[int]) -> bool:
    """Ask for some of many changes one by one, evenly spread, and tell whether each is refused for the same reason."""
    if len(group) <= MANY:
        return False
    reasons = set()
    for number in range(PROBES):
        position = group[number * len(group) // PROBES]
        reasons.add(oracle.refusal(_with(base, position, changes[position])))
        if None in reasons or len(reasons) > 1:
            return False
    return True


def edge_count_of(width: int) -> int:
    """Choose the number of rows to make for a table of this many features."""
    return min(EDGE_ROWS, max(LEAST_ROWS, EDGE_CELLS // width))


def edge_rows(draft: Draft, features: list[Feature], unseen: set[int], rows: list[Row], count: int, seed: int = 0) -> list[Row]:
    """Make rows: each is a row of the sample, or a typical one, with some features set to values that may break the model.

    :param unseen: the positions of the features that take unseen categories.
    :param rows: the sample's rows.
    :param count: the number of rows to make.
    """
    rng = random.Random(seed)
    kinds = [feature.kind for feature in features]
    bases = rows or [_typical(draft, kinds, rows)]
    pools = [_pool(draft, position, feature, position in unseen, rows) for position, feature in enumerate(features)]
    made = []
    for _ in range(count):
        row = list(rng.choice(bases))
        share = rng.choice((0.1, 0.3, 1.0))
        for position, pool in enumerate(pools):
            if rng.random() < share:
                row[position] = rng.choice(pool)() if pool else row[position]
                if pool and draft.positive and kinds[position] == "number":
                    row[position] = abs(row[position])
        made.append(row)
    return made


def refused_rows(draft: Draft, features: list[Feature], unseen: set[int], rows: list[Row]) -> list[Row]:
    """Make one row for each feature whose unseen categories the estimator refuses, and every engine has to refuse as well."""
    base = _typical(draft, [feature.kind for feature in features], rows)
    strange = [
        (position, _strange(known, features[position].kind))
        for position, known in sorted(draft.categories.items())
        if position not in unseen and features[position].kind not in ("boolean", UNREAD)
    ]
    step = -(-len(strange) // LEAST_ROWS) or 1  # of very many features some, evenly spread
    return [_with(base, position, value) for position, value in strange[::step]]


def _pool(draft: Draft, position: int, feature: Feature, unseen: bool, rows: list[Row]) -> list[Any]:
    """List functions that draw a value for one feature; each is called equally often. An unread feature is not varied."""
    if feature.kind == UNREAD:
        return []
    rng = random.Random(position)
    known = draft.categories.get(position)
    ways: list[Any] = []
    if position in draft.texts and feature.kind == "string":
        ways += text_ways(draft.texts[position], rng)
    elif feature.kind == "string" or (known is not None and feature.kind == "number"):
        values = known if known is not None else feature.categories or ["?"]
        values = [float(value) if feature.kind != "string" else value for value in values]
        ways += [lambda: rng.choice(values)] * 4 if values else []
        ways += [lambda: _strange(values, feature.kind)] if unseen or (known is None and feature.kind == "string") else []
    elif feature.kind == "boolean":
        ways += [lambda: 0.0, lambda: 1.0]
    elif feature.kind == "datetime":
        ways += date_ways([row[position] for row in rows if not _is_absent(row[position])], draft.edges.get(position), rng)
    else:
        ways += _numbers(draft.edges.get(position), feature.range, rng)
    if feature.nullable:
        ways.append(lambda: _absent(feature.kind))
    return ways


def _numbers(edges: Any, seen: list[float] | None, rng: random.Random) -> list[Any]:
    """List functions that draw a number.

    :param edges: the values at which answers may jump, or None.
    :param seen: the range of the sample, or None.
    """
    low, high = seen or (-3.0, 3.0)
    if edges is not None and len(edges) and seen is None:
        low, high = float(edges[0]), float(edges[-1])
    width = (high - low) or max(1.0, abs(low))  # of a constant as well
    ways: list[Any] = [
        lambda: rng.uniform(low - 0.1 * width, high + 0.1 * width),
        lambda: rng.gauss((low + high) / 2, width),
        lambda: rng.choice((0.0, -0.0, 1.0, -1.0, low, high, low - 10 * width, high + 10 * width)),
    ]
    if edges is not None and len(edges):
        ways += [lambda: _near(float(rng.choice(edges)), rng)] * 4
    return ways


def _near(edge: float, rng: random.Random) -> float:
    """Draw the threshold itself, or its neighbour in float64 or in float32, in which scikit-learn's trees compare."""
    single = np.float32(edge)
    return float(
        rng.choice(
            (
                edge,
                math.nextafter(edge, -math.inf),
                math.nextafter(edge, math.inf),
                np.nextafter(single, np.float32(-np.inf)),
                single,
                np.nextafter(single, np.float32(np.inf)),
            )
        )
    )


def _typical(draft: Draft, kinds: list[str], rows: list[Row]) -> Row:
    """Get a row without missing values: the sample's first, or else one of known values, categories and thresholds."""
    read = [position for position, kind in enumerate(kinds) if kind != UNREAD]
    complete = next((row for row in rows if not any(_is_absent(row[position]) for position in read)), None)
    if complete is not None:
        return complete
    row: Row = []
    for position, kind in enumerate(kinds):
        known, edges = draft.categories.get(position), draft.edges.get(position)
        present = next((r[position] for r in rows if not _is_absent(r[position])), None)
        if kind == UNREAD:
            present = _absent(kind)
        if present is not None:
            row.append(present)
        elif known:
            row.append(known[0] if kind == "string" else float(known[0]))
        else:
            row.append("?" if kind == "string" else float(edges[0]) if edges is not None and len(edges) else 0.0)
    return row


def _with(row: Row, position: int, value: Any) -> Row:
    return [*row[:position], value, *row[position + 1 :]]


def _strange(known: list[Any], kind: str) -> Any:
    """Make a category that is not among those known."""
    return max(map(str, known), key=len, default="") + "?" if kind == "string" else float(max(known, default=0.0)) + 1.0


def _absent(kind: str) -> Any:
    return None if kind == "string" else math.nan


def _is_absent(value: Any) -> bool:
    return value is None or value != value
