"""Plans of kernels, graphs, splines, codes and imputers that could go wrong are refused; numbers of any size are answered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from flyweight import InvalidInput, ModelRefused
from tests.ops.hostile import Arrays, changed, f64, i32, predictor

NAMES = {"names": ["a", "b"]}
POINTS = np.array([[0.0, 1], [2, -3], [1e308, 1]])
TIED: Arrays = {"points": POINTS, "places": i32(2, 0, 1)}
NEAR = {"metric": "euclidean", "k": 2}
KNOTS = np.array([[-1.0, 0, 0.5, 1, 2], [0, 0, 1, 1, 1]])

# op -> how many times it reads the two inputs, its width, its parameters and its arrays, all valid
VALID: dict[str, tuple[int, int, dict[str, Any], Arrays]] = {
    "pairwise.kernel": (1, 3, {"kernel": "rbf"}, {"points": POINTS, "parameters": f64(-2, 1, 3)}),
    "pairwise.shares": (1, 2, {}, {}),
    "latent.share": (1, 2, {}, {"diagonal": f64(1e308)}),
    "approximations.additive_chi2": (1, 6, {"steps": 2, **NAMES}, {"interval": f64(0.5)}),
    "approximations.sketch": (
        *(1, 4, {"width": 4}),
        {
            "index": np.array([[0, 3, 1], [2, 2, 0]], dtype=np.int32),
            "sign": np.ones((2, 3)),
            "factor": f64(2),
            "constant": f64(1),
        },
    ),
    "graphs.edges": (1, 3, {"lengths": True, **NEAR}, TIED),
    "graphs.paths": (1, 3, NEAR, {**TIED, "ways": np.ones((3, 3))}),
    "graphs.barycenter": (1, 1, NEAR, {**TIED, "embedding": np.ones((3, 1)), "ridge": f64(1e-3)}),
    "splines.basis": (1, 6, {"degree": 1, "outside": "constant", "missing": "zeros", **NAMES}, {"knots": KNOTS}),
    "codes.pursuit": (1, 2, {"atoms": 2}, {"gram": np.array([[1.0, 0.5], [0.5, 1]])}),
    "codes.shrink": (1, 2, {}, {"by": f64(1)}),
    "codes.halves": (1, 4, {"both": True}, {}),
    "topics.allocate": (1, 3, {"rounds": 50}, {"weights": np.full((3, 2), 0.5), "parameters": f64(0.3, 1e-3)}),
    "imputers.nearest": (1, 2, {"k": 2}, {"points": np.array([[1, math.nan], [2, 3], [math.nan, 5]]), "means": f64(1, 4)}),
}


def build(op: str, **changes: Any) -> Any:
    """Load the valid node of an op with changes to its parameters or arrays; `outputs` may be changed as well."""
    times, width, parameters, arrays = VALID[op]
    width = changes.pop("outputs", width)
    arrays = changed(arrays, **{key: value for key, value in changes.items() if key in arrays or hasattr(value, "dtype")})
    parameters = {**parameters, **{key: value for key, value in changes.items() if key not in arrays}}
    node = {"op": op, "inputs": ["input"] * times, "output": "y", **parameters, "arrays": {key: key for key in arrays}}
    nodes = [node, *([{"op": "sparse.spread", "inputs": ["y"], "output": "z"}] if op == "graphs.edges" else [])]
    return predictor(nodes, nodes[-1]["output"], arrays, signature=signature(width))


def signature(outputs: int) -> dict[str, Any]:
    features = [{"name": name, "kind": "number", "nullable": True} for name in "ab"]
    return {"task": "regression", "features": features, "outputs": outputs}


HUGE = [0.0, -0.0, 1.0, -1.0, 1e-320, 1e308, -1e308, math.nan, 5.0, 1e20, math.inf]
MAY_REFUSE = ("approximations.additive_chi2", "graphs.barycenter", "codes.pursuit", "topics.allocate", "splines.basis")


def answers_all(model: Any, may_refuse: bool) -> None:
    for a in HUGE:
        for b in HUGE:
            try:
                model.answer([[a, b]])
            except InvalidInput:
                assert may_refuse


@pytest.mark.parametrize("op", VALID)
def test_a_valid_node_answers_any_numbers(op: str) -> None:
    answers_all(build(op), op in MAY_REFUSE)


@pytest.mark.parametrize("kernel", ["linear", "poly", "laplacian", "sigmoid"])
@pytest.mark.parametrize("degree", [-1.0, 0.5, 1e308, math.nan])
def test_a_kernel_answers_any_numbers(kernel: str, degree: float) -> None:
    answers_all(build("pairwise.kernel", kernel=kernel, parameters=f64(1e308, -1, degree)), False)


@pytest.mark.parametrize("kernel", ["chi2", "additive_chi2"])
@pytest.mark.parametrize("gamma", [1.0, -1e308, math.nan])
def test_a_kernel_of_counts_refuses_only_numbers_below_zero(kernel: str, gamma: float) -> None:
    points = np.array([[0.0, 1], [2, -3], [-1e308, -0.0]])
    answers_all(build("pairwise.kernel", kernel=kernel, parameters=f64(gamma, 1, 3), points=points), True)


@pytest.mark.parametrize("outside", ["linear", "continue", "error", "periodic"])
@pytest.mark.parametrize("missing", ["zeros", "refuse"])
def test_a_spline_answers_any_numbers(outside: str, missing: str) -> None:
    slopes = {"slopes": np.full((2, 2, 3), 1e308)} if outside == "linear" else {}
    width = 4 if outside == "periodic" else 6
    answers_all(build("splines.basis", outside=outside, missing=missing, outputs=width, **slopes), True)


@pytest.mark.parametrize("value", [0.0, 1e-320, 1e308, math.nan, math.inf, -1.0])
def test_arrays_of_any_size_are_answered(value: float) -> None:
    answers_all(build("graphs.paths", ways=np.full((3, 3), value)), False)
    answers_all(build("graphs.barycenter", ridge=f64(value)), True)
    answers_all(build("codes.shrink", by=f64(value)), False)
    answers_all(build("latent.share", diagonal=f64(value)), False)
    answers_all(build("topics.allocate", weights=np.full((3, 2), value)), True)
    answers_all(build("approximations.sketch", factor=f64(value)), False)
    answers_all(build("codes.pursuit", gram=np.array([[1.0, value], [value, 1.0]])), True)


MERGE = {
    "op": "imputers.merge",
    "inputs": ["input", "input", "one"],
    "output": "y",
    "position": 1,
    "arrays": {"limits": "limits"},
}
TAKE = {"op": "columns.take", "inputs": ["input"], "output": "one", "positions": [0]}


def test_a_missing_number_is_merged_within_its_limits() -> None:
    model = predictor([TAKE, MERGE], "y", {"limits": f64(0, 9)}, signature=signature(2))
    rows = [[50.0, math.nan], [-1.0, math.nan], [3.0, math.nan], [3.0, 7.0]]
    assert model.answer(rows).predictions == [[50.0, 9.0], [-1.0, 0.0], [3.0, 3.0], [3.0, 7.0]]


@pytest.mark.parametrize(
    "changes", [{"position": 2}, {"position": -1}, {"inputs": ["input", "one", "one"]}, {"inputs": ["input"]}]
)
def test_a_merge_that_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        predictor([TAKE, {**MERGE, **changes}], "y", {"limits": f64(0, 9)}, signature=signature(2))


DAMAGED: dict[str, tuple[str, dict[str, Any]]] = {
    "a kernel of its own": ("pairwise.kernel", {"kernel": "exec"}),
    "points of another width": ("pairwise.kernel", {"points": np.ones((3, 3))}),
    "two parameters": ("pairwise.kernel", {"parameters": f64(1, 2)}),
    "no diagonal": ("latent.share", {"diagonal": f64()}),
    "no step": ("approximations.additive_chi2", {"steps": 0}),
    "steps without end": ("approximations.additive_chi2", {"steps": 10**9}),
    "an interval below zero": ("approximations.additive_chi2", {"interval": f64(-1)}),
    "an interval that is no number": ("approximations.additive_chi2", {"interval": f64(math.nan)}),
    "a sketch beyond its width": ("approximations.sketch", {"index": np.full((2, 3), 4, dtype=np.int32)}),
    "a sketch of no degree": ("approximations.sketch", {"index": np.zeros((0, 3), dtype=np.int32), "sign": np.zeros((0, 3))}),
    "a sketch wider than memory": ("approximations.sketch", {"width": 10**9}),
    "signs of another shape": ("approximations.sketch", {"sign": np.ones((2, 2))}),
    "places beyond": ("graphs.edges", {"places": i32(0, 1, 3)}),
    "places too few": ("graphs.edges", {"places": i32(0, 1)}),
    "lengths by number": ("graphs.edges", {"lengths": 1}),
    "more neighbors than points": ("graphs.edges", {"k": 4}),
    "ways of another shape": ("graphs.paths", {"ways": np.ones((3, 2))}),
    "an embedding of others": ("graphs.barycenter", {"embedding": np.ones((2, 1))}),
    "no ridge": ("graphs.barycenter", {"ridge": None}),
    "knots that go down": ("splines.basis", {"knots": KNOTS[:, ::-1]}),
    "a knot that is no number": ("splines.basis", {"knots": np.where(KNOTS == 0.5, math.nan, KNOTS)}),
    "a knot without end": ("splines.basis", {"knots": np.where(KNOTS == 2, math.inf, KNOTS)}),
    "knots of one feature": ("splines.basis", {"knots": KNOTS[:1]}),
    "a degree above the knots": ("splines.basis", {"degree": 3}),
    "a degree without end": ("splines.basis", {"degree": 10**9}),
    "no slopes": ("splines.basis", {"outside": "linear"}),
    "outside of its own": ("splines.basis", {"outside": "wrap"}),
    "missing of its own": ("splines.basis", {"missing": "drop"}),
    "no atom": ("codes.pursuit", {"atoms": 0}),
    "atoms beyond": ("codes.pursuit", {"atoms": 3}),
    "an atom of no length": ("codes.pursuit", {"gram": np.array([[1.0, 0], [0, 0]])}),
    "products of others": ("codes.pursuit", {"gram": np.eye(3)}),
    "halves by number": ("codes.halves", {"both": 1}),
    "no topic": ("topics.allocate", {"weights": np.zeros((0, 2)), "outputs": 1}),
    "a prior of zero": ("topics.allocate", {"parameters": f64(0, 1)}),
    "rounds without end": ("topics.allocate", {"rounds": 10**9}),
    "no neighbor": ("imputers.nearest", {"k": 0}),
    "means too few": ("imputers.nearest", {"means": f64(1)}),
}


@pytest.mark.parametrize(("op", "changes"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_node_is_refused(op: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        build(op, **changes)
