"""Model files made and unmade by hand: the pieces that tests of the reader and the ops put together."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np

from flyweight import model_file
from flyweight.predictor import Predictor

Arrays = dict[str, np.ndarray[Any, Any]]
NAMES = {"float64": "F64", "float32": "F32"} | {
    f"{k}{bits}": f"{k[0].upper()}{bits}" for k in ("int", "uint") for bits in (8, 16, 32, 64)
}


def raw(document: Any, arrays: Arrays | None = None, *, header: dict[str, Any] | None = None, extra: bytes = b"") -> bytes:
    """A model file's bytes, with header entries replaced and bytes appended as told; nothing is checked."""
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
    """The document of a regression over number features named a, b, c..."""
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
    """A loaded regression over these nodes."""
    return Predictor(model_file.parse(raw(document(nodes, output, **more), arrays)))


def stump() -> tuple[dict[str, Any], Arrays]:
    """One split on feature a at 0.5: 10 to the left, 20 to the right."""
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
    """The arrays with some replaced; None drops one."""
    merged = {**copy.deepcopy(arrays), **changes}
    return {name: array for name, array in merged.items() if array is not None}
