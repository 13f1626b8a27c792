"""A plan that could go wrong is refused when it is loaded, before any instance is answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flyweight import ModelRefused
from flyweight.models import file as model_file
from flyweight.ops import find
from flyweight.predictor import Predictor
from tests.ops.hostile import changed, document, i32, predictor, raw, stump


def node(op: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "inputs": ["input"], "output": "y", **more}


def u16(*values: int) -> Any:
    return np.array(values, dtype=np.uint16)


def test_the_stump_that_the_cases_below_damage_is_valid() -> None:
    split, arrays = stump()
    assert predictor([split], "y", arrays).predict([[0.5, 0.0], [0.6, 0.0], [None, 0.0]]).predictions == [10.0, 20.0, 10.0]


DAMAGED_TREES = {
    "right child beyond the nodes": {"over": u16(2, 0, 0)},
    "right child far beyond the nodes": {"over": u16(65535, 0, 0)},
    "right child that could lie before its node": {"over": i32(1, 0, 0)},
    "right child in the next tree": {
        "feature": i32(0, -1, -2, 0, -1, -2),
        "over": u16(2, 0, 0, 1, 0, 0),
        "roots": i32(0, 3),
    },
    "left child in the next tree": {"feature": i32(-1, 0, -1, -2), "over": u16(0, 0, 0, 0), "roots": i32(0, 2)},
    "feature beyond the width": {"feature": i32(2, -1, -2)},
    "last node not a leaf": {"feature": i32(0, -1, 0), "over": u16(1, 0, 0)},
    "leaf beyond the leaves": {"feature": i32(0, -1, -3)},
    "lowest leaf there is": {"feature": i32(0, -1, -(2**31))},
    "root beyond the nodes": {"roots": i32(3)},
    "no root": {"roots": i32()},
    "negative root": {"roots": i32(-1)},
    "a root twice": {"roots": i32(0, 0)},
    "roots backwards": {"roots": i32(1, 0)},
    "nodes in no tree": {"roots": i32(1)},
    "no nodes": {"feature": i32(), "threshold": np.zeros(0), "roots": i32()},
    "arrays of other lengths": {"threshold": np.array([0.5, 0.0])},
    "thresholds not floats": {"threshold": i32(1, 0, 0)},
    "no thresholds": {"threshold": None},
    "leaves wider than base": {"leaves": np.array([[1.0, 2.0, 3.0]] * 2)},
    "no leaves": {"leaves": np.zeros((0, 1))},
    "no base": {"base": np.zeros(0)},
}


@pytest.mark.parametrize("changes", DAMAGED_TREES.values(), ids=DAMAGED_TREES.keys())
def test_a_damaged_tree_is_refused(changes: dict[str, Any]) -> None:
    split, arrays = stump()
    damaged = changed(arrays, **changes)
    count = len(damaged["feature"])
    for name in ("threshold", "over", "missing"):  # keep the lengths equal unless the case damages them
        if name not in changes and count != len(arrays["feature"]):
            damaged[name] = np.zeros(count, dtype=arrays[name].dtype)
    with pytest.raises(ModelRefused):
        predictor([split], "y", damaged)


BAD_NODES = {
    "unknown op": node("linear.nothing"),
    "unknown family": node("nothing.affine"),
    "another module": node("os.system"),
    "a path": node("..toolkit.pack"),
    "a private module": node("_arithmetic.total"),
    "the package's own names": node("__init__.find"),
    "op a number": node(3),  # type: ignore[arg-type]
    "no inputs": {"op": "columns.join", "output": "y"},
    "empty inputs": {"op": "columns.join", "inputs": [], "output": "y"},
    "reads what comes later": node("columns.join") | {"inputs": ["z"]},
    "reads itself": node("columns.join") | {"inputs": ["y"]},
    "gives the input": node("columns.join") | {"output": "input"},
    "takes a column that is not there": node("columns.take", positions=[2]),
    "takes a negative column": node("columns.take", positions=[-1]),
    "takes a column called true": node("columns.take", positions=[True]),
    "takes no list": node("columns.take", positions="01"),
    "weights missing": node("linear.affine", arrays={}),
    "arrays a list": node("linear.affine", arrays=["w"]),
    "norm unknown": node("scale.normalize", norm="l3"),
    "encoder without tables": node("encode.one_hot"),
    "code outside its block": node(
        "encode.one_hot",
        categories=[["x"], ["y"]],
        codes=[[1], [0]],
        unseen=[-1, -1],
        missing=[-1, -1],
        names=["a", "b"],
        widths=[1, 1],
    ),
    "wider than memory": node(
        "encode.one_hot",
        categories=[[], []],
        codes=[[], []],
        unseen=[-1, -1],
        missing=[-1, -1],
        names=["a", "b"],
        widths=[10**9, 1],
    ),
    "sigmoid of two": node("links.sigmoid", factor=1),
    "argmax over too few": node("labels.argmax", widths=[1]),
    "fill of the wrong kind": node("impute.fill", fill=["x", "y"], nulls=[True, True], missing=[None]),
}


@pytest.mark.parametrize("bad", BAD_NODES.values(), ids=BAD_NODES.keys())
def test_a_bad_node_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        predictor([bad], "y")


def test_an_op_is_found_by_its_name_alone() -> None:
    assert find("linear.affine").__name__ == "Affine"


BAD_DOCUMENTS = {
    "no plan": {"plan": None},
    "no engines": {"engines": []},
    "unknown engine": {"engines": ["pickle"]},
    "no signature": {"signature": {}},
    "an output unpromised": {"plan": {"nodes": [], "outputs": {"values": "input", "scores": "input"}}},
    "an output of another width": {"plan": {"nodes": [node("columns.take", positions=[0])], "outputs": {"values": "y"}}},
    "doubling until memory ends": {
        "plan": {
            "nodes": [
                {"op": "columns.join", "inputs": [f"v{n}" if n else "input"] * 2, "output": f"v{n + 1}"} for n in range(60)
            ],
            "outputs": {"values": "v60"},
        }
    },
    "many wide nodes": {
        "plan": {
            "nodes": [
                {"op": "columns.take", "inputs": ["input"], "output": f"v{n}", "positions": [0] * 900_000} for n in range(12)
            ],
            "outputs": {"values": "v0"},
        }
    },
    "no output": {"plan": {"nodes": [], "outputs": {}}},
    "name with a line break": {"name": "a\nb"},
    "name a path": {"name": "../a"},
    "version empty": {"version": ""},
    "a feature twice": {
        "signature": {"task": "regression", "outputs": 2, "features": [{"name": "a", "kind": "number", "nullable": True}] * 2}
    },
    "unknown kind": {
        "signature": {"task": "regression", "outputs": 1, "features": [{"name": "a", "kind": "code", "nullable": True}]}
    },
    "classes without labels": {
        "signature": {
            "task": "classification",
            "outputs": 1,
            "classes": [[]],
            "features": [{"name": "a", "kind": "number", "nullable": True}],
        }
    },
}


@pytest.mark.parametrize("changes", BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS.keys())
def test_a_bad_document_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        Predictor(model_file.parse(raw({**document([], "input", outputs=2), **changes} | {"format": 1})))


def test_an_index_that_no_class_answers_to_is_refused() -> None:
    signature = {
        "task": "classification",
        "outputs": 1,
        "classes": [["only"]],
        "features": [{"name": n, "kind": "number", "nullable": True} for n in "ab"],
    }
    bad = document([node("labels.argmax", widths=[2])], "y", signature=signature)
    bad["plan"]["outputs"] = {"index": "y"}
    with pytest.raises(ModelRefused, match="another number of classes"):
        Predictor(model_file.parse(raw(bad)))
