"""A compiled plan answers bit for bit as its ops do one by one, and no text of a model file becomes code."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight import InvalidInput
from flyweight.engines import _compiled, pure
from flyweight.models import file as model_file
from tests.ops.hostile import Arrays, document, predictor, raw, stump

# names, arithmetic, and floats as `repr` writes them
CODE = re.compile(r"[\s\[\](),=:/-]|def|run|return|\bop\d+\b|\bx\d+\b|\d+(\.\d+)?(e[+-]?\d+)?")


class Called:
    """An op that is called: it doubles each number, and refuses one."""

    kinds, exact = "nn", True

    def row(self, x: list[float]) -> list[float]:
        if x[0] == 13.0:
            raise InvalidInput()
        return [2.0 * v for v in x]


class Divided(Called):
    """An op that becomes an expression."""

    def __init__(self, pairs: Any) -> None:
        self.pairs, self.kinds = pairs, "n" * len(pairs)

    def quotients(self) -> Any:
        return self.pairs

    def row(self, x: list[float]) -> list[float]:
        return [(v - s) / d for v, (s, d) in zip(x, self.pairs, strict=True)]


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(NUMBERS, NUMBERS.filter(bool)), min_size=2, max_size=2), x=st.tuples(st.floats(), st.floats()))
def test_an_expression_gives_the_bits_of_its_op(pairs: list[tuple[float, float]], x: tuple[float, float]) -> None:
    op, row = Divided(pairs), [*x]
    run = _compiled.function([(op, (0,)), (Called(), (1,))], [2, 1, 0])
    assert run is not None and "op1" not in _compiled.source([(op, (0,))], [1])[1]
    if op.row(row)[0] != 13.0:
        assert repr(run(row)) == repr([Called().row(op.row(row)), op.row(row), row])


@pytest.mark.parametrize(
    "pairs",
    [
        [("__import__('os').system('true')", 1.0)],
        [(1.0, math.inf)],
        [(math.nan, 1.0)],
        [(np.float64(1.0), 1.0)],
        [(True, 1.0)],
        [],
        [(1.0, 1.0)] * (_compiled.MOST_COLUMNS + 1),
    ],
    ids=str,
)
def test_only_finite_floats_become_code(pairs: Any) -> None:
    text, scope = _compiled.source([(Divided(pairs), (0,))], [1])
    assert text == "def run(x0):\n    x1 = op1(x0)\n    return [x1]" and [*scope] == ["op1"]


def test_the_code_of_a_plan_has_no_text_of_its_file() -> None:
    """The names of features, nodes and outputs are hostile here, where the file format permits it."""
    name = "x0); __import__('os').abort(); ("
    nodes = [
        {"op": "scale.center", "inputs": ["input"], "output": name, "arrays": {"subtract": "s", "divide": "d"}},
        {"op": "columns.join", "inputs": ["input", name], "output": name * 2},
    ]
    arrays: Arrays = {"s": np.array([-0.0, 1e-300]), "d": np.array([3.0, -1.5e300])}
    engine = pure.Engine(model_file.parse(raw(document(nodes, name * 2, outputs=4), arrays)))
    text, scope = _compiled.source(*engine.plan.needed(("values",)))
    assert CODE.sub("", text) == "" and "abort" not in text, text
    assert {*scope} <= {"op1", "op2"}
    run = engine.compiled(("values",))
    assert run is not None and run([1.0, 2.0]) == [engine.values([1.0, 2.0])[-1]]


def test_a_batch_names_the_row_that_the_compiled_plan_refuses() -> None:
    node, arrays = stump()
    model = predictor([{**node, "single": True, "names": ["a", "b"]}], "y", arrays)
    good = [[0.0, 1.0]] * pure.ROWS
    assert model.predict(good).predictions == [10.0] * len(good)  # from here on it is compiled
    assert model.predict([[1.0, 0.0], *good]).predictions == [20.0, *[10.0] * len(good)]
    with pytest.raises(InvalidInput) as refused:
        model.predict([[0.0, 1.0], [1.0, 1e39], [0.0, 1e39]])
    assert [fault.instance for fault in refused.value.faults] == [1]


def test_a_long_plan_is_not_compiled() -> None:
    steps: Any = [(Called(), (0,))] * (_compiled.MOST_STEPS + 1)
    assert _compiled.function(steps, [1]) is None
