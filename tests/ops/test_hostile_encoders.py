"""Tables of blocks that could go wrong are refused; known, unseen and missing values are answered alike in batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from flyweight import InvalidInput, ModelRefused
from flyweight.engines.numpy import Engine
from tests.ops.hostile import predictor

NAMED = [{"name": "a", "kind": "string", "nullable": True}, {"name": "b", "kind": "number", "nullable": True}]
# the first column: x is [1, 2], anything else [3, NaN]; the second: 7 is [5], a missing value is refused, others are [6]
ROWS: dict[str, Any] = {
    "op": "encode.rows",
    "inputs": ["input"],
    "output": "y",
    "categories": [["x"], [7]],
    "codes": [[0], [0]],
    "unseen": [1, 1],
    "missing": [1, "refuse"],
    "names": ["a", "b"],
    "widths": [2, 1],
    "heights": [2, 2],
    "arrays": {"values": "v"},
}
VALUES = np.array([1.0, 2.0, 3.0, math.nan, 5.0, 6.0])


def model(values: Any = VALUES, **changes: Any) -> Any:
    signature = {"task": "transformation", "features": NAMED, "outputs": 3}
    return predictor([{**ROWS, **changes}], "y", {"v": values}, signature=signature)


def test_each_value_gives_the_row_of_its_table() -> None:
    made = model()
    rows = [["x", 7.0], ["?", 8.0], [None, 7.0]]
    expected = [[1.0, 2.0, 5.0], [3.0, math.nan, 6.0], [3.0, math.nan, 5.0]]
    assert str(made.engine.outputs(rows, ("values",))[0]) == str(expected)
    assert str(Engine(made.file, made.engine.plan).outputs(rows * 20, ("values",))[0]) == str(expected * 20)


def test_a_value_that_its_column_refuses_is_told_with_the_known_ones() -> None:
    for engine in (model().engine, Engine(model().file)):
        with pytest.raises(InvalidInput, match="one of 7"):
            engine.outputs([["x", math.nan]], ("values",))


@pytest.mark.parametrize(
    "changes",
    [
        {"codes": [[2], [0]]},
        {"codes": [[-1], [0]]},
        {"codes": [[0.0], [0]]},
        {"unseen": ["nan", 1]},
        {"missing": [1, 2]},
        {"widths": [2]},
        {"widths": [2, 2]},
        {"widths": [2, -1]},
        {"heights": [2, 3]},
        {"heights": [1 << 30, 2]},
        {"values": VALUES[:5]},
        {"values": VALUES.astype(np.float32)},
    ],
)
def test_damaged_tables_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        model(**changes)


def test_expectiles_rise_by_at_least_a_millionth_whatever_the_sums() -> None:
    node = {"op": "float32.rising", "inputs": ["input"], "output": "y"}
    signature = {"task": "transformation", "features": [{**NAMED[1], "name": name} for name in "ab"], "outputs": 2}
    made = predictor([node], "y", {}, signature=signature)
    for row, rise in (
        ([0.0, 0.0], math.log(2.0)),
        ([1.0, -1e30], 0.0),
        ([0.0, 1e30], 1e30),
        ([-3.0, 1.5], math.log1p(math.exp(1.5))),
    ):
        first, second = made.engine.outputs([row], ("values",))[0][0]
        assert first == row[0] and second - first == pytest.approx(rise + 1e-6, rel=1e-6, abs=3e-7)
