"""The numpy engine answers as the engine of rows does, op by op, and is used only where it is faster."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flyweight
from flyweight import engines
from flyweight.engines.numpy import CHUNK, Engine
from flyweight.models import arrays
from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.predictor import UNLIMITED, Predictor
from flyweight.settings import Limits
from tests.conftest import ROOT
from tests.models import test_hostile_models as models
from tests.ops import test_hostile_transformers as transformers
from tests.ops.hostile import predictor

F = np.array
NAMES = {"names": ["a", "b", "c"]}
TABLES = {**NAMES, "categories": [[1, 2.5], [0, 1], []], "codes": [[0, 1], [1, 0], []], "missing": [-1, 0, 0]}
PAIRS = {"classes": 3}

AFFINE = {"arrays": {"weights": "weights", "intercept": "intercept"}}
WEIGHTS = {"weights": F([[1.0, 2.0]]), "intercept": F([3.0])}

# op over three numbers -> its width, its parameters and its arrays
OWN: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
    "columns.take": (2, {"positions": [2, 0]}, {}),
    "linear.affine": (2, {}, {"weights": F([[1.0, -2, 0.5], [0, 1, 3]]), "intercept": F([0.5, -1])}),
    "scale.center": (3, {}, {"subtract": F([1.0, 0.1, -3]), "divide": F([3.0, 7, 0.1])}),
    "scale.stretch": (3, {}, {"multiply": F([1 / 3, 7, 0.1]), "add": F([0.1, 0, 9]), "limits": F([0.0, 1])}),
    "scale.normalize": (3, {"norm": "l2"}, {}),
    "impute.fill": (3, {"fill": [1, 2.5, -3], "nulls": [True, True, False], "missing": [1]}, {}),
    "impute.flag": (2, {"positions": [0, 2], "nulls": [True, True], "missing": [None]}, {}),
    "encode.ordinal": (3, {**TABLES, "unseen": ["nan", 7, 0]}, {}),
    "encode.one_hot": (5, {**TABLES, "unseen": [-1, 1, -1], "widths": [2, 2, 1]}, {}),
    "links.softmax": (3, {}, {}),
    "links.one_vs_rest": (3, {}, {}),
    "links.modified_huber": (3, {}, {}),
    "links.exp": (3, {}, {}),
    "labels.argmax": (2, {"widths": [2, 1]}, {}),
    "bins.digitize": (3, {}, {"edges": F([0.0, 1, 5, 2]), "starts": transformers.i32(0, 3, 4, 4)}),
    "polynomial.expand": (
        5,
        {"bias": True},
        {"parent": transformers.i32(-1, 1, 2, 0), "factor": transformers.i32(0, 1, 2, 1)},
    ),
    "kernels.votes": (1, PAIRS, {}),
    "kernels.scores": (3, PAIRS, {}),
    "coupling.shares": (3, PAIRS, {"slopes": F([-1.0, -2, 0.5]), "offsets": F([0.1, 0, -1])}),
}
# ops whose estimators refuse NaN, for which Python's `max` and `sorted` have no order
NO_NAN = ("scale.normalize", "ensemble.median")
PLANS = [*OWN, *transformers.VALID, *models.SOUND]


def built(op: str) -> Predictor:
    """Load a model of this one op."""
    if op in OWN:
        outputs, parameters, arrays = OWN[op]
        node = {"op": op, "inputs": ["input"], "output": "y", "arrays": {key: key for key in arrays}, **parameters}
        return predictor([node], "y", arrays, features=3, outputs=outputs)
    if op in models.SOUND:
        return models.loaded(op, *models.SOUND[op])
    model: Predictor = transformers.build(op)
    return model


def answers(engine: Any, rows: list[list[Any]]) -> list[list[float]] | None:
    """Return the engine's values, None for a refusal."""
    try:
        values: list[list[float]] = engine.outputs(rows, ("values",))[0]
    except flyweight.InvalidInput:
        return None
    return values


