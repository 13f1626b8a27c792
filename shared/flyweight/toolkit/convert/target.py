"""Convert encoders by target (TargetEncoder)."""

from __future__ import annotations

from typing import Any

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Column, Draft, Outputs, Value
from flyweight.toolkit.convert.encode import Ask, tables_of, transformed


@converts("sklearn.TargetEncoder")
def target(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to each category's mean of the target; with three classes or more, one column a class.

    :raises ConversionRefused: a category is neither a string nor a number.
    """
    classes = len(estimator.classes_) if estimator.target_type_ == "multiclass" else 1
    parts = []
    for place in range(classes):
        columns = [Column(f"target by {name}") for name in x.names]
        tables = tables_of(estimator, x, draft, _asking(estimator, classes, place))
        parts.append(draft.add("encode.ordinal", x, columns=columns, **tables))
    width = len(x.columns)
    order = [place * width + position for position in range(width) for place in range(classes)]
    return {"transform": draft.take(draft.join(parts), order)}


def _asking(estimator: Any, classes: int, place: int) -> Ask:
    """Return the function from a column and a value to the encoder's number, of the class at `place`."""
    return lambda column, value: float(transformed(estimator, column, value)[column * classes + place])
