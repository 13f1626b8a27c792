"""Which engine `pack` chooses, why it skips others, what it refuses to write, and how a new engine joins."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.special import j0
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import flyweight.engines
from flyweight.errors import FlyweightError, InvalidInput
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.convert.draft import ConversionRefused
from flyweight.toolkit.packing import engines, pack_graph, selection, timing
from flyweight.toolkit.packing.original import SampleMisread
from flyweight.toolkit.packing.pack import EngineRefused, Packed, ParityFailed, pack
from flyweight.toolkit.packing.sample import SampleRefused
from tests import fitted

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
y = X @ [1.0, -2.0, 0.5]
LABELS = np.array(["no", "yes"])[(y > 0).astype(int)]
OWN = FunctionTransformer(j0)  # a function that has no op


class Mine(StandardScaler):
    """A subclass, which has no plan, and which skops loads only with permission."""


def loaded(packed: Packed) -> Predictor:
    return Predictor(model_file.parse(packed.data))


def test_a_plan_is_tried_first_and_no_other_engine_then() -> None:
    packed = pack(Ridge().fit(X, y), sample=X, edge_count=50)
    assert (packed.engine, packed.skipped, packed.requires) == ("pure", {}, {})


def test_an_estimator_without_a_plan_runs_by_its_library_and_the_report_says_why() -> None:
    model = make_pipeline(OWN, LogisticRegression()).fit(X, LABELS)
    packed = pack(model, sample=X, edge_count=200)
    assert packed.engine == "sklearn"
    assert {*packed.skipped} == {"pure", "onnx"}
    assert "a function is code" in packed.skipped["pure"] and "skl2onnx makes no graph" in packed.skipped["onnx"]
    assert {"scikit-learn", "skops", "numpy"} == {*packed.requires}
    document = loaded(packed).file.document
    assert document["engines"] == ["sklearn"] and document["skipped"] == packed.skipped and "plan" not in document
    assert document["parity"]["largest"] == {"probabilities": 0.0, "scores": 0.0}
    predictor = loaded(packed)
    assert predictor.passes_self_test() and predictor.output_names == ["predictions", "probabilities", "scores"]
    answer = predictor.predict(X, ["predictions", "probabilities"])
    assert answer.predictions == model.predict(X).tolist()
    assert np.array_equal(answer.probabilities, model.predict_proba(X))


def test_a_plan_with_other_answers_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    from flyweight.toolkit.convert import linear

    right = linear.affine

    def wrong(estimator: Any, x: Any, draft: Any) -> Any:
        value = right(estimator, x, draft)
        draft.arrays[f"{value.name}.weights"] = draft.arrays[f"{value.name}.weights"] * (1 + 1e-6)
        return value

    monkeypatch.setattr(linear, "affine", wrong)
    packed = pack(Ridge().fit(X, y), sample=X, edge_count=50)
    assert packed.engine == "onnx"
    assert "its answers differ: values differ by" in packed.skipped["pure"]
    assert "--tolerance" in packed.skipped["pure"]


def test_a_graph_in_float64_keeps_the_usual_bound() -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, LABELS)
    packed = pack(model, sample=X, edge_count=200, engine="onnx")
    assert packed.engine == "onnx" and packed.parity.tolerance is None
    assert packed.parity.largest["probabilities"] <= 1e-12
    assert loaded(packed).predict(X).predictions == model.predict(X).tolist()


def test_a_graph_in_float32_needs_a_tolerance_which_the_file_records() -> None:
    forest = RandomForestRegressor(5, random_state=0).fit(X[:, :2], y)
    rows = X[:, :2]
    with pytest.raises(EngineRefused, match=r"the onnx engine can't run it: its answers differ: values differ by"):
        pack(forest, sample=rows, edge_count=1, engine="onnx")
    packed = pack(forest, sample=rows, edge_count=1, engine="onnx", tolerance=1e-5)
    assert loaded(packed).file.document["parity"]["tolerance"] == 1e-5
    assert 1e-12 < packed.parity.largest["values"] <= 1e-5


def test_a_graph_with_other_answers_to_missing_values_refuses_them() -> None:
    forest = RandomForestClassifier(5, random_state=0).fit(X, LABELS)
    packed = pack(forest, sample=X, edge_count=300, engine="onnx", tolerance=1e-5)
    predictor = loaded(packed)
    assert packed.narrowed == selection.NARROWED and predictor.file.document["narrowed"] == selection.NARROWED
    assert 120 < packed.parity.rows_sample + packed.parity.rows_edge < 420
    assert not any(feature.nullable for feature in predictor.signature.features) and predictor.passes_self_test()
    with pytest.raises(InvalidInput, match="got null"):
        predictor.predict([[None, 0.0, 0.0]])
    missing = np.where(np.arange(360).reshape(120, 3) % 50 == 0, np.nan, X)
    with pytest.raises(EngineRefused, match="its answers differ"):
        pack(forest, sample=missing, edge_count=50, engine="onnx", tolerance=1e-5)


def test_a_data_frame_reaches_the_estimator_as_it_was_fitted() -> None:
    estimator, sample = fitted.penguins()
    packed = pack(estimator, sample=sample, edge_count=300, engine="sklearn")
    assert "pandas" in packed.requires and packed.parity.largest["probabilities"] == 0.0
    assert (
        loaded(packed).predict(sample.astype(object).where(sample.notna(), None)).predictions
        == estimator.predict(sample).tolist()
    )


def test_categories_integers_and_booleans_reach_the_estimator_as_they_were() -> None:
    frame = pd.DataFrame(
        {"c": pd.Categorical(["a", "b", None, "a"] * 10), "i": [1, 2, 3, 4] * 10, "b": [True, False] * 20, "f": [0.5, None] * 20}
    )

    packed = pack(make_pipeline(FunctionTransformer(dtypes_seen)).fit(frame), sample=frame, edge_count=40, engine="pickle")
    assert {"pandas", "scikit-learn"} <= {*packed.requires}
    kept = model_file.parse(packed.data).document["sample"]["predictions"]
    assert kept[0] == [1.0, 1.0, 1.0, 1.0]


def dtypes_seen(frame: Any) -> Any:
    """Answer which of the columns have the types of training."""
    kinds = [
        isinstance(frame.dtypes.iloc[0], pd.CategoricalDtype),
        frame.dtypes.iloc[1].kind == "i",
        frame.dtypes.iloc[2].kind == "b",
    ]
    return np.array([[*map(float, kinds), float(frame.dtypes.iloc[3].kind == "f")]] * len(frame))


def test_texts_reach_the_estimator_as_texts() -> None:
    texts = ["a good day", "a bad day", "good", "bad"] * 10
    model = make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts, ["up", "down"] * 20)
    packed = pack(model, sample=texts, edge_count=30, engine="sklearn")
    assert loaded(packed).predict([["a good one"], ["bad bad"]]).predictions == ["up", "down"]


def test_several_outputs() -> None:
    both = np.c_[LABELS, np.where(X[:, 0] > 0, "l", "r")]
    model = make_pipeline(OWN, MultiOutputClassifier(LogisticRegression())).fit(X, both)
    packed = pack(model, sample=X, edge_count=50)
    assert packed.engine == "sklearn" and "several outputs" in packed.skipped["onnx"]
    answer = loaded(packed).predict(X[:5])
    assert answer.predictions == model.predict(X[:5]).tolist()


def test_several_labels_a_row() -> None:
    both = np.c_[y > 0, X[:, 0] > 0].astype(int)
    model = RandomForestClassifier(3, random_state=0).fit(X, both)
    neighbors = make_pipeline(OWN, OneVsRestClassifier(LogisticRegression())).fit(X, both)
    for estimator in (model, neighbors):
        packed = pack(estimator, sample=X, edge_count=30, engine="sklearn")
        assert loaded(packed).predict(X[:5]).predictions == estimator.predict(X[:5]).tolist()


def test_a_transformer_without_a_plan() -> None:
    packed = pack(make_pipeline(StandardScaler(), OWN).fit(X), sample=X, edge_count=30)
    assert packed.engine == "sklearn" and loaded(packed).signature.task == "transformation"


@pytest.mark.parametrize("package", ["lightgbm", "xgboost", "catboost"])
def test_boosters_of_other_packages_by_their_own_code(package: str) -> None:
    import catboost
    import lightgbm
    import xgboost

    model: Any = {
        "lightgbm": lightgbm.LGBMRegressor(n_estimators=3, verbose=-1),
        "xgboost": xgboost.XGBRegressor(n_estimators=3),
        "catboost": catboost.CatBoostRegressor(iterations=3, verbose=0, allow_writing_files=False),
    }[package]
    model.fit(X, y)
    packed = pack(model, sample=X, edge_count=30, engine="sklearn")
    assert any(name.startswith(f"{package}.") for name in packed.types)
    assert any(name.startswith(package) for name in packed.requires)
    assert loaded(packed).predict(X).predictions == model.predict(X).tolist()


def test_an_estimator_of_types_that_need_permission_is_refused_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_pipeline(Mine(), Ridge()).fit(X, y)
    with pytest.raises(ConversionRefused, match="subclass of StandardScaler") as refused:
        pack(model, sample=X, edge_count=30)
    for words in ("onnx: ", "sklearn: ", "FLYWEIGHT_TRUSTED_TYPES=", "pickle: not without --allow-pickle"):
        assert words in str(refused.value)
    monkeypatch.setenv("FLYWEIGHT_TRUSTED_TYPES", f"{Mine.__module__}.Mine")
    packed = pack(model, sample=X, edge_count=30)
    assert packed.engine == "sklearn" and packed.types == [f"{Mine.__module__}.Mine"]


def test_a_pickle_is_made_only_if_it_is_allowed_and_no_other_engine_can() -> None:
    model = make_pipeline(Mine(), Ridge()).fit(X, y)
    packed = pack(model, sample=X, edge_count=30, allow_pickle=True)
    assert packed.engine == "pickle" and {"pure", "onnx", "sklearn", "xgboost"} == {*packed.skipped}
    assert pack(Ridge().fit(X, y), sample=X, edge_count=30, allow_pickle=True).engine == "pure"


def test_compiled_code_that_follows_indices_is_not_stored_by_skops() -> None:
    with pytest.raises(EngineRefused, match=r"KDTree, whose compiled code follows indices"):
        pack(KNeighborsRegressor().fit(X, y), sample=X, edge_count=30, engine="sklearn")


@pytest.mark.parametrize(
    ("estimator", "words"),
    [({"a": 1}, "not a scikit-learn estimator"), (Ridge(), "not fitted; call fit first")],
)
def test_without_a_fitted_estimator_no_engine_is_tried(estimator: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConversionRefused, match=words):
        pack(estimator, tmp_path / "m.safetensors", sample=X, allow_pickle=True)
    assert not any(tmp_path.iterdir())


def test_an_estimator_that_does_not_answer_its_sample_is_refused() -> None:
    def fail(X: Any) -> Any:
        raise ValueError("not today")

    model = FunctionTransformer(j0).fit(X)
    model.func = fail
    with pytest.raises(SampleRefused, match=r"does not answer the sample: .*not today"):
        pack(model, sample=X)


def test_nothing_is_written_if_every_engine_has_other_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_pipeline(OWN, Ridge()).fit(X, y)
    calls = iter(range(10**6))
    monkeypatch.setattr(Ridge, "predict", lambda self, X: np.full(len(X), float(next(calls))))
    with pytest.raises(SampleMisread, match="the same row differently at each call"):
        pack(model, tmp_path / "m.safetensors", sample=X, edge_count=30)
    with pytest.raises(ParityFailed, match="values differ by"):
        pack(model, tmp_path / "m.safetensors", edge_count=30)
    assert not any(tmp_path.iterdir())


class FixedTimes:
    """Given times in place of measured ones, for `time_engines`."""

    def __init__(self, **seconds: float) -> None:
        self.seconds, self.asked = seconds, 0

    def __call__(self, predictors: list[Predictor], rows: list[Any]) -> dict[str, float]:
        self.asked = len(predictors)
        return {name: self.seconds[name] for name in (p.file.document["engines"][0] for p in predictors)}


@pytest.mark.parametrize(
    ("seconds", "engine"),
    [
        ({"numpy": 1.0, "onnx": 2.0, "sklearn": 3.0}, "numpy"),
        ({"numpy": 1.0, "onnx": 0.9, "sklearn": 0.9}, "numpy"),
        ({"numpy": 1.0, "onnx": 0.5, "sklearn": 0.45}, "onnx"),
        ({"numpy": 1.0, "onnx": 0.5, "sklearn": 0.1}, "sklearn"),
    ],
)
def test_for_batches_the_fastest_engine_is_chosen_if_it_is_worth_what_it_needs(
    seconds: dict[str, float], engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flyweight.toolkit.packing import pack as module

    times = FixedTimes(**seconds)
    monkeypatch.setattr(module, "time_engines", times)
    packed = pack(LogisticRegression().fit(X, LABELS), sample=X, edge_count=50, purpose="batch")
    assert times.asked == 3 and packed.engine == engine and packed.timings == seconds
    assert "XGBoost alone" in packed.skipped.pop("xgboost")
    assert {*packed.skipped} == {*seconds} - {engine}
    for name, why in packed.skipped.items():
        assert f"times as long as {engine} for a batch" in why
        assert ("not worth" in why) == (seconds[name] < seconds[engine])
    predictor = loaded(packed)
    assert predictor.file.document["engines"] == (["numpy", "pure"] if engine == "numpy" else [engine])
    assert predictor.passes_self_test()
    assert selection.WORTH > 1


def test_every_engine_whose_parity_holds_is_timed_and_the_others_are_reported() -> None:
    packed = pack(RandomForestClassifier(3, random_state=0).fit(X, LABELS), sample=X, edge_count=50, purpose="batch")
    assert {*packed.timings} == {"numpy", "sklearn"} and all(0 < seconds < 60 for seconds in packed.timings.values())
    assert "onnx" in packed.skipped and "its answers differ" in packed.skipped["onnx"]
    assert timing.ROWS == 10_000


def test_a_file_names_the_versions_that_made_it() -> None:
    packed = pack(LogisticRegression().fit(X, LABELS), sample=X, edge_count=20, engine="sklearn")
    import sklearn

    assert packed.requires["scikit-learn"] == sklearn.__version__
    assert loaded(packed).file.document["requires"] == packed.requires


def test_packing_by_any_engine_leaves_the_estimator_as_it_was() -> None:
    model = make_pipeline(OWN, RandomForestClassifier(3, n_jobs=2, random_state=0)).fit(X, LABELS)
    before = joblib.hash(model)
    for engine in ("sklearn", "pickle"):
        pack(model, sample=X, edge_count=20, engine=engine)
    assert joblib.hash(model) == before


def test_an_unknown_engine_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(
        EngineRefused, match="no engine 'litert' packs estimators; known are pure, onnx, sklearn, xgboost, pickle"
    ):
        pack(Ridge().fit(X, y), sample=X, engine="litert")


def test_errors_of_packing_are_of_one_family() -> None:
    assert issubclass(SampleRefused, FlyweightError) and issubclass(ParityFailed, FlyweightError)
    assert issubclass(EngineRefused, FlyweightError) and issubclass(pack_graph.GraphRefused, FlyweightError)


TOY_MAKER = """
from flyweight.toolkit.packing.candidate import Candidate
from flyweight.toolkit.packing.graph import Graph, GraphFormat, Port

