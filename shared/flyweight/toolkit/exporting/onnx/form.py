"""Write a plan as an ONNX graph (https://onnx.ai/onnx/repo-docs/IR.html).

The input is one table `X` if all features are numbers, else one column a feature under its name. A classifier gives `label`, or
`index` where its labels are of several types; then follow the outputs of the model under their names.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from flyweight import __version__
from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.onnx.nodes import value_of
from flyweight.toolkit.exporting.planned import NotExported, Planned, Value

OPSETS = {"": 21, "ai.onnx.ml": 5}
IR_VERSION = 10
LABELS = {str: TensorProto.STRING, int: TensorProto.INT64, float: TensorProto.DOUBLE}
ORDER = ("index", "values", "probabilities", "scores", "score_samples", "transformed")
TWO_GIB = 2**31


class Onnx:
    """The form of ONNX graphs."""

    title = "ONNX"
    suffix = ".onnx"
    needs = ("onnx", "onnxruntime")
    install = 'python -m pip install "flyweight[onnx]"'
    precise = True

    def write(self, planned: Planned) -> dict[str, bytes]:
        """Make the graph and check it.

        :raises NotExported: an op has no form in ONNX, or the graph is not valid or too large.
        """
        graph = Graph(planned.nulls)
        inputs, first = _inputs(graph, planned)
        values = {0: first}
        for step in planned.steps:
            values[step.slot] = value_of(graph, step, [values[slot] for slot in step.reads])
        outputs = [_output(graph, planned, name, values[planned.outputs[name]]) for name in ORDER if name in planned.outputs]
        made = helper.make_graph(graph.nodes, planned.name, inputs, outputs, initializer=graph.constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        model = helper.make_model(
            made, opset_imports=opsets, ir_version=IR_VERSION, producer_name="flyweight", producer_version=__version__
        )
        if model.ByteSize() >= TWO_GIB:
            raise NotExported("the graph would have 2 GiB or more, which ONNX can't hold in a file", "train a smaller model")
        try:
            onnx.checker.check_model(model, full_check=True)
        except onnx.checker.ValidationError as error:
            raise NotExported(f"the graph is not valid: {error}", "please report this, with the model's steps") from error
        return {self.suffix: model.SerializeToString(deterministic=True)}

    def annotate(self, files: dict[str, bytes], about: dict[str, str]) -> dict[str, bytes]:
        """Add the texts to the graph's `metadata_props`."""
        model = onnx.load_from_string(files[self.suffix])
        for key, text in about.items():
            model.metadata_props.add(key=key, value=text)
        return {self.suffix: model.SerializeToString(deterministic=True)}


def _inputs(graph: Graph, planned: Planned) -> tuple[list[Any], Value]:
    """Declare the graph's inputs, and return them as the plan's first value."""
    kinds = planned.kinds[0]
    if "s" not in kinds:
        graph.rows = "X"
        return [helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["rows", len(kinds)])], Value(kinds, "X")
    names = [feature.name for feature in planned.signature.features]
    infos, parts = [], {"n": list[str](), "s": list[str]()}
    for name, kind in zip(names, kinds, strict=True):
        dtype = TensorProto.STRING if kind == "s" else TensorProto.DOUBLE
        infos.append(helper.make_tensor_value_info(name, dtype, ["rows", 1]))
        parts[kind].append(name)
    if clash := {name for name in names if name in {*graph_names(graph), *ORDER, "label"} or not name}:
        raise NotExported(f"a feature is named {min(clash)!r}, as an output is", "rename the feature, and train again")
    graph.rows = names[0]
    numbers, strings = (graph.joined(parts[kind]) if parts[kind] else "" for kind in "ns")
    return infos, Value(kinds, numbers, strings)


def graph_names(graph: Graph) -> list[str]:
    """List the names of the graph's own values."""
    return [name for node in graph.nodes for name in node.output]


def _output(graph: Graph, planned: Planned, name: str, value: Value) -> Any:
    """Name one output's tensor and declare it."""
    width = len(value.kinds)
    if name != "index":
        tensor = value.numbers
        dtype: int = TensorProto.DOUBLE
        if "s" in value.kinds:
            if "n" in value.kinds:
                raise NotExported(f"the output {name} has numbers and texts, and a tensor of ONNX has one type", "")
            tensor, dtype = value.strings, TensorProto.STRING
        graph.nodes.append(helper.make_node("Identity", [tensor], [name]))
        return helper.make_tensor_value_info(name, dtype, ["rows", width])
    classes = planned.signature.classes or []
    types = {type(label) for labels in classes for label in labels}
    (label_type,) = types if len(types) == 1 else (None,)
    places = graph.whole(value.numbers)
    if label_type not in LABELS:
        graph.nodes.append(helper.make_node("Identity", [places], ["index"]))
        return helper.make_tensor_value_info("index", TensorProto.INT64, ["rows", width])
    columns = [_labels(graph, labels, graph.column(places, position)) for position, labels in enumerate(classes)]
    shape = [-1] if width == 1 else [-1, 1]
    columns = [graph.add("Reshape", column, np.array(shape)) for column in columns]
    tensor = columns[0] if width == 1 else graph.joined(columns)
    graph.nodes.append(helper.make_node("Identity", [tensor], ["label"]))
    return helper.make_tensor_value_info("label", LABELS[label_type], ["rows"] if width == 1 else ["rows", width])


def _labels(graph: Graph, labels: list[Any], places: str) -> str:
    """Look up labels by an operator whose table readers of graphs take for the list of classes."""
    table = np.array(labels, dtype=object if isinstance(labels[0], str) else None)
    return graph.add("ArrayFeatureExtractor", table, places, domain="ai.onnx.ml")


FORM = Onnx()
