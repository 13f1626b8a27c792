"""A small file that would take much memory or time, or that lacks a part, is refused before it takes any."""

from __future__ import annotations

import math
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

from flyweight import InvalidInput, ModelRefused
from flyweight.engines.numpy import Engine
from flyweight.models import file as model_file
from flyweight.ops._arithmetic import power
from flyweight.predictor import Predictor
from tests.ops.hostile import Arrays, document, f64, i32, loaded, predictor, raw, stump


def node(op: str, arrays: Any = (), **more: Any) -> dict[str, Any]:
    return {"op": op, "inputs": ["input"], "output": "y", "arrays": {name: name for name in arrays}, **more}


@pytest.mark.parametrize("shape", [[10**9, 0], [0, 10**9], [1001, 0, 1001]])
def test_an_array_of_nothing_claims_no_memory(shape: list[int]) -> None:
    arrays: Arrays = {"points": np.zeros((0, 2)), "multiply": f64(1), "add": f64(0), "numbers": f64()}
    plan = document([node("processes.mean", [*arrays, "weights"], kernel=["white"])], "y")
    header = {"weights": {"dtype": "F64", "shape": shape, "data_offsets": [0, 0]}}
    with pytest.raises(ModelRefused, match="tensors without values"):
        Predictor(model_file.parse(raw(plan, arrays, header=header)))


def test_an_array_is_one_node_s_own() -> None:
    """Else a file of a megabyte has ten thousand nodes copy the same array."""
    arrays = {"weights": np.ones((2, 2)), "intercept": f64(0, 0)}
    first = node("linear.affine", arrays)
    second = {**first, "inputs": ["y"], "output": "z"}
    with pytest.raises(ModelRefused, match="takes the array 'weights'"):
        predictor([first, second], "z", arrays, outputs=2)
    with pytest.raises(ModelRefused):
        predictor([{**first, "arrays": {"weights": "weights", "intercept": ["intercept"]}}], "y", arrays, outputs=2)


def test_a_machine_of_endless_classes_is_refused() -> None:
    rows = 1000
    arrays = {
        "intercept": f64(1),
        "parameters": f64(1, 1),
        "vectors": np.zeros((1, 2)),
        "weights": np.zeros((rows, 1)),
        "counts": i32(1, *[0] * rows),
    }
    with pytest.raises(ModelRefused, match="'weights' has 1000 rows"):
        loaded("kernels.machine", {"kernel": "rbf", "degree": 2}, arrays, 1)


def test_many_inputs_are_joined_in_the_time_of_reading_them() -> None:
    gather = {"op": "sparse.gather", "inputs": ["input"], "output": "a"}
    join = {"op": "sparse.join", "inputs": ["a"] * 40_000, "output": "b"}
    began = time.process_time()
    model = predictor([gather, join, {"op": "sparse.spread", "inputs": ["b"], "output": "y"}], "y", outputs=80_000)
    assert time.process_time() - began < 5  # its square took 13 s
    (answer,) = model.answer([[1.0, 2.0]]).predictions
    assert answer == [1.0, 2.0] * 40_000


TIED: Arrays = {"points": np.eye(3)[:, :2], "places": i32(0, 1, 2)}
EMPTY = {"op": "columns.take", "inputs": ["input"], "output": "nothing", "positions": []}


@pytest.mark.parametrize("op", ["graphs.paths", "graphs.barycenter"])
def test_a_radius_within_which_nothing_may_lie_is_refused(op: str) -> None:
    arrays = {**TIED, "radius": f64(0.1), "ways": np.ones((3, 3)), "embedding": np.ones((3, 3)), "ridge": f64(1)}
    with pytest.raises(ModelRefused, match="radius"):
        loaded(op, {"metric": "euclidean"}, arrays, 3)


def test_a_place_among_endless_neighbors_is_refused() -> None:
    count = 301
    points = {"points": np.ones((count, 2)), "places": np.arange(count, dtype=np.int32)}
    arrays = {**points, "embedding": np.ones((count, 1)), "ridge": f64(1)}
    with pytest.raises(ModelRefused, match="'k' is 301"):
        loaded("graphs.barycenter", {"metric": "euclidean", "k": count}, arrays, 1)


@pytest.mark.parametrize("case", [("impute.fill", {"fill": [0, 0]}), ("impute.flag", {"positions": [0, 1]})])
def test_a_marker_beyond_a_double_is_refused(case: tuple[str, dict[str, Any]]) -> None:
    """Rows are compared with whole numbers of any size, a batch is not."""
    op, parameters = case
    with pytest.raises(ModelRefused, match="'missing' is a number too large"):
        loaded(op, {**parameters, "nulls": [True, True], "missing": [10**400]}, {}, 2)


