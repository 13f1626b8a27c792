"""Build an ONNX graph: nodes and constants under names of our own, all numbers in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

Array = np.ndarray[Any, Any]


class Graph:
    """Nodes and constants, in the order in which they are added; `nulls`: whether an empty string stands for a missing one.

    `prefix` begins the names of a graph within another, since names are looked up outside as well.
    """

    def __init__(self, nulls: bool = False, prefix: str = "") -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self.nulls, self.prefix = nulls, prefix
        self._names: dict[tuple[Any, ...], str] = {}
        self.rows = ""  # a tensor whose first axis is the rows

    def add(self, op: str, *inputs: Any, domain: str = "", **attributes: Any) -> str:
        """Add a node of one output.

        :param inputs: names of tensors; numbers and arrays become constants.
        :returns: the name of its output.
        """
        return self.several(op, 1, *inputs, domain=domain, **attributes)[0]

    def several(self, op: str, count: int, *inputs: Any, domain: str = "", **attributes: Any) -> list[str]:
        """Add a node of `count` outputs and return their names."""
        names = [given if isinstance(given, str) else self.constant(given) for given in inputs]
        outputs = [f"{self.prefix}n{len(self.nodes)}" + (f"_{number}" if number else "") for number in range(count)]
        self.nodes.append(helper.make_node(op, names, outputs, domain=domain, **attributes))
        return outputs

    def constant(self, value: Any) -> str:
        """Return the name of a constant; equal ones are stored once. Python's numbers become float64."""
        array = np.asarray(value, order="C")
        array = array.astype(object) if array.dtype.kind == "U" else array
        content = tuple(array.ravel().tolist()) if array.dtype == object else array.tobytes()
        key = (str(array.dtype), array.shape, content)
        if key not in self._names:
            self._names[key] = f"{self.prefix}c{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(array, self._names[key]))
        return self._names[key]

    def columns(self, x: str, positions: Any) -> str:
        """Take columns of a tensor of shape (rows, columns)."""
        return self.add("Gather", x, np.array(positions, dtype=np.int64), axis=1)

    def column(self, x: str, position: int) -> str:
        """Take one column as a tensor of shape (rows,)."""
        return self.add("Gather", x, np.array(position, dtype=np.int64), axis=1)

    def joined(self, parts: list[str]) -> str:
        """Join tensors column by column."""
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=1)

    def whole(self, x: str) -> str:
        """Cast to int64, cutting toward zero."""
        return self.add("Cast", x, to=TensorProto.INT64)

    def double(self, x: str) -> str:
        """Cast to float64."""
        return self.add("Cast", x, to=TensorProto.DOUBLE)

    def single(self, x: str) -> str:
        """Round to float32, as a tensor of float64."""
        return self.double(self.add("Cast", x, to=TensorProto.FLOAT))

    def repeated(self, row: Array) -> str:
        """Repeat a constant of shape (1, ...) for each row."""
        count = self.add("Gather", self.add("Shape", self.rows), np.array([0]), axis=0)
        shape = self.add("Concat", count, np.array(row.shape[1:], dtype=np.int64), axis=0)
        return self.add("Expand", row, shape)

    def sum(self, x: str) -> str:
        """Add up the columns, in any order; shape (rows, 1)."""
        return self.add("ReduceSum", x, np.array([1]), keepdims=1)

    def last_sum(self, x: str, length: int) -> str:
        """Add up along axis 1, one after the other, with any number of threads; that axis is dropped."""
        return self.add("Gather", self.add("CumSum", x, np.array(1)), np.array(length - 1), axis=1)

    def rounded_sum(self, parts: list[str]) -> str:
        """Add up tensors in twice the precision, rounded once, as `FW_sum` does in C; one after the other where that overflows.

        The order of the parts then hardly ever matters, so that equal distances stay equal.
        """
        high, low, plain = parts[0], "", parts[0]
        for part in parts[1:]:
            whole = self.add("Add", high, part)
            own = self.add("Sub", whole, high)
            rest = self.add("Add", self.add("Sub", high, self.add("Sub", whole, own)), self.add("Sub", part, own))
            high, low, plain = whole, self.add("Add", low, rest) if low else rest, self.add("Add", plain, part)
        if not low:
            return high
        precise = self.add("Add", high, low)
        return self.add("Where", self.not_finite(precise), plain, precise)

    def loop(self, times: int, first: str, body: Callable[[Graph, str], tuple[str, str]]) -> str:
        """Change a tensor of shape (rows, columns) at most `times`.

        :param body: from a graph of its own and the tensor to the changed one, and whether to go on.
        """
        inner = Graph(self.nulls, f"{self.prefix}b{len(self.nodes)}_")
        names = [f"{inner.prefix}{name}" for name in ("turn", "on", "x")]
        inner.rows = names[2]
        changed, on = body(inner, names[2])
        types = (TensorProto.INT64, TensorProto.BOOL, TensorProto.DOUBLE)
        infos = [
            helper.make_tensor_value_info(name, dtype, [None, None] if dtype == TensorProto.DOUBLE else [])
            for name, dtype in zip([*names, on, changed], [*types, *types[1:]], strict=True)
        ]
        graph = helper.make_graph(inner.nodes, f"{inner.prefix}body", infos[:3], infos[3:], initializer=inner.constants)
        return self.add("Loop", np.array(times), np.array(True), first, body=graph)

    def refusing(self, x: str, bad: str) -> str:
        """Return `x`, and let the runtime refuse the call where `bad` is true: it then looks up a place that does not exist."""
        fine = self.add("Gather", np.array([True]), self.whole(bad), axis=0)
        return self.add("Where", fine, x, np.nan)

    def not_finite(self, x: str) -> str:
        """Say where numbers are infinite or NaN."""
        return self.add("Or", self.add("IsNaN", x), self.add("IsInf", x))
