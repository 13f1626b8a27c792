"""Graphs are refused when they are loaded if they do not fit their file; else they answer, or refuse a row in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flyweight.engines import onnx
from flyweight.engines._protobuf import refuse_outside_data
from flyweight.errors import InvalidInput, ModelRefused
from flyweight.models.file import ModelFile
from flyweight.predictor import Predictor
from tests import graphs
from tests.engines.engine_files import GOOD, file_of, onnx_file

ONNX: dict[str, tuple[ModelFile, str]] = {
    "no bytes": (file_of({"engines": ["onnx"], "onnx": {"inputs": {"x": [0]}, "outputs": {"values": 1}}}), "no bytes of an onnx"),
    "no graph": (onnx_file(b"\0" * 64), "refuses the graph"),
    "truncated": (onnx_file(GOOD[:-20]), "refuses the graph"),
    "another form of onnxruntime's": (onnx_file(b"\x18\0\0\0ORTM" + GOOD), "refuses the graph"),
    "weights in a file": (onnx_file(graphs.onnx_affine([[1.0], [2.0], [3.0]], "secret.bin")), "outside of the file"),
    "a feature too far": (onnx_file(GOOD, inputs={"x": [0, 1, 3]}), "takes no table of features"),
    "a negative feature": (onnx_file(GOOD, inputs={"x": [0, 1, -1]}), "takes no table of features"),
    "too few features": (onnx_file(GOOD, inputs={"x": [0, 1]}), "do not fit the graph's input"),
    "another input": (onnx_file(GOOD, inputs={"z": [0, 1, 2]}), "from which features"),
    "no inputs": (onnx_file(GOOD, inputs=None), "from which features"),
    "another output": (onnx_file(GOOD, outputs={"values": {"name": "z", "width": 1}}), "does not give the outputs"),
    "no name": (onnx_file(GOOD, outputs={"values": {"width": 1}}), "does not give the outputs"),
    "an unknown output": (onnx_file(GOOD, outputs={"else": {"name": "y", "width": 1}}), "does not list the outputs"),
    "no outputs": (onnx_file(GOOD, outputs={}), "does not list the outputs"),
    "a width that is not a number": (
        onnx_file(GOOD, outputs={"values": {"name": "y", "width": True}}),
        "does not list the outputs",
    ),
    "a width that it does not give": (
        onnx_file(GOOD, outputs={"values": {"name": "y", "width": 2}}),
        r"shape \(1, 1\), not \(1, 2\)",
    ),
    "a width that is not the signature's": (
        onnx_file(graphs.onnx_affine(np.ones((3, 2))), outputs={"values": {"name": "y", "width": 2}}),
        "not what the signature promises",
    ),
}


@pytest.mark.parametrize(("file", "words"), ONNX.values(), ids=ONNX.keys())
def test_a_hostile_graph_is_refused_when_it_is_loaded(file: ModelFile, words: str) -> None:
    with pytest.raises(ModelRefused, match=words):
        Predictor(file)


def test_data_outside_is_found_in_every_place_of_a_tensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx import ModelProto, helper

    monkeypatch.chdir(tmp_path)
    Path("secret.bin").write_bytes(np.arange(3.0).tobytes())
    outside = ModelProto.FromString(graphs.onnx_affine([[1.0], [2.0], [3.0]], "secret.bin")).graph.initializer[0]
    constant = helper.make_node("Constant", [], ["w"])
    constant.attribute.append(helper.make_attribute("value", outside))
    data = graphs.onnx_graph([constant, helper.make_node("MatMul", ["x", "w"], ["y"])], 3, 1)
    with pytest.raises(ModelRefused, match="outside of the file"):
        Predictor(onnx_file(data))
    nested = helper.make_graph([constant], "inner", [], [helper.make_tensor_value_info("w", 11, [3, 1])])
    branch = helper.make_node("If", ["c"], ["w"])
    branch.attribute.extend([helper.make_attribute("then_branch", nested), helper.make_attribute("else_branch", nested)])
    with pytest.raises(ModelRefused, match="outside of the file"):
        onnx.session(graphs.onnx_graph([branch, helper.make_node("MatMul", ["x", "w"], ["y"])], 3, 1))


def test_a_tag_that_others_read_as_another_field_is_refused() -> None:
    """Onnxruntime's protobuf cuts tags to 32 bits: it reads 2**32 more than `graph` as `graph`; this walk once skipped it."""
    data = bytearray(graphs.onnx_affine([[1.0], [2.0], [3.0]], "secret.bin"))
    at = data.index(b"\x3a")  # ModelProto.graph
    data[at : at + 1] = b"\xba\x80\x80\x80\x10"
    with pytest.raises(ModelRefused, match="not an ONNX model"):
        refuse_outside_data(bytes(data))


