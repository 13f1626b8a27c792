"""Estimators that only arrange others: pipelines, column transformers, unions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sklearn.utils import get_tags

from flyweight.toolkit.convert import convert, converts, transform
from flyweight.toolkit.convert.draft import Draft, Outputs, Value

# Steps that look at no number, or at infinities as at any other number.
TAKES_ANY = ("FunctionTransformer", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
# Ops that give a number for a missing one.
ENDS_MISSING = ("impute.fill", "impute.flag", "bins.digitize", "trees.sum")


@converts("sklearn.Pipeline")
def pipeline(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Each step over what the one before it gave."""
    steps = [(name, step) for name, step in estimator.steps if step is not None and step != "passthrough"]
    if not steps:
        return {"transform": x}
    start = len(draft.nodes)
    for (name, step), (_, reader) in pairwise(steps):
        with draft.step(name):
            x = transform(step, x, draft)
        _settle(draft.nodes[start:], x, reader)
    name, last = steps[-1]
    with draft.step(name):
        outputs = convert(last, x, draft)
    return outputs if last is estimator.steps[-1][1] else {"transform": outputs["transform"]}


def _settle(nodes: list[dict[str, Any]], x: Value, reader: Any) -> None:
    """Tell functions that may leave the finite numbers what the step that reads their results accepts of them."""
    if type(reader).__name__ in TAKES_ANY:
        return
    takes = "nan" if get_tags(reader).input_tags.allow_nan else "finite"
    carried = {x.name}
    for node in reversed(nodes):
        if node["output"] in carried and node["op"] not in ENDS_MISSING:
            carried.update(node["inputs"])
            if node.get("takes") in ("any", "nan"):
                node["takes"] = takes


@converts("sklearn.ColumnTransformer")
def column_transformer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Each transformer over its own columns, side by side; names, slices and masks were resolved when it was fitted."""
    parts = []
    for name, transformer, _ in estimator.transformers_:
        positions = estimator._transformer_to_input_indices[name]
        if len(positions) and not _is(transformer, "drop"):
            parts.append(_part(estimator, name, transformer, draft.take(x, positions), draft))
    return {"transform": draft.join(parts)}


@converts("sklearn.FeatureUnion")
def feature_union(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Each transformer over all columns, side by side."""
    kept = [(name, part) for name, part in estimator.transformer_list if not _is(part, "drop")]
    return {"transform": draft.join([_part(estimator, name, transformer, x, draft) for name, transformer in kept])}


def _part(estimator: Any, name: str, transformer: Any, x: Value, draft: Draft) -> Value:
    """One part of a union: its transformer over `x`, times its weight if it has one."""
    with draft.step(name):
        part = x if _is(transformer, "passthrough") else transform(transformer, x, draft)
        weight = (estimator.transformer_weights or {}).get(name)
        return part if weight is None else _weighted(part, weight, draft)


def _is(transformer: Any, word: str) -> bool:
    return isinstance(transformer, str) and transformer == word


def _weighted(x: Value, weight: float, draft: Draft) -> Value:
    width = len(x.columns)
    arrays = {"multiply": [float(weight)] * width, "add": [0.0] * width}
    return draft.add("scale.stretch", x, columns=width, arrays=arrays)
