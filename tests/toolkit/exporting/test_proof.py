"""The proof finds an export that answers otherwise, and a runtime that ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flyweight.models import file as model_file
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.exporting.answering import Refused, answered
from flyweight.toolkit.exporting.edge_cases import rows_of
from flyweight.toolkit.exporting.export import find
from flyweight.toolkit.exporting.planned import NotExported, Planned
from flyweight.toolkit.exporting.proof import compare

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture
def forest(model: Callable[[str], Path]) -> Planned:
    return Planned(model_file.read(str(model("forest"))))


def written(planned: Planned, path: Path, change: Callable[[object], None]) -> Path:
    graph = onnx.load_from_string(find("onnx").write(planned)[".onnx"])
    for node in graph.graph.node:
        change(node)
    onnx.save(graph, str(path))
    return path


def test_a_threshold_that_is_one_unit_off_is_found(forest: Planned, tmp_path: Path) -> None:
    def moved(node: object) -> None:
        for attribute in getattr(node, "attribute", []):
            if attribute.name == "nodes_splits":
                splits = onnx.numpy_helper.to_array(attribute.t)
                attribute.t.CopyFrom(onnx.numpy_helper.from_array(np.nextafter(splits.astype(np.float32), -np.inf).astype(float)))

    rows = rows_of(forest, 600)
    assert compare(forest, "onnx", written(forest, tmp_path / "same.onnx", lambda node: None), rows).holds
    proof = compare(forest, "onnx", written(forest, tmp_path / "moved.onnx", moved), rows)
    assert not proof.holds
    assert proof.outputs["probabilities"].beyond > 0
    assert "probabilities in " in proof.faults[0] + proof.faults[-1]


def test_a_missing_value_that_goes_the_other_way_is_found(forest: Planned, tmp_path: Path) -> None:
    def turned(node: object) -> None:
        for attribute in getattr(node, "attribute", []):
            if attribute.name == "nodes_missing_value_tracks_true":
                attribute.ints[:] = [1 - way for way in attribute.ints]

    proof = compare(forest, "onnx", written(forest, tmp_path / "turned.onnx", turned), rows_of(forest, 300))
    assert proof.outputs["probabilities"].beyond > 0


def test_a_file_that_its_runtime_does_not_run_is_an_error_in_words(forest: Planned, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"\x00" * 50)
    with pytest.raises(RuntimeFailed, match="the runtime of onnx does not run the export"):
        compare(forest, "onnx", tmp_path / "broken.onnx", rows_of(forest, 5))


def test_rows_are_made_at_thresholds_behind_a_scaler(model: Callable[[str], Path]) -> None:
    planned = Planned(model_file.read(str(model("scaled_forest"))))
    step = next(step for step in planned.steps if step.name == "trees.sum")
    feature = np.asarray(step.node.array("feature", "I16 I32", (None,)).values)
    threshold = np.asarray(step.node.array("threshold", "F32 F64", (None,)).values).astype(float)
    known = threshold[feature == 0]
    values = [planned.engine.values(row)[step.reads[0]][0] for row in rows_of(planned, 300)[1]]
    near = [min(abs(v - known)) <= 1e-6 * max(1.0, abs(v)) for v in values]
    assert sum(near) > 20


def test_the_rows_that_are_refused_are_found_one_by_one() -> None:
    def answer(rows: list[list[float]]) -> list[dict[str, list[float]]]:
        if any(row[0] < 0 for row in rows):
            raise Refused
        return [{"values": row} for row in rows]

    assert answered(answer, [[1.0], [-1.0], [2.0], [3.0], [-2.0]]) == [
        {"values": [1.0]},
        None,
        {"values": [2.0]},
        {"values": [3.0]},
        None,
    ]


def test_a_model_without_a_plan_is_refused_in_words(model: Callable[[str], Path]) -> None:
    file = model_file.read(str(model("forest")))
    del file.document["plan"]
    with pytest.raises(NotExported, match="the model has no plan"):
        Planned(file)
