"""Graphs that were made elsewhere, for the tests of the engines that run them."""

from __future__ import annotations

from typing import Any

import numpy as np


def onnx_affine(weights: Any, outside: str = "") -> bytes:
    """`y = x @ weights` as an ONNX graph over one table `x`; with `outside`, the weights lie in a file of that name."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.asarray(weights, dtype=float)
    tensor = numpy_helper.from_array(weights, "w")
    if outside:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", outside
    return onnx_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], weights.shape[0], weights.shape[1], [tensor])


def onnx_graph(nodes: list[Any], features: int, width: int, tensors: list[Any] | None = None) -> bytes:
    """A graph of these nodes, from a table `x` to a table `y`."""
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, features])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [None, width])],
        tensors or [],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    data: bytes = model.SerializeToString()
    return data


def tflite_logistic(weights: Any, bias: Any) -> bytes:
    """`y = logistic(x @ weights.T + bias)` as a `.tflite` file: one FULLY_CONNECTED and one LOGISTIC."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    weights, bias = np.asarray(weights, "<f4"), np.asarray(bias, "<f4")
    width, features = weights.shape

    def code(builtin: int) -> Any:
        made = schema.OperatorCodeT()
        made.builtinCode = made.deprecatedBuiltinCode = builtin
        made.version = 1
        return made

    def buffer(array: Any = None) -> Any:
        made = schema.BufferT()
        made.data = None if array is None else np.frombuffer(array.tobytes(), np.uint8)
        return made

    def tensor(name: str, shape: list[int], place: int) -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.buffer = name, np.array(shape, np.int32), place
        made.type = schema.TensorType.FLOAT32
        return made

    def operator(place: int, inputs: list[int], output: int) -> Any:
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = place, np.array(inputs, np.int32), np.array([output], np.int32)
        return made

    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("x", [1, features], 0),
        tensor("w", [width, features], 1),
        tensor("b", [width], 2),
        tensor("h", [1, width], 0),
        tensor("y", [1, width], 0),
    ]
    graph.inputs, graph.outputs = np.array([0], np.int32), np.array([4], np.int32)
    affine = operator(0, [0, 1, 2], 3)
    affine.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    affine.builtinOptions = schema.FullyConnectedOptionsT()
    graph.operators = [affine, operator(1, [3], 4)]
    model = schema.ModelT()
    model.version, model.description, model.subgraphs = 3, "test", [graph]
    model.operatorCodes = [code(schema.BuiltinOperator.FULLY_CONNECTED), code(schema.BuiltinOperator.LOGISTIC)]
    model.buffers = [buffer(), buffer(weights), buffer(bias)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