def test_damaged_graphs_are_refused_or_answer() -> None:
    """Randomly changed bytes lead to an answer or to a refusal in words."""
    rng = np.random.default_rng(1)
    outcomes = set()
    for _ in range(150):
        data = bytearray(GOOD)
        for place in rng.integers(0, len(data), 2):
            data[place] = rng.integers(256)
        try:
            Predictor(onnx_file(bytes(data))).predict([[1.0, 2.0, 3.0]])
            outcomes.add("answered")
        except (ModelRefused, InvalidInput):
            outcomes.add("refused")
    assert "refused" in outcomes


def test_a_graph_answers_and_refuses_by_the_row() -> None:
    from onnx import TensorProto, helper

    predictor = Predictor(onnx_file(GOOD))
    assert predictor.predict([[1.0, 1.0, 1.0], [0.0, 0.0, 2.0]]).predictions == [6.0, 6.0]
    nodes = [
        helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64),
        helper.make_node("Constant", [], ["s"], value=helper.make_tensor("s", TensorProto.DOUBLE, [2, 1], [5.0, 7.0])),
        helper.make_node("Slice", ["i", "from", "to", "axis"], ["first"]),
        helper.make_node("Squeeze", ["first", "axis"], ["flat"]),
        helper.make_node("Gather", ["s", "flat"], ["y"], axis=0),
    ]
    bounds = [helper.make_tensor(name, TensorProto.INT64, [1], [value]) for name, value in (("from", 0), ("to", 1), ("axis", 1))]
    gather = Predictor(onnx_file(graphs.onnx_graph(nodes, 3, 1, bounds)))
    assert gather.predict([[0, 0, 0], [1, 0, 0]]).predictions == [5.0, 7.0]
    with pytest.raises(InvalidInput, match="instance 3: expected a row that the model takes") as refused:
        gather.predict([[0, 0, 0], [1, 0, 0], [1, 0, 0], [9, 0, 0], [0, 0, 0]])
    assert "onnxruntime" not in str(refused.value)


@pytest.mark.parametrize("rows", [1, 4])
def test_a_graph_of_a_fixed_number_of_rows(rows: int) -> None:
    from onnx import ModelProto

    model = ModelProto.FromString(GOOD)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = rows
    file = onnx_file(model.SerializeToString())
    if rows == 1:
        assert Predictor(file).predict([[1.0, 1.0, 1.0], [0.0, 0.0, 2.0]]).predictions == [6.0, 6.0]
    else:
        with pytest.raises(ModelRefused, match="takes exactly 4 rows at a time"):
            Predictor(file)


@pytest.mark.parametrize(
    "sample", [{"instances": [{"a": 10**400}]}, {"instances": [[1]]}, {"instances": 3}, [], {"instances": [{}]}]
)
def test_a_malformed_sample_does_not_stop_the_engine(sample: Any) -> None:
    spec = {"inputs": {"x": [0, 1, 2]}, "outputs": {"values": {"name": "y", "width": 1}}}
    predictor = Predictor(file_of({"engines": ["onnx"], "onnx": spec, "sample": sample}, onnx=GOOD))
    assert predictor.predict([[1.0, 1.0, 1.0]]).predictions == [6.0]


def test_a_graph_that_gives_something_else_later_is_no_answer() -> None:
    """Shapes that depend on the rows are refused by the request that meets them, in plain words."""
    from onnx import helper

    unique = [helper.make_node("Unique", ["x"], ["u"], axis=0), helper.make_node("ReduceSum", ["u", "one"], ["y"], keepdims=1)]
    axis = helper.make_tensor("one", 7, [1], [1])
    predictor = Predictor(onnx_file(graphs.onnx_graph(unique, 3, 1, [axis])))
    assert predictor.predict([[1, 2, 3], [4, 5, 6]]).predictions == [6.0, 15.0]
    with pytest.raises(ModelRefused, match=r"gives values of shape \(1, 1\), not \(2, 1\)"):
        predictor.predict([[1, 2, 3], [1, 2, 3]])


def test_a_graph_runs_on_one_thread_unless_the_deployment_has_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert onnx.session(GOOD).get_session_options().intra_op_num_threads == 1
    monkeypatch.setenv("FLYWEIGHT_THREADS", "2")
    assert onnx.session(GOOD).get_session_options().intra_op_num_threads == 2
