"""Packing: what is refused and why, what the report says, and what the file holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.kernel_approximation import AdditiveChi2Sampler
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import flyweight
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.convert import converters, converts
from flyweight.toolkit.convert.draft import ConversionRefused
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing.pack import ParityFailed, pack
from flyweight.toolkit.packing.sample import SampleRefused
from tests import fitted
from tests.parity import cases

X = np.random.default_rng(0).normal(size=(60, 3))
y = X @ [1.0, -2.0, 0.5]


class Doubler(TransformerMixin, BaseEstimator):
    """A user's own transformer."""

    def fit(self, X: Any, y: Any = None) -> Doubler:
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        return X * 2


class Scaler(StandardScaler):
    """A subclass, which may do anything."""


REFUSED: dict[str, tuple[Any, str]] = {
    "not an estimator": ({"a": 1}, "not a scikit-learn estimator"),
    "not fitted": (make_pipeline(StandardScaler(), Ridge()), "not fitted; call fit first"),
    "own class": (make_pipeline(Doubler(), Ridge()).fit(X, y), r"step doubler, \w+.Doubler: this class has no conversion"),
    "subclass": (
        make_pipeline(Scaler(), Ridge()).fit(X, y),
        r"step scaler, .*subclass of StandardScaler.*use StandardScaler itself",
    ),
    "a function": (make_pipeline(FunctionTransformer(np.sinh), Ridge()).fit(X, y), r"FunctionTransformer\(sinh\).*code"),
    "a model in front of boosting": (
        GradientBoostingRegressor(init=LinearRegression(), n_estimators=2).fit(X, y),
        "init=LinearRegression predicts per row; fit with init=None",
    ),
    "deep inside": (
        make_pipeline(make_column_transformer((Doubler(), [0, 1]), remainder="passthrough"), Ridge()).fit(X, y),
        r"step columntransformer.doubler, \w+.Doubler: this class has no conversion",
    ),
}


