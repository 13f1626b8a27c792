"""LiteRT files give the leaves of the model exactly, and linear models and networks within a tolerance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flyweight.predictor import load
from flyweight.toolkit.exporting.export import export
from flyweight.toolkit.exporting.planned import NotExported
from tests.toolkit.exporting.conftest import ROWS, numbers

interpreters = pytest.importorskip("ai_edge_litert.interpreter")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["forest", "regressor"])
def test_trees_are_exact_with_their_table(name: str, model: Callable[[str], Path], tmp_path: Path) -> None:
    exported = export(model(name), "litert", tmp_path / "export.tflite", rows=ROWS)
    assert [own.differing for own in exported.proof.outputs.values()] == [0] * len(exported.proof.outputs)
    assert [Path(path).suffix for path in exported.files] == [".tflite", ".npz"]


def test_a_table_makes_answers_of_leaves_in_numpy_alone(model: Callable[[str], Path], tmp_path: Path) -> None:
    export(model("regressor"), "litert", tmp_path / "export.tflite", rows=20)
    interpreter, table = interpreters.Interpreter(model_path=str(tmp_path / "export.tflite")), np.load(tmp_path / "export.npz")
    X = numbers()[0][:50].to_numpy()
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], X.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], X.astype(np.float32))
    interpreter.invoke()
    leaves = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    y = np.zeros(len(X)) + table["base"]
    for tree in range(leaves.shape[1]):
        y += table["leaves"][leaves[:, tree], 0]
    assert (y / table["divide"]).tolist() == load(str(model("regressor"))).predict(X.tolist()).predictions


@pytest.mark.parametrize("name", ["linear", "network"])
def test_sums_in_float32_need_a_tolerance(name: str, model: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(NotExported, match="answers otherwise") as refused:
        export(model(name), "litert", tmp_path / "export.tflite", rows=20)
    assert "--tolerance" in refused.value.next_step
    exported = export(model(name), "litert", tmp_path / "export.tflite", rows=ROWS, tolerance=1e-4)
    assert exported.proof.outputs["index"].beyond == 0
    assert exported.proof.outputs["probabilities"].differing > 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [("scaled_forest", "computed before the trees"), ("histogram", "float64"), ("mixed", "a feature is a text")],
)
def test_what_float32_can_not_hold_is_refused(name: str, reason: str, model: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(NotExported, match=reason):
        export(model(name), "litert", tmp_path / "export.tflite", tolerance=1e-4)


def test_a_network_can_be_packed_again(model: Callable[[str], Path], tmp_path: Path) -> None:
    from flyweight.toolkit.packing.pack_graph import pack_graph

    export(model("network"), "litert", tmp_path / "export.tflite", rows=20, tolerance=1e-4)
    packed = pack_graph(tmp_path / "export.tflite", tmp_path / "again.safetensors", sample=numbers()[0][:5], classes=[0, 1, 2])
    again, first = load(str(packed.path)), load(str(model("network")))
    rows = numbers()[0][:20].to_numpy().tolist()
    assert again.predict(rows).predictions == first.predict(rows).predictions