ORDER = 1


def candidates(model):
    (feature,) = [feature.name for feature in model.features]
    yield Candidate("toy", {"toy": {"feature": feature, "times": float(model.estimator.coef_[0])}}, {})


GRAPH_FORMAT = GraphFormat(".toy", "toy", "toy", "numpy", lambda data, row: Graph([Port("x", "number", 1)], None, [], None))
"""

TOY_ENGINE = """
class Engine:
    choices = None

    def __init__(self, file):
        self.times = file.document["toy"]["times"]
        self.widths = {"values": 1}

    def outputs(self, rows, names):
        return [[[self.times * row[0]] for row in rows]]
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add the engine `toy` to both rooms of engines: one new file in each, and no edit."""
    for package, text in ((engines, TOY_MAKER), (flyweight.engines, TOY_ENGINE)):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / "toy.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    engines.makers.cache_clear()
    yield
    engines.makers.cache_clear()
    for package in (engines, flyweight.engines):
        sys.modules.pop(f"{package.__name__}.toy", None)
        vars(package).pop("toy", None)


@pytest.mark.usefixtures("toy")
def test_a_new_engine_is_one_file_in_each_room_of_engines() -> None:
    assert [*engines.makers()] == ["toy", "pure", "onnx", "sklearn", "xgboost", "pickle"]
    assert {".onnx", ".tflite", ".toy"} == {*engines.graph_formats()} and pack_graph.is_graph(Path("model.toy"))
    model = Ridge(fit_intercept=False).fit(X[:, :1], y)
    packed = pack(model, sample=X[:, :1], edge_count=20)
    assert (packed.engine, packed.skipped) == ("toy", {}) and loaded(packed).passes_self_test()
    assert pack(Ridge().fit(X[:, :1], y), sample=X[:, :1], edge_count=20).skipped["toy"].startswith("its answers differ")