@pytest.mark.parametrize(("estimator", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_an_estimator_without_a_conversion_is_refused_with_its_step_and_class(estimator: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConversionRefused, match=words):
        pack(estimator, tmp_path / "m.safetensors", sample=X, engine="pure")
    assert not any(tmp_path.iterdir())


def test_a_class_has_one_converter() -> None:
    assert len(converters()) >= 30
    with pytest.raises(ValueError, match=r"sklearn.Ridge has two converters"):
        converts("sklearn.Ridge")(lambda estimator, x, draft: {})


def test_a_model_with_other_answers_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof can fail: an engine that is wrong by one part in a million is detected."""
    from flyweight.toolkit.convert import linear

    right = linear.affine

    def wrong(estimator: Any, x: Any, draft: Any) -> Any:
        value = right(estimator, x, draft)
        weights = f"{value.name}.weights"
        draft.arrays[weights] = draft.arrays[weights] * (1 + 1e-6)  # not in place: it may be the estimator's own array
        return value

    monkeypatch.setattr(linear, "affine", wrong)
    model = Ridge().fit(X, y)
    with pytest.raises(ParityFailed, match=r"values differ by .*, the bound is .*; row"):
        pack(model, tmp_path / "m.safetensors", sample=X, engine="pure")
    assert not any(tmp_path.iterdir())
    packed = pack(model, sample=X, tolerance=1e-3)
    assert packed.parity.tolerance == 1e-3


def test_a_threshold_moved_by_one_bit_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Edge rows lie on thresholds and beside them, so that `<` is told from `<=`."""
    from flyweight.toolkit.convert import trees

    right = trees.flat

    def moved(of: Any) -> Any:
        arrays = right(of)
        inner = arrays["feature"] >= 0
        arrays["threshold"][inner] = np.nextafter(arrays["threshold"][inner].astype(np.float32), -np.inf)
        return arrays

    estimator, sample = cases.FAMILIES["tree"]["regressor"]()
    monkeypatch.setattr(trees, "flat", moved)
    with pytest.raises(ParityFailed):
        pack(estimator, sample=sample, engine="pure")


def test_a_missing_value_that_goes_the_wrong_way_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    from flyweight.toolkit.convert import trees

    right = trees.flat
    monkeypatch.setattr(trees, "flat", lambda of: {**(arrays := right(of)), "missing": 1 - arrays["missing"]})
    estimator, sample = cases.FAMILIES["forest"]["classifier-missing"]()
    with pytest.raises(ParityFailed):
        pack(estimator, sample=sample, engine="pure")


def test_another_answer_to_an_unseen_category_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    from flyweight.toolkit.convert import encode

    monkeypatch.setattr(encode, "_or_refuse", lambda ask, column, value: 0)
    for name in ("onehot", "onehot-ignore"):
        estimator, sample = cases.FAMILIES["encode"][name]()
        with pytest.raises(ParityFailed):
            pack(estimator, sample=sample, engine="pure")


def test_the_signature_is_inferred_from_the_sample() -> None:
    estimator, sample = fitted.penguins()
    packed = pack(estimator, sample=sample, name="penguins", edge_count=10)
    features = {feature["name"]: feature for feature in document(packed)["signature"]["features"]}
    assert list(features) == list(sample.columns)
    assert features["island"] == {
        "name": "island",
        "kind": "string",
        "nullable": True,
        "categories": ["Biscoe", "Dream", "Torgersen"],
    }
    assert features["bill_length_mm"]["range"] == [32.1, 59.6]
    assert document(packed)["signature"]["classes"] == [["Adelie", "Chinstrap", "Gentoo"]]


def test_a_feature_may_be_missing_only_if_the_estimator_takes_it() -> None:
    plain = pack(LogisticRegression().fit(X, y > 0), sample=X)
    forest = pack(RandomForestClassifier(5).fit(X, y > 0), sample=X)
    assert [feature["nullable"] for feature in document(plain)["signature"]["features"]] == [False] * 3
    assert [feature["nullable"] for feature in document(forest)["signature"]["features"]] == [True] * 3


def test_boolean_and_integer_labels_keep_their_kind() -> None:
    assert document(pack(LogisticRegression().fit(X, y > 0), sample=X))["signature"]["classes"] == [[False, True]]
    labels = np.where(y > 0, 7, -3)
    model = LogisticRegression().fit(X, labels)
    packed = pack(model, sample=X)
    predicted = flyweight_of(packed).predict(X).predictions
    assert predicted == model.predict(X).tolist() and all(type(label) is int for label in predicted)


def test_other_columns_than_the_features_are_left_out() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = Ridge().fit(frame, y)
    packed = pack(model, sample=frame.assign(target=y)[["target", "c", "b", "a"]])
    assert [feature["name"] for feature in document(packed)["signature"]["features"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (pd.DataFrame(X, columns=["a", "b", "x"]), "no column 'c'"),
        (X[:, :2], r"3 features, the sample has shape \(60, 2\)"),
        (pd.DataFrame({"a": [1, "x"], "b": [1, 2], "c": [1, 2]}), "column 'a' holds int, str"),
        (pd.DataFrame({"a": [{}, {}], "b": [1, 2], "c": [1, 2]}), "column 'a' holds dict"),
    ],
)
def test_a_sample_that_does_not_fit_the_estimator_is_refused(sample: Any, words: str) -> None:
    model = Ridge().fit(pd.DataFrame(X, columns=["a", "b", "c"]), y)
    with pytest.raises(SampleRefused, match=words):
        pack(model, sample=sample)


def test_the_same_estimator_gives_the_same_bytes() -> None:
    estimator, sample = fitted.penguins()
    assert pack(estimator, sample=sample).data == pack(estimator, sample=sample).data


def test_packing_leaves_the_estimator_as_it_was() -> None:
    model = RandomForestClassifier(5, n_jobs=2).fit(X, y > 0)
    pack(model, sample=X)
    assert model.n_jobs == 2


def test_the_file_passes_its_self_test_and_names_the_versions_that_made_it(tmp_path: Path) -> None:
    estimator, sample = fitted.penguins()
    packed = flyweight.pack(estimator, tmp_path / "m.safetensors", sample=sample)
    model = flyweight.load(str(tmp_path / "m.safetensors"))
    assert model.passes_self_test()
    assert model.metadata()["provenance"]["scikit-learn"]
    assert model.metadata()["sha256"] == packed.sha256
    assert packed.path == tmp_path / "m.safetensors"


def test_without_a_sample_the_file_keeps_a_row_that_it_answers() -> None:
    """The first row that is made has a negative number, which this estimator refuses."""
    estimator = AdditiveChi2Sampler().fit(np.abs(X))
    packed = pack(estimator, edge_count=20)
    model = Predictor(model_file.parse(packed.data))
    assert len(model.file.document["sample"]["instances"]) == 1 and model.passes_self_test()


def test_unknown_categories_refused_by_the_estimator_are_refused_by_name() -> None:
    frame = pd.DataFrame({"color": ["red", "blue"] * 30})
    packed = pack(make_pipeline(OneHotEncoder(), Ridge()).fit(frame, y), sample=frame)
    with pytest.raises(flyweight.InvalidInput, match="instance 1, feature 'color': expected one of 'blue', 'red', got 'pink'"):
        flyweight_of(packed).predict([["red"], ["pink"]])


def test_a_number_beyond_float32_that_trees_refuse_is_refused_by_name() -> None:
    packed = pack(RandomForestClassifier(5).fit(X, y > 0), sample=X)
    with pytest.raises(flyweight.InvalidInput, match="feature 'x1': expected a number within float32's range"):
        flyweight_of(packed).predict([[0.0, 1e39, 0.0]])


def document(packed: Any) -> dict[str, Any]:
    return dict(flyweight_of(packed).file.document)


def flyweight_of(packed: Any) -> Any:
    from flyweight.models import file as model_file
    from flyweight.predictor import Predictor

    return Predictor(model_file.parse(packed.data))


class NeverAsked(LinearRegression):
    def predict(self, X: Any) -> Any:
        raise AssertionError


@pytest.mark.parametrize("key", ["name", "version"])
def test_a_name_that_no_file_takes_is_refused_before_anything_is_computed(key: str) -> None:
    with pytest.raises(ToolkitError, match=f"the model's {key} is 'my model'") as caught:
        pack(NeverAsked().fit(X, y), sample=X, **{key: "my model"})
    assert f"--{key}" in caught.value.next_step


@pytest.mark.parametrize(
    ("place", "words"), [("file/m.safetensors", "file is a file, not a folder$"), ("folder", "can't be written: Is a directory$")]
)
def test_a_place_that_can_not_be_written_is_refused_before_the_estimator_is_asked(tmp_path: Path, place: str, words: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(ToolkitError, match=words) as caught:
        pack(NeverAsked().fit(X, y), tmp_path / place, sample=X)
    assert str(caught.value).startswith(f"{tmp_path / place} can't be written: ")
    assert "another place" in caught.value.next_step


def test_the_document_is_strict_json() -> None:
    estimator, sample = fitted.penguins()
    json.dumps(document(pack(estimator, sample=sample, edge_count=10)), allow_nan=False)
