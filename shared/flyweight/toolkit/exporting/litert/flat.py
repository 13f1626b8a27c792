"""Build a LiteRT model: operators, tensors and buffers of one subgraph, written as a flatbuffer.

The format: https://ai.google.dev/edge/litert and the schema that the package ai-edge-litert carries. The first axis of every
tensor is the rows, whose number is not fixed.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

Array = np.ndarray[Any, Any]
FLOAT, INT, BOOL = schema.TensorType.FLOAT32, schema.TensorType.INT32, schema.TensorType.BOOL
IDENTIFIER = b"TFL3"


class Flat:
    """A model that is being built.

    `tables`: for trees, what the caller needs to make answers of leaves; `leaves`: the tensor that has these.
    """

    def __init__(self, width: int) -> None:
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.operatorCodes, self.model.metadata = 3, [], []
        self.model.subgraphs, self.model.buffers = [self.graph], [schema.BufferT()]
        self.graph.tensors, self.graph.operators, self.graph.outputs = [], [], []
        self._codes: dict[tuple[int, int], int] = {}
        self.tables: dict[str, Any] = {}
        self.leaves = -1
        self.input = self.tensor(width, FLOAT, "X")
        self.graph.inputs = [self.input]

    def tensor(self, width: int, dtype: int = FLOAT, name: str = "") -> int:
        """Add a tensor of `width` columns and return its number."""
        made = schema.TensorT()
        made.name = (name or f"t{len(self.graph.tensors)}").encode()
        made.shape, made.shapeSignature, made.type = [1, width], [-1, width], dtype
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def constant(self, array: Any, dtype: int = FLOAT) -> int:
        """Add a constant and return its number."""
        content: Array = np.asarray(array, dtype=np.float32 if dtype == FLOAT else np.int32)
        made, buffer = schema.TensorT(), schema.BufferT()
        made.name, made.shape, made.type = f"c{len(self.graph.tensors)}".encode(), [*content.shape], dtype
        buffer.data = np.frombuffer(content.tobytes(), dtype=np.uint8)
        self.model.buffers.append(buffer)
        made.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def width(self, tensor: int) -> int:
        """Return the columns of a tensor."""
        return int(self.graph.tensors[tensor].shape[-1])

    def add(
        self, op: str, inputs: list[int], width: int, dtype: int = FLOAT, options: str = "", version: int = 1, **fields: Any
    ) -> int:
        """Add an operator of one output and return the output's number.

        :param op: the operator's name in the schema.
        :param width: the columns of its output.
        :param options: the name of its table of options, as `GatherOptions`; `fields` are its fields.
        """
        code = getattr(schema.BuiltinOperator, op)
        if (code, version) not in self._codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), version
            self._codes[code, version] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(entry)
        made, output = schema.OperatorT(), self.tensor(width, dtype)
        made.opcodeIndex, made.inputs, made.outputs = self._codes[code, version], inputs, [output]
        if options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            made.builtinOptions = getattr(schema, f"{options}T")()
            for name, value in fields.items():
                setattr(made.builtinOptions, name, value)
        self.graph.operators.append(made)
        return output

    def output(self, tensor: int, name: str) -> None:
        """Make a tensor an output of that name; one that is an output already, or the input, is copied."""
        if tensor in self.graph.outputs or tensor in self.graph.inputs:
            tensor = self.add("ADD", [tensor, self.constant([0.0])], self.width(tensor), options="AddOptions")
        self.graph.tensors[tensor].name = name.encode()
        self.graph.outputs.append(tensor)

    def content(self) -> bytes:
        """Return the file's bytes."""
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self.model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output())
