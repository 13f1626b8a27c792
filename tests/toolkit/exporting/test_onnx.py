"""ONNX graphs answer as the model does: trees bit for bit, sums within rounding, refusals alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.impute import KNNImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.neighbors import KNeighborsClassifier

import flyweight
from flyweight.models import file as model_file
from flyweight.predictor import load
from flyweight.toolkit.exporting.export import export
from flyweight.toolkit.exporting.planned import NotExported, Planned
from flyweight.toolkit.packing.parity import scale_of
from tests.toolkit.exporting.conftest import MODELS, ROWS, encoded, mixed, numbers, ties

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
EXACT = {"forest", "scaled_forest", "regressor", "xgboost", "median", "neighbors"}
TREES = {"votes", "gradient", "histogram", "categorical", "lightgbm"}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_graph_answers_as_the_model_does(name: str, model: Callable[[str], Path], tmp_path: Path) -> None:
    exported = export(model(name), "onnx", tmp_path / "export.onnx", rows=ROWS)
    outputs = exported.proof.outputs
    assert min(own.rows for own in outputs.values()) > ROWS // 2
    differing = {output for output, own in outputs.items() if own.differing}
    assert differing <= (set() if name in EXACT else {"probabilities"} if name in TREES else outputs.keys() - {"index"})
    assert all(own.largest < 1e-10 for own in outputs.values())
    onnx.checker.check_model(str(tmp_path / "export.onnx"), full_check=True)


def test_a_graph_says_what_it_is_and_how_it_was_proved(model: Callable[[str], Path], tmp_path: Path) -> None:
    exported = export(model("forest"), "onnx", tmp_path / "export.onnx", rows=ROWS)
    kept = {entry.key: entry.value for entry in onnx.load(tmp_path / "export.onnx").metadata_props}
    assert kept["flyweight.sha256"] == load(str(model("forest"))).file.sha256
    assert json.loads(kept["flyweight.proof"]) == exported.proof.document()
    assert json.loads(kept["flyweight.features"])[0] == ["x0", "number"]


def test_two_exports_are_the_same_bytes(model: Callable[[str], Path], tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        export(model("forest"), "onnx", tmp_path / name, rows=20)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_trees_are_exact_with_any_number_of_threads_and_rows(model: Callable[[str], Path], tmp_path: Path) -> None:
    export(model("forest"), "onnx", tmp_path / "export.onnx", rows=20)
    rows = np.random.default_rng(3).normal(size=(500, 6))
    expected = load(str(model("forest"))).predict_proba(rows)
    for threads in (1, 2, 4):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(tmp_path / "export.onnx", options)
        for count in (1, 64, 500):
            (given,) = session.run(["probabilities"], {"X": rows[:count]})
            assert np.array_equal(given, expected[:count])


def test_of_training_rows_that_are_equally_near_the_first_counts(tmp_path: Path) -> None:
    """Neither parity nor a proof compares such rows, whose answer is by chance in scikit-learn."""
    X = ties()[0]
    flyweight.pack(KNNImputer(n_neighbors=3).fit(X), tmp_path / "m.safetensors", sample=X, engine="pure", edge_count=20)
    export(tmp_path / "m.safetensors", "onnx", tmp_path / "export.onnx", rows=20)
    planned = Planned(model_file.read(str(tmp_path / "m.safetensors")))
    expected = [planned.engine.values(row) for row in X.to_numpy().tolist()]
    open_rows = sum(scale_of(planned.plan, values) == np.inf for values in expected)
    (given,) = onnxruntime.InferenceSession(tmp_path / "export.onnx").run(None, {"X": X.to_numpy()})
    assert open_rows > 20
    (slot,) = planned.outputs.values()
    assert given.tolist() == [values[slot] for values in expected]


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "laplacian", "sigmoid", "chi2", "additive_chi2"])
def test_a_kernel_answers_as_the_model_does(kernel: str, tmp_path: Path) -> None:
    X = np.abs(numbers()[0].to_numpy())
    estimator = Nystroem(kernel=kernel, n_components=20, random_state=0).fit(X)
    flyweight.pack(estimator, tmp_path / "m.safetensors", sample=X, engine="pure", edge_count=20)
    (difference,) = export(tmp_path / "m.safetensors", "onnx", rows=100).proof.outputs.values()
    assert difference.rows > 50
    assert difference.beyond == 0


def test_a_search_for_neighbors_is_refused_in_words(tmp_path: Path) -> None:
    X, y = numbers()
    flyweight.pack(KNeighborsClassifier().fit(X, y), tmp_path / "m.safetensors", sample=X, engine="pure", edge_count=20)
    with pytest.raises(NotExported, match="of training rows at the same distance it keeps those that a tree meets first"):
        export(tmp_path / "m.safetensors", "onnx", tmp_path / "export.onnx")


def test_a_row_that_the_model_refuses_is_refused_by_the_graph(tmp_path: Path) -> None:
    X, y = mixed()
    X = X.dropna(subset=["color"])
    flyweight.pack(encoded("error").fit(X, y[X.index]), tmp_path / "m.safetensors", sample=X, engine="pure", edge_count=200)
    exported = export(tmp_path / "m.safetensors", "onnx", tmp_path / "export.onnx", rows=ROWS)
    assert exported.proof.refused_alike > 0
    assert exported.proof.answered == 0


def test_a_graph_can_be_packed_again(model: Callable[[str], Path], tmp_path: Path) -> None:
    from flyweight.toolkit.packing.pack_graph import pack_graph

    X = MODELS["linear"]()[1][0]
    export(model("linear"), "onnx", tmp_path / "export.onnx", rows=20)
    packed = pack_graph(tmp_path / "export.onnx", tmp_path / "again.safetensors", sample=X[:5])
    assert packed.path is not None
    first, again = load(str(model("linear"))).predict(X), load(str(packed.path)).predict(X)
    assert again.predictions == first.predictions
    assert np.allclose(again.probabilities, first.probabilities, rtol=0, atol=1e-14)


def test_texts_that_are_divided_into_words_are_refused_in_words(tmp_path: Path) -> None:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts = ["a good day", "a bad day", "good food", "bad food"] * 5
    estimator = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, [1, 0] * 10)
    flyweight.pack(estimator, tmp_path / "m.safetensors", sample=texts, engine="pure", edge_count=200)
    with pytest.raises(NotExported, match=r"text\.count: no operator of ONNX"):
        export(tmp_path / "m.safetensors", "onnx", tmp_path / "export.onnx")
    assert not (tmp_path / "export.onnx").exists()