def test_topics_of_no_terms_are_refused() -> None:
    arrays = {"weights": np.zeros((3, 0)), "parameters": f64(0.3, 0.1)}
    with pytest.raises(ModelRefused, match="no term"):
        predictor([EMPTY, node("topics.allocate", arrays, rounds=5) | {"inputs": ["nothing"]}], "y", arrays, outputs=3)


def test_categories_of_a_table_without_columns_are_refused() -> None:
    split, arrays = stump()
    arrays |= {"split": i32(0, -1, -1), "goes_left": np.zeros((1, 0), dtype=np.uint8), "threshold": f64(math.nan, 0, 0)}
    with pytest.raises(ModelRefused, match="no category"):
        predictor([{**split, "arrays": {**split["arrays"], "split": "split", "goes_left": "goes_left"}}], "y", arrays)


def test_a_batch_of_many_trees_takes_the_memory_of_few() -> None:
    trees, rows = 5000, 1000
    arrays: Arrays = {
        "feature": i32(0),
        "border": f64(0.5),
        "equal": np.zeros(1, dtype=np.uint8),
        "missing": np.zeros(1, dtype=np.uint8),
        "asked": np.zeros(trees, dtype=np.int32),
        "starts": np.arange(trees + 1, dtype=np.int32),
        "leaves": np.tile(f64(1, 2), trees).reshape(-1, 1),
        "scale": f64(1),
        "bias": f64(0),
    }
    model = loaded("catboost.oblivious", {}, arrays, 1)
    engine: Any = model.engine
    batch = Engine(model.file, engine.plan)
    instances = [[float(row % 2), 0.0] for row in range(rows)]
    tracemalloc.start()
    try:
        answers = batch.outputs(instances, ("values",))[0]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answers == [[trees * (1.0 + row % 2)] for row in range(rows)]
    assert peak < trees * rows * 8  # of one number a tree and row


def test_a_text_that_normalizing_makes_long_is_read_a_term_at_a_time() -> None:
    words = {"lowercase": True, "accents": "unicode", "ngrams": [1, 32], "analyzer": "char", "names": ["text"], "binary": False}
    signature = {"task": "regression", "outputs": 1, "features": [{"name": "text", "kind": "string", "nullable": False}]}
    terms = {"terms": np.frombuffer("\n\u0644".encode(), dtype=np.uint8)}
    nodes = [node("text.count", terms, **words), {"op": "sparse.spread", "inputs": ["y"], "output": "z"}]
    model = predictor(nodes, "z", terms, signature=signature)
    tracemalloc.start()
    try:
        (answer,) = model.answer([["\ufdfa" * 500]]).predictions  # each is eighteen letters
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer == 2500.0 and peak < 2_000_000  # 288,000 terms, never held at once


@pytest.mark.parametrize(
    ("base", "exponent", "expected"),
    [(-1e200, 3.0, -math.inf), (-1e200, 2, math.inf), (-1e200, 3, -math.inf), (0.0, -1.0, math.inf), (2.0, 0.5, math.sqrt(2))],
)
def test_powers_are_those_of_numpy(base: float, exponent: float, expected: float) -> None:
    with np.errstate(all="ignore"):
        assert power(base, exponent) == np.float64(base) ** exponent == expected


def test_a_fraction_s_power_of_a_negative_number_is_no_number() -> None:
    assert math.isnan(power(-2.0, 0.5))


def test_a_kernel_far_away_is_as_numpy_has_it() -> None:
    arrays = {"points": np.eye(2), "parameters": f64(1, 0, 3)}
    assert loaded("pairwise.kernel", {"kernel": "poly"}, arrays, 2).answer([[-1e200, 1.0]]).predictions == [[-math.inf, 1.0]]


def test_a_row_of_nothing_is_answered_or_refused() -> None:
    halves = node("codes.halves", both=True) | {"inputs": ["nothing"]}
    join = {"op": "columns.join", "inputs": ["input", "y"], "output": "z"}
    try:
        assert predictor([EMPTY, halves, join], "z", outputs=2).answer([[1.0, 2.0]]).predictions == [[1.0, 2.0]]
    except InvalidInput:
        pytest.fail("there is nothing to refuse")


