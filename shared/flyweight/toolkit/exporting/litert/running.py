"""Answer rows by a LiteRT file, and by the tables beside it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from flyweight.toolkit.exporting.answering import Answer
from flyweight.toolkit.exporting.litert import tables


def opened(path: str, asked: dict[str, Any]) -> tuple[str, list[str], Answer]:
    """Make an interpreter of the file."""
    interpreter = Interpreter(model_path=path)
    beside = Path(path).with_suffix(".npz")
    table = dict(np.load(beside)) if beside.exists() else {}
    (taken,) = interpreter.get_input_details()
    given = {detail["name"]: detail["index"] for detail in interpreter.get_output_details()}

    def answer(rows: list[list[Any]]) -> list[dict[str, list[Any]]]:
        with np.errstate(over="ignore"):
            cells = np.array(rows, dtype=float).astype(np.float32)
        interpreter.resize_tensor_input(taken["index"], cells.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(taken["index"], cells)
        interpreter.invoke()
        found = {name: interpreter.get_tensor(index) for name, index in given.items()}
        if table:
            found[str(table["output"])] = tables.answers(table, found.pop("leaves"))
        if "index" in asked["widths"]:
            found["index"] = _places(found)
        return [{name: values[place].astype(float).tolist() for name, values in found.items()} for place in range(len(rows))]

    names = [*(given.keys() - {"leaves"}), *([str(table["output"])] if table else [])]
    return f"ai-edge-litert {version('ai-edge-litert')}", [*names, *(["index"] if "index" in asked["widths"] else [])], answer


def _places(found: dict[str, Any]) -> Any:
    """Return the place of the largest probability, or of the largest score; a single score is above 0, or not."""
    scores = found.get("probabilities", found.get("scores"))
    assert scores is not None, "a classifier gives neither probabilities nor scores"
    return scores > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)[:, None]