USUAL = st.one_of(st.floats(-1e3, 1e3), st.sampled_from([0.0, -0.0, 1.0, 0.5, 2.5, 5.0, -1.0]))
WIDE = st.one_of(USUAL, st.sampled_from([1e-320, 1e308, -1e308, 3e38, math.nan]))


@pytest.mark.parametrize("op", PLANS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_batch_answers_as_its_rows_do(op: str, data: st.DataObject) -> None:
    model = built(op)
    engine: Any = model.engine
    batch = Engine(model.file, engine.plan)
    exact = engine.plan.ops[0].exact
    number = st.one_of(USUAL, st.just(math.nan)) if op not in NO_NAN else USUAL
    width = len(model.signature.features)
    row = st.lists(WIDE if exact and op not in NO_NAN else number, min_size=width, max_size=width)
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    one_by_one, at_once = answers(engine, rows), answers(batch, rows)
    assert (one_by_one is None) == (at_once is None)
    if one_by_one is None or at_once is None:
        return
    assert [list(map(type, ours)) for ours in at_once] == [list(map(type, theirs)) for theirs in one_by_one] or not exact
    if exact:
        assert np.array_equal(at_once, one_by_one, equal_nan=True)
    else:
        np.testing.assert_allclose(at_once, one_by_one, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("op", PLANS)
def test_a_batch_answers_any_numbers(op: str) -> None:
    model = built(op)
    engine: Any = model.engine
    batch, width = Engine(model.file, engine.plan), len(model.signature.features)
    for number in transformers.HUGE:
        rows = [[number] * width, [0.5] * width, [number, *[1.0] * (width - 1)]]
        refused = answers(engine, rows) is None
        assert (answers(batch, rows) is None) == refused


def test_inputs_side_by_side_and_strings_among_numbers() -> None:
    named = [{"name": "a", "kind": "string", "nullable": True}, {"name": "b", "kind": "number", "nullable": True}]
    fill = {"op": "impute.fill", "inputs": ["input"], "output": "f", "fill": ["?", 7.0], "nulls": [True, True], "missing": [None]}
    join = {"op": "columns.join", "inputs": ["f", "input"], "output": "y"}
    signature = {"task": "transformation", "features": named, "outputs": 4}
    model = predictor([fill, join], "y", signature=signature)
    rows = [["u", 1.0], [None, math.nan], ["v", -0.0]] * 20
    engine: Any = model.engine
    expected = engine.outputs(rows, ("values",))[0]
    assert str(Engine(model.file, engine.plan).outputs(rows, ("values",))[0]) == str(expected)
    take = {"op": "columns.take", "inputs": ["input"], "output": "b", "positions": [1]}
    scale = {"op": "scale.center", "inputs": ["b"], "output": "y", "arrays": {"divide": "d"}}
    signature["outputs"] = 1
    model = predictor([take, scale], "y", {"d": F([2.0])}, signature=signature)
    assert Engine(model.file).outputs(rows[:1], ("values",)) == [[[0.5]]]


EMPTY: dict[str, tuple[dict[str, Any], dict[str, Any], list[float]]] = {
    "linear.affine": ({}, {"weights": np.zeros((1, 0)), "intercept": F([2.0])}, [2.0]),
    "log_linear.mean": ({}, {"weights": np.zeros((1, 0)), "intercept": F([0.0])}, [1.0]),
    "scale.center": ({}, {}, []),
    "scale.stretch": ({}, {"multiply": F([]), "add": F([])}, []),
    "impute.fill": ({"fill": [], "nulls": [], "missing": [None]}, {}, []),
    "encode.ordinal": ({key: [] for key in ("categories", "codes", "names", "unseen", "missing")}, {}, []),
    "bins.digitize": ({}, {"edges": F([]), "starts": transformers.i32(0)}, []),
    "polynomial.expand": ({"bias": True}, {"parent": transformers.i32(), "factor": transformers.i32()}, [1.0]),
    "gaussian.diagonal": ({}, {"means": np.zeros((1, 0)), "variances": np.zeros((1, 0)), "constants": F([3.0])}, [3.0]),
}


@pytest.mark.parametrize("op", EMPTY)
def test_no_column_at_all_is_a_value_too(op: str) -> None:
    parameters, arrays, expected = EMPTY[op]
    nothing = {"op": "columns.take", "inputs": ["input"], "output": "none", "positions": []}
    node = {"op": op, "inputs": ["none"], "output": "x", "arrays": {key: key for key in arrays}, **parameters}
    join = {"op": "columns.join", "inputs": ["none", "x", "input"], "output": "y"}
    model = predictor([nothing, node, join], "y", arrays, features=1, outputs=len(expected) + 1)
    rows = [[1.0], [5.0]]
    values = Engine(model.file).outputs(rows, ("values",))[0]
    assert values == model.engine.outputs(rows, ("values",))[0] == [[*expected, *row] for row in rows]


def test_a_batch_longer_than_a_chunk_is_whole(penguins: Path) -> None:
    model = flyweight.load(str(penguins))
    assert model.file.document["engines"] == ["pure", "numpy"]
    rows = [["Biscoe", 46.1 + n % 7, 13.2, 211.0, 4500.0, None, 2007.0] for n in range(2 * CHUNK + 1)]
    engine: Any = model.engine
    names = ("index", "probabilities")
    by_row, at_once = engine.outputs(rows, names), Engine(model.file, engine.plan).outputs(rows, names)
    assert at_once[0] == by_row[0]
    np.testing.assert_allclose(at_once[1], by_row[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", [list, F, pd.DataFrame])
def test_a_refused_row_is_named_in_every_form(form: Any) -> None:
    parameters = {**TABLES, "categories": [[0.0, 1.0]] * 3, "codes": [[0, 1]] * 3, "unseen": ["refuse"] * 3}
    node = {"op": "encode.ordinal", "inputs": ["input"], "output": "y", **parameters}
    model = predictor([node], "y", features=3, outputs=3, engines=["pure", "numpy"])
    rows = [[0.0, 1.0, 0.0] for _ in range(5000)]
    assert model.predict(rows).predictions == rows
    rows[4321][1] = 5.0
    table = pd.DataFrame(rows, columns=["a", "b", "c"]) if form is pd.DataFrame else form(rows)
    with pytest.raises(flyweight.InvalidInput, match="instance 4321, feature 'b'"):
        model.predict(table)


CELL = st.one_of(
    st.sampled_from([0, 1, 1.0, 0.0, True, False, None, math.nan, math.inf, "x", "x" * 50, 10**400, 2**60 + 1, [1]]), st.floats()
)
SIGNATURE = [
    [Feature("a", "number", False), Feature("b", "number", True)],
    [Feature("a", "number", True), Feature("b", "string", True)],
    [Feature("a", "boolean", True), Feature("b", "string", False)],
    [Feature("a", "boolean", False), Feature("b", "number", False)],
]


@settings(max_examples=500, deadline=None)
@given(
    features=st.sampled_from(SIGNATURE),
    usual=st.lists(st.tuples(st.sampled_from([0, 1, 1.0]), st.sampled_from([1.5, 0, "x"])), min_size=1, max_size=3),
    unusual=st.lists(st.lists(CELL, min_size=1, max_size=3), max_size=1),
    form=st.sampled_from(["lists", "objects", "frame", "array"]),
)
def test_a_table_is_what_the_reader_makes_of_the_instances(
    features: list[Feature], usual: list[Any], unusual: list[Any], form: str
) -> None:
    limits = UNLIMITED._replace(max_string_length=40)
    lists = [*map(list, usual), *unusual]
    instances: Any = lists
    if form == "objects":
        instances = [dict(zip("abc", row, strict=False)) for row in lists]
    elif any(len(row) != 2 or any(isinstance(cell, list) for cell in row) for row in lists):
        return
    elif form != "lists":
        frame = pd.DataFrame({name: [row[p] for row in lists] for p, name in enumerate("ab")})
        instances = frame if form == "frame" else frame.to_numpy()
        lists = frame.to_numpy(dtype=object).tolist() if form == "frame" else instances.tolist()
    table = arrays.array_of(instances, features, limits)
    if table is not None:
        rows = Validator(Signature("regression", features, 1), limits).rows(instances if form == "objects" else lists)
        assert str(table.tolist()) == str(rows)


def test_tables_are_read_without_lists() -> None:
    """Plain rows are read as one array."""
    numbers = [Feature("a", "number", True), Feature("b", "number", False)]
    mixed = [*numbers, Feature("c", "string", True), Feature("d", "boolean", True)]
    X = F([[1.0, 2.0], [math.nan, 4.0]])
    frame = pd.DataFrame({"d": [True, False], "c": ["x", None], "b": [1, 2], "a": [0.5, math.nan]})
    for whole in (X, X.astype("float32"), pd.DataFrame(X, columns=["a", "b"]), [[1.0, 2], [3, 4.0]], [{"b": 2, "a": 1}]):
        table = arrays.array_of(whole, numbers, UNLIMITED)
        assert table is not None
        assert table.dtype == float
    for whole in (frame, frame.to_dict("records"), [[0.5, 1, "x", True], [None, 2, None, None]]):
        table = arrays.array_of(whole, mixed, UNLIMITED)
        assert table is not None
        assert table.dtype == object
    assert arrays.array_of(X, numbers, Limits(max_instances=1)) is None


def test_a_batch_that_comes_while_the_engine_is_made_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine of rows never gets an array: it takes lists."""
    model = predictor(
        [{"op": "linear.affine", "inputs": ["input"], "output": "y", **AFFINE}], "y", WEIGHTS, engines=["pure", "numpy"]
    )
    rows, began, made = np.zeros((engines.BATCH, 2)), Event(), Event()
    build, seen = Engine.__init__, []

    def slowly(self: Engine, *arguments: Any) -> None:
        began.set()
        made.wait(60)
        build(self, *arguments)

    def noted(rows: Any, names: Any, answer: Any = model.engine.outputs) -> Any:
        seen.append(type(rows))
        return answer(rows, names)

    monkeypatch.setattr(Engine, "__init__", slowly)
    monkeypatch.setattr(model.engine, "outputs", noted)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(model.answer, rows)
        assert began.wait(60)
        second = pool.submit(model.answer, rows)
        time.sleep(0.2)  # until the second thread is where it once failed
        made.set()
        assert first.result(60).predictions == second.result(60).predictions == [3.0] * engines.BATCH
    assert np.ndarray not in seen


PROGRAM = """
import json, sys
sys.path.insert(0, {shared!r})
import flyweight, flyweight.engines
flyweight.engines.IMPORT_SECONDS = {seconds}
model = flyweight.load({model!r})
row = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]
answers = [model.predict([row] * count).predictions for count in {counts}]
print(json.dumps([[len(values), *set(values)] for values in answers] + ["numpy" in sys.modules]))
"""


def ran(penguins: Path, seconds: float, counts: list[int], *flags: str) -> Any:
    """Return a fresh interpreter's answers to requests of this many rows, and whether it then has NumPy."""
    program = PROGRAM.format(shared=str(ROOT / "shared"), seconds=seconds, model=str(penguins), counts=counts)
    done = subprocess.run([sys.executable, *flags, "-c", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_numpy_is_imported_only_by_a_batch_that_saves_more_time_than_importing_takes(penguins: Path) -> None:
    few = engines.BATCH - 1
    assert ran(penguins, 0.0, [1, few]) == [[1, "Gentoo"], [few, "Gentoo"], False]
    assert ran(penguins, 1e9, [2000]) == [[2000, "Gentoo"], False]
    assert ran(penguins, 0.0, [engines.BATCH, 2000]) == [[engines.BATCH, "Gentoo"], [2000, "Gentoo"], True]


def test_without_numpy_batches_are_answered_row_by_row(penguins: Path) -> None:
    assert ran(penguins, 0.0, [2000, 2000], "-I", "-S") == [[2000, "Gentoo"], [2000, "Gentoo"], False]
