"""Convert estimators that only arrange others: pipelines, column transformers, unions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from flyweight.toolkit.convert import convert, converts, transform
from flyweight.toolkit.convert.draft import Draft, Outputs, Value
from flyweight.toolkit.convert.releases import allows_nan

# steps that check no number, or treat infinities as any other number
TAKES_ANY = ("FunctionTransformer", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
# libraries whose transformers check the columns that they change, not all; their conversions add these checks
CHECK_THEMSELVES = ("feature_engine", "skrub")
# ops that give a number for a missing one
ENDS_MISSING = ("impute.fill", "impute.flag", "bins.digitize", "trees.sum")


@converts("sklearn.Pipeline", "imblearn.Pipeline")
def pipeline(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the steps, each over the value of the step before it; samplers change rows in training only."""
    steps = [(name, step) for name, step in estimator.steps if step is not None and step != "passthrough"]
    steps = [(name, step) for name, step in steps if not hasattr(step, "fit_resample")]
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
    """Set which numbers ops like `elementwise.apply` may give, by the numbers that the next step accepts.

    :param nodes: the nodes so far, whose `takes` is set.
    :param x: the value that the next step reads.
    :param reader: the next step.
    """
    if type(reader).__name__ in TAKES_ANY or type(reader).__module__.partition(".")[0] in CHECK_THEMSELVES:
        return
    takes = "nan" if allows_nan(reader) else "finite"
    carried = {x.name}
    for node in reversed(nodes):
        if node["output"] in carried and node["op"] not in ENDS_MISSING:
            carried.update(node["inputs"])
            if node.get("takes") in ("any", "nan"):
                node["takes"] = takes


@converts("sklearn.ColumnTransformer")
def column_transformer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to each transformer over its own columns, side by side; fitting has resolved names, slices and masks."""
    parts = []
    for name, transformer, _ in estimator.transformers_:
        positions = estimator._transformer_to_input_indices[name]
        if len(positions) and not _is(transformer, "drop"):
            parts.append(_part(estimator, name, transformer, draft.take(x, positions), draft))
    return {"transform": draft.join(parts)}


@converts("sklearn.FeatureUnion")
def feature_union(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to each transformer over all columns, side by side."""
    kept = [(name, part) for name, part in estimator.transformer_list if not _is(part, "drop")]
    return {"transform": draft.join([_part(estimator, name, transformer, x, draft) for name, transformer in kept])}


def _part(estimator: Any, name: str, transformer: Any, x: Value, draft: Draft) -> Value:
    """Add one part of a union: its transformer over `x`, times its weight if it has one."""
    with draft.step(name):
        part = x if _is(transformer, "passthrough") else transform(transformer, x, draft)
        weight = (estimator.transformer_weights or {}).get(name)
        return part if weight is None else draft.stretch(part, float(weight))


def _is(transformer: Any, word: str) -> bool:
    """Say whether a transformer is this word."""
    return isinstance(transformer, str) and transformer == word
