"""Answer rows by an ONNX graph in onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime

from flyweight.toolkit.exporting.answering import Answer, Refused

THREADS = 2  # an order of additions that depends on threads would be found


def opened(path: str, asked: dict[str, Any]) -> tuple[str, list[str], Answer]:
    """Make a session of the graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = THREADS, 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]

    def answer(rows: list[list[Any]]) -> list[dict[str, list[Any]]]:
        try:
            tables = session.run(names, _fed(session, rows, asked))
        except Exception as error:  # onnxruntime's errors have no base of their own
            if "out of data bounds" not in str(error):
                raise
            raise Refused from error
        columns = {_ours(name): _listed(name, table, len(rows)) for name, table in zip(names, tables, strict=True)}
        return [{name: values[place] for name, values in columns.items()} for place in range(len(rows))]

    return f"onnxruntime {onnxruntime.__version__}", [_ours(name) for name in names], answer


def _fed(session: Any, rows: list[list[Any]], asked: dict[str, Any]) -> dict[str, Any]:
    """Return the graph's inputs for these rows: one table, or a column a feature, with "" for a missing text."""
    if [value.name for value in session.get_inputs()] == ["X"] and "s" not in asked["kinds"]:
        return {"X": np.array(rows, dtype=float).reshape(len(rows), -1)}
    fed = {}
    for name, kind, column in zip(asked["features"], asked["kinds"], zip(*rows, strict=True), strict=True):
        cells = ["" if cell is None else cell for cell in column] if kind == "s" else column
        fed[name] = np.array(cells, dtype=object if kind == "s" else float).reshape(-1, 1)
    known = {value.name for value in session.get_inputs()}
    return {name: cells for name, cells in fed.items() if name in known}


def _ours(name: str) -> str:
    return "index" if name == "label" else name


def _listed(name: str, table: Any, count: int) -> list[list[Any]]:
    """Return one list a row; a label is marked as one."""
    rows: list[list[Any]] = np.asarray(table).reshape(count, -1).tolist()
    return [[{"label": v} for v in row] for row in rows] if name == "label" else rows
