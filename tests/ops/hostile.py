"""Make model files by hand, valid and damaged ones, for tests of the reader and the ops."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
from hypothesis import strategies as st

from flyweight.models import file as model_file
from flyweight.predictor import Predictor

Arrays = dict[str, np.ndarray[Any, Any]]
NAMES = {"float64": "F64", "float32": "F32"} | {
    f"{k}{bits}": f"{k[0].upper()}{bits}" for k in ("int", "uint") for bits in (8, 16, 32, 64)
}


def raw(document: Any, arrays: Arrays | None = None, *, header: dict[str, Any] | None = None, extra: bytes = b"") -> bytes:
    """Return a model file's bytes, unchecked.

    :param header: entries that replace the header's own.
    :param extra: bytes that are appended.
    """
    entries: dict[str, Any] = {"__metadata__": {"flyweight": document if isinstance(document, str) else json.dumps(document)}}
    body = b""
    for name, array in (arrays or {}).items():
        data = np.ascontiguousarray(array).tobytes()
        span = [len(body), len(body) + len(data)]
        entries[name] = {"dtype": NAMES[str(array.dtype)], "shape": list(array.shape), "data_offsets": span}
        body += data
    text = json.dumps({**entries, **(header or {})}).encode()
    return len(text).to_bytes(8, "little") + text + body + extra


def document(nodes: list[dict[str, Any]], output: str, features: int = 2, outputs: int = 1, **more: Any) -> dict[str, Any]:
    """Return the document of a regression over number features named a, b, c..."""
    named = [{"name": chr(97 + position), "kind": "number", "nullable": True} for position in range(features)]
    return {
        "format": 1,
        "name": "m",
        "version": "1",
        "engines": ["pure"],
        "signature": {"task": "regression", "features": named, "outputs": outputs},
        "plan": {"nodes": nodes, "outputs": {"values": output}},
        **more,
    }


def predictor(nodes: list[dict[str, Any]], output: str, arrays: Arrays | None = None, **more: Any) -> Predictor:
    """Load a regression over these nodes."""
    return Predictor(model_file.parse(raw(document(nodes, output, **more), arrays)))


def stump() -> tuple[dict[str, Any], Arrays]:
    """Return a node with one split on feature a at 0.5: 10 to the left, 20 to the right."""
    node = {
        "op": "trees.sum",
        "inputs": ["input"],
        "output": "y",
        "single": False,
        "mean": False,
        "exact": True,
        "arrays": {key: key for key in ("feature", "threshold", "over", "missing", "roots", "leaves", "base")},
    }
    arrays: Arrays = {
        "feature": np.array([0, -1, -2], dtype=np.int32),
        "threshold": np.array([0.5, 0.0, 0.0]),
        "over": np.array([1, 0, 0], dtype=np.uint16),
        "missing": np.array([1, 0, 0], dtype=np.uint8),
        "roots": np.array([0], dtype=np.int32),
        "leaves": np.array([[10.0], [20.0]]),
        "base": np.array([0.0]),
    }
    return node, arrays


def changed(arrays: Arrays, **changes: Any) -> Arrays:
    """Return a copy of the arrays with changes; None drops an array."""
    merged = {**copy.deepcopy(arrays), **changes}
    return {name: array for name, array in merged.items() if array is not None}


def i32(*values: int) -> Any:
    """Return whole numbers as files have them."""
    return np.array(values, dtype=np.int32)


def f64(*values: float) -> Any:
    """Return numbers as files have them."""
    return np.array(values, dtype=np.float64)


def loaded(op: str, parameters: dict[str, Any], arrays: Arrays, outputs: int) -> Predictor:
    """Load a regression of one node over two numbers."""
    node = {"op": op, "inputs": ["input"], "output": "y", "arrays": {name: name for name in arrays}, **parameters}
    return predictor([node], "y", arrays, outputs=outputs)


JUNK = st.one_of(
    st.integers(-3, 12),
    st.sampled_from([2**31, -(2**31), 2**63, 10**30, 10**400, 1e308, -1.5, "", "nan", "refuse", "input", "v1", "x" * 50]),
    st.sampled_from([None, True, [], {}]),
    st.lists(st.integers(-2, 5), max_size=3),
)


def damaged(data: st.DataObject, document: dict[str, Any], arrays: Arrays) -> Predictor:
    """Load a model with one to three of its numbers or words changed, in its arrays, its plan or its signature.

    :raises ModelRefused: a check found the damage.
    """
    document, arrays = copy.deepcopy(document), dict(arrays)
    for _ in range(data.draw(st.integers(1, 3))):
        if arrays and data.draw(st.booleans()):
            _damage_array(data, arrays)
        else:
            _damage_words(data, document[data.draw(st.sampled_from(["plan", "plan", "signature"]))])
    return Predictor(model_file.parse(raw(json.loads(json.dumps(document)), arrays)))


def _damage_array(data: st.DataObject, arrays: Arrays) -> None:
    name = data.draw(st.sampled_from(sorted(arrays)))
    array = arrays[name] = arrays[name].copy()
    limits: Any = np.finfo(array.dtype) if array.dtype.kind == "f" else np.iinfo(array.dtype)
    low, high = array.dtype.type(limits.min).item(), array.dtype.type(limits.max).item()
    beyond = [np.nan, np.inf, -np.inf] if array.dtype.kind == "f" else []
    if array.size:
        value = data.draw(st.one_of(st.integers(max(-3, int(low)), 9), st.sampled_from([low, high, *beyond])))
        array.flat[data.draw(st.integers(0, array.size - 1))] = value


def _damage_words(data: st.DataObject, part: Any) -> None:
    path = data.draw(st.sampled_from(_paths(part)[1:]))
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = copy.deepcopy(data.draw(JUNK))  # the next damage may change what is in it


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *[below for key, item in inner for below in _paths(item, (*path, key))]]
