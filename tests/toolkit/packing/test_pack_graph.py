"""Graphs that were made elsewhere: their signature, the answers that they are compared with, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from flyweight.errors import InvalidInput, ModelRefused
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.packing.pack import Packed, ParityFailed
from flyweight.toolkit.packing.pack_graph import NOT_COMPARED, GraphRefused, pack_graph
from tests import graphs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3)).astype(np.float32).astype(float)
y = X @ [1.0, -2.0, 0.5]
LABELS = np.array(["a", "b", "c"])[(y > -1).astype(int) + (y > 1)]
FRAME = pd.DataFrame(X, columns=["p", "q", "r"])
TARGET = {"": 18, "ai.onnx.ml": 3}
WEIGHTS, BIAS = np.array([[0.5, -1.0, 2.0]]), np.array([0.25])


def loaded(packed: Packed) -> Predictor:
    return Predictor(model_file.parse(packed.data))


def saved(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def converted(path: Path, estimator: Any, zipmap: bool = False, inputs: Any = None) -> Path:
    options = {id(estimator): {"zipmap": zipmap}} if hasattr(estimator, "predict_proba") else None
    inputs = inputs or [("X", FloatTensorType([None, 3]))]
    return saved(path, to_onnx(estimator, initial_types=inputs, options=options, target_opset=TARGET).SerializeToString())


def with_answers(estimator: Any) -> pd.DataFrame:
    sample = FRAME.assign(prediction=estimator.predict(X))
    probabilities = estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else np.empty((len(X), 0))
    return sample.assign(
        **{f"probability_{c}": p for c, p in zip(getattr(estimator, "classes_", []), probabilities.T, strict=True)}
    )


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("name", ["logistic", "forest"])
def test_a_classifier_with_expected_answers(name: str, zipmap: bool, tmp_path: Path) -> None:
    model = {"logistic": LogisticRegression(), "forest": RandomForestClassifier(5, random_state=0)}[name].fit(X, LABELS)
    packed = pack_graph(converted(tmp_path / "m.onnx", model, zipmap), sample=with_answers(model), tolerance=1e-5)
    assert (packed.engine, packed.parity.rows_sample, packed.parity.label_differences) == ("onnx", 90, 0)
    assert 0 < packed.parity.largest["probabilities"] <= 1e-5
    predictor = loaded(packed)
    assert predictor.signature.classes == [["a", "b", "c"]] and predictor.passes_self_test()
    assert [feature.name for feature in predictor.signature.features] == ["p", "q", "r"]
    assert predictor.predict(FRAME).predictions == model.predict(X).tolist()


def test_answers_that_differ_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    model = LogisticRegression().fit(X, LABELS)
    source, sample = converted(tmp_path / "m.onnx", model), with_answers(model)
    with pytest.raises(ParityFailed, match="probabilities differ by"):
        pack_graph(source, tmp_path / "m.safetensors", sample=sample)
    with pytest.raises(ParityFailed, match="label"):
        pack_graph(source, tmp_path / "m.safetensors", sample=sample.assign(prediction="a"), tolerance=1e-5)
    assert not (tmp_path / "m.safetensors").exists()


def test_labels_alone_are_compared(tmp_path: Path) -> None:
    model = LogisticRegression().fit(X, LABELS)
    sample = with_answers(model)[["p", "q", "r", "prediction"]]
    packed = pack_graph(converted(tmp_path / "m.onnx", model), sample=sample)
    assert packed.parity.rows_sample == 90


def test_a_graph_in_float64_keeps_the_usual_bound(tmp_path: Path) -> None:
    source = saved(tmp_path / "m.onnx", graphs.onnx_affine([[1.0], [-2.0], [0.5]]))
    packed = pack_graph(source, tmp_path / "m.safetensors", sample=FRAME.assign(prediction=y))
    assert packed.parity.tolerance is None and packed.parity.largest["values"] <= 1e-12
    assert (tmp_path / "m.safetensors").read_bytes() == packed.data


def test_a_table_of_several_numbers_is_a_regression_of_several_outputs(tmp_path: Path) -> None:
    weights = RNG.normal(size=(3, 2))
    source, expected = saved(tmp_path / "m.onnx", graphs.onnx_affine(weights)), X @ weights
    packed = pack_graph(source, sample=FRAME.assign(prediction_0=expected[:, 0], prediction_1=expected[:, 1]))
    assert loaded(packed).signature.outputs == 2 and packed.parity.rows_sample == 90


@pytest.mark.parametrize("sample", [None, FRAME])
def test_without_expected_answers_the_file_says_that_nothing_was_compared(sample: Any, tmp_path: Path) -> None:
    source = saved(tmp_path / "m.onnx", graphs.onnx_affine([[1.0], [-2.0], [0.5]]))
    packed = pack_graph(source, sample=sample)
    document = loaded(packed).file.document
    assert document["parity"]["compared_with"] == NOT_COMPARED and document["parity"]["rows_sample"] == 0
    assert ("sample" in document) == (sample is not None)
    assert [feature["name"] for feature in document["signature"]["features"]] == (
        ["x0", "x1", "x2"] if sample is None else [*"pqr"]
    )


def test_a_column_an_input_with_strings_and_whole_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"color": ["red", "blue", "red"] * 20, "size": [1.5, 2.5, 0.5] * 20})
    columns = make_column_transformer((OneHotEncoder(), ["color"]), (StandardScaler(), ["size"]))
    model = make_pipeline(columns, Ridge()).fit(frame, frame["size"])
    inputs = [("color", StringTensorType([None, 1])), ("size", FloatTensorType([None, 1]))]
    source = converted(tmp_path / "m.onnx", model, inputs=inputs)
    packed = pack_graph(source, sample=frame.assign(prediction=model.predict(frame)), tolerance=1e-5)
    predictor = loaded(packed)
    assert [(f.name, f.kind, f.nullable) for f in predictor.signature.features] == [
        ("color", "string", False),
        ("size", "number", False),
    ]
    assert predictor.predict([["blue", 1.0]]).predictions == pytest.approx(
        model.predict(pd.DataFrame({"color": ["blue"], "size": [1.0]})), abs=1e-5
    )
    whole = to_onnx(Ridge().fit(X, y), initial_types=[("X", Int64TensorType([None, 3]))], target_opset=TARGET)
    by_number = loaded(pack_graph(saved(tmp_path / "i.onnx", whole.SerializeToString())))
    assert by_number.predict([[1, 2, 3]]).predictions
    with pytest.raises(InvalidInput, match=r"instance 1, feature 'x2': expected a whole number"):
        by_number.predict([[1, 2, 3], [1, 2, 3.5]])


def test_a_missing_value_is_taken_if_the_graph_answers_it(tmp_path: Path) -> None:
    forest = RandomForestClassifier(3, random_state=0).fit(X, LABELS)
    takes = loaded(pack_graph(converted(tmp_path / "f.onnx", forest)))
    refuses = loaded(pack_graph(converted(tmp_path / "r.onnx", Ridge().fit(X, y))))
    assert [feature.nullable for feature in takes.signature.features] == [True] * 3
    assert [feature.nullable for feature in refuses.signature.features] == [False] * 3


def test_classes_are_needed_if_the_graph_does_not_name_them(tmp_path: Path) -> None:
    from onnx import helper

    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Softmax", ["h"], ["y"], axis=1),
    ]
    weights = RNG.normal(size=(3, 2))
    tensor = helper.make_tensor("w", 11, [3, 2], weights.ravel())
    source = saved(tmp_path / "m.onnx", graphs.onnx_graph(nodes, 3, 2, [tensor]))
    assert loaded(pack_graph(source)).signature.task == "regression"
    predictor = loaded(pack_graph(source, classes=["no", "yes"]))
    expected = np.array(["no", "yes"])[(X @ weights).argmax(axis=1)]
    assert predictor.predict(X).predictions == expected.tolist()
    with pytest.raises(GraphRefused, match="no probabilities of 3 classes"):
        pack_graph(source, classes=["a", "b", "c"])


REFUSED: dict[str, tuple[Any, str, str]] = {
    "too few columns": (FRAME[["p"]], "takes 3 features, the sample has 1", "exactly its features"),
    "strings": (FRAME.assign(q="x"), "column 'q' of the sample holds strings", "as the graph takes them"),
}


@pytest.mark.parametrize(("sample", "words", "helps"), REFUSED.values(), ids=REFUSED.keys())
def test_a_sample_that_does_not_fit_the_graph_is_refused(sample: Any, words: str, helps: str, tmp_path: Path) -> None:
    source = saved(tmp_path / "m.onnx", graphs.onnx_affine([[1.0], [-2.0], [0.5]]))
    with pytest.raises(GraphRefused, match=words) as refused:
        pack_graph(source, sample=sample)
    assert helps in refused.value.next_step


@pytest.mark.parametrize("name", ["m.onnx", "m.tflite"])
def test_other_files_are_refused_as_graphs(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="refuses the"):
        pack_graph(saved(tmp_path / name, b"junk" * 20))


def test_a_tflite_file_with_expected_answers(tmp_path: Path) -> None:
    source = saved(tmp_path / "m.tflite", graphs.tflite_logistic(WEIGHTS, BIAS))
    chance = 1 / (1 + np.exp(-(X @ WEIGHTS.T + BIAS)))[:, 0]
    packed = pack_graph(source, sample=FRAME.assign(prediction=chance), tolerance=1e-6)
    assert packed.engine == "litert" and {*packed.requires} == {"ai-edge-litert", "numpy"}
    predictor = loaded(packed)
    assert predictor.predict(FRAME).predictions == pytest.approx(chance.tolist(), abs=1e-6)
    assert predictor.predict(FRAME[:1]).predictions == predictor.predict(FRAME).predictions[:1]
    with pytest.raises(ParityFailed):
        pack_graph(source, sample=FRAME.assign(prediction=chance + 0.1), tolerance=1e-6)


def test_one_probability_is_given_as_two(tmp_path: Path) -> None:
    source = saved(tmp_path / "m.tflite", graphs.tflite_logistic(WEIGHTS, BIAS))
    chance = 1 / (1 + np.exp(-(X @ WEIGHTS.T + BIAS)))[:, 0]
    sample = FRAME.assign(prediction=np.where(chance > 0.5, "yes", "no"), probability_no=1 - chance, probability_yes=chance)
    packed = pack_graph(source, sample=sample, classes=["no", "yes"], tolerance=1e-6)
    answer = loaded(packed).predict(FRAME)
    assert answer.predictions == sample["prediction"].tolist()
    assert np.allclose(answer.probabilities, np.c_[1 - chance, chance], atol=1e-6)