@pytest.mark.parametrize("op", ["mean", "votes"])
def test_a_batch_of_neighbors_with_wide_answers_takes_the_time_and_memory_of_them(op: str) -> None:
    width, points, rows = 3000, 10, 200
    arrays: Arrays = {"points": np.zeros((points, 2))}
    if op == "mean":  # of ten targets of a row at once, instead of one block of rows
        arrays["targets"] = np.ones((points, width))
        model = loaded("neighbors.mean", {"metric": "euclidean", "weights": "uniform", "k": points}, arrays, width)
    else:  # each output counts its own classes, instead of all classes once for each output
        arrays |= {"labels": np.tile(np.arange(width, dtype=np.int32), (points, 1)), "radius": f64(10)}
        model = loaded("neighbors.votes", {"metric": "euclidean", "weights": "uniform", "widths": [1] * width}, arrays, width)
    engine: Any = model.engine
    batch = Engine(model.file, engine.plan)
    began = time.process_time()
    tracemalloc.start()
    try:
        (answers,) = batch.outputs([[0.5, 0.5]] * rows, ("values",))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answers == [[1.0] * width] * rows
    assert peak < 8 * width * rows * 9  # ten rows of targets took twice as much
    assert time.process_time() - began < 5


@pytest.mark.parametrize("op", ["processes.mean", "imputers.nearest", "neighbors.mean"])
def test_arrays_of_nothing_are_refused_where_an_op_needs_something(op: str) -> None:
    """Their batch forms raised errors of NumPy's, and some distances divide by the number of features."""
    arrays: Arrays = {"weights": np.zeros((1, 0)), "points": np.zeros((0, 2)), "multiply": f64(1), "add": f64(0)}
    arrays |= {"numbers": f64(1, 1), "means": f64(0, 0)}
    nodes = [node(op, arrays, kernel=["rbf"], k=1)]
    if op == "neighbors.mean":
        arrays |= {"points": np.zeros((1, 0)), "targets": np.ones((1, 1))}
        nodes = [EMPTY, {**node(op, arrays, metric="hamming", weights="uniform", k=1), "inputs": ["nothing"]}]
    with pytest.raises(ModelRefused, match=r"no (output|training row|point)"):
        predictor(nodes, "y", arrays, outputs=1)


def test_distances_to_no_center_are_an_empty_batch() -> None:
    arrays: Arrays = {"centers": np.zeros((0, 0))}
    nodes = [EMPTY, {**node("centers.distances", arrays), "inputs": ["nothing"]}, {**EMPTY, "inputs": ["y"], "output": "n"}]
    join = {"op": "columns.join", "inputs": ["n", "input"], "output": "z"}
    model = predictor([*nodes, join], "z", arrays, outputs=2)
    engine: Any = model.engine
    assert Engine(model.file, engine.plan).outputs([[1.0, 2.0]], ("values",)) == [[[1.0, 2.0]]]


@pytest.mark.parametrize(
    ("op", "parameters", "arrays"),
    [
        ("neighbors.mean", {"metric": "haversine"}, {"points": f64(-1e308, 0).reshape(1, 2)}),
        ("neighbors.mean", {"metric": "haversine"}, {"points": f64(math.inf, 0).reshape(1, 2)}),
        ("neighbors.mean", {"metric": "mahalanobis"}, {"points": np.zeros((1, 2)), "inverse": -np.eye(2)}),
        ("approximations.additive_chi2", {"steps": 9, "names": ["a", "b"]}, {"interval": f64(1e308)}),
        ("factors.scaling", {"rounds": 20, "errors": True}, {"parts": np.full((1, 2), 1e308), "powers": f64(0, 1)}),
        ("factors.scaling", {"rounds": 20, "errors": True}, {"parts": np.full((1, 2), 1e308), "powers": f64(1, 1)}),
    ],
)
@pytest.mark.parametrize("row", [[1.7e308, 1e-300], [0.5, 0.25], [5e-324, 5e-324]])
def test_numbers_beyond_a_function_raise_no_error_of_python(
    op: str, parameters: dict[str, Any], arrays: Arrays, row: list[float]
) -> None:
    arrays = {"targets": np.ones((1, 1)), "limits": f64(1e-4, 0, 0), **arrays}
    more = {"weights": "uniform", "k": 1, **parameters}
    nodes = [node(op, arrays, **more), {"op": "columns.take", "inputs": ["y"], "output": "z", "positions": [0]}]
    model = predictor(nodes, "z", arrays, outputs=1)
    try:
        assert len(model.answer([row]).predictions or []) == 1
    except InvalidInput:
        pass
