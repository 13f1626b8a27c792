"""The xgboost engine answers as the estimator does, and never on another device than the one that was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flyweight.engines import xgboost as engine
from flyweight.errors import ModelRefused
from flyweight.models import file as model_file
from flyweight.models.file import ModelFile
from flyweight.predictor import Predictor
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.packing.selection import EngineRefused
from tests.engines.engine_files import changed

RNG = np.random.default_rng(0)
X = np.where(RNG.random((300, 4)) < 0.05, np.nan, RNG.normal(size=(300, 4)))
SCORE = np.nan_to_num(X) @ [1.0, 2.0, -1.0, 0.5]
SETTINGS = {"n_estimators": 8, "max_depth": 3}


def packed(estimator: Any) -> ModelFile:
    return model_file.parse(pack(estimator, sample=X, edge_count=100, engine="xgboost").data)


BINARY = packed(xgboost.XGBClassifier(**SETTINGS).fit(X, SCORE > 0))
STOPPED = xgboost.XGBRegressor(n_estimators=20, early_stopping_rounds=2)


@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (xgboost.XGBClassifier(**SETTINGS), (SCORE > 0).astype(int)),
        (xgboost.XGBClassifier(**SETTINGS), np.digitize(SCORE, [-1, 1])),
        (xgboost.XGBRegressor(**SETTINGS), SCORE),
        (xgboost.XGBRegressor(**SETTINGS, missing=0.5), np.round(np.abs(SCORE))),
        (xgboost.XGBRegressor(**SETTINGS, objective="count:poisson"), np.round(np.abs(SCORE))),
        (xgboost.XGBRegressor(n_estimators=1, num_parallel_tree=5), SCORE),
    ],
    ids=["two classes", "three classes", "regression", "missing is a number", "counts", "forest"],
)
def test_answers_are_those_of_the_estimator(estimator: Any, y: Any) -> None:
    estimator.fit(X, y)
    model = Predictor(packed(estimator))
    assert model.file.document["engines"] == ["xgboost"] and model.passes_self_test()
    rows = np.where(RNG.random((500, 4)) < 0.1, np.nan, np.round(RNG.normal(size=(500, 4)) * 2) / 2)
    assert model.predict(rows).predictions == estimator.predict(rows).tolist()
    if hasattr(estimator, "predict_proba"):
        assert model.predict(rows).probabilities == estimator.predict_proba(rows).astype(float).tolist()


def test_rounds_after_the_best_one_do_not_answer() -> None:
    STOPPED.fit(X, SCORE, eval_set=[(X[:50], RNG.normal(size=50))], verbose=False)
    file = packed(STOPPED)
    assert 0 < file.document["xgboost"]["rounds"] < STOPPED.get_booster().num_boosted_rounds()
    assert Predictor(file).predict(X).predictions == STOPPED.predict(X).tolist()


def test_the_package_that_has_a_gpu_is_required() -> None:
    assert {*BINARY.document["requires"]} == {"xgboost", "numpy"}


def test_the_plan_is_still_what_is_tried_first() -> None:
    model = model_file.parse(pack(xgboost.XGBClassifier(**SETTINGS).fit(X, SCORE > 0), sample=X, edge_count=50).data)
    assert model.document["engines"][0] == "pure"


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (make_pipeline(StandardScaler(), xgboost.XGBRegressor(**SETTINGS)), "XGBoost alone"),
        (xgboost.XGBRegressor(**SETTINGS, enable_categorical=True), "features that are not numbers"),
    ],
    ids=["a pipeline", "categories"],
)
def test_other_estimators_are_refused_in_words(estimator: Any, words: str) -> None:
    table = pd.DataFrame(np.nan_to_num(X), columns=[*"abcd"])
    if words.startswith("features"):
        table["a"] = pd.Categorical(np.where(table["a"] > 0, "up", "down"))
    with pytest.raises(EngineRefused, match=words):
        pack(estimator.fit(table, SCORE), sample=table, edge_count=20, engine="xgboost")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["xgboost"].update(rounds=-1), "does not say which rounds"),
        (lambda d: d["xgboost"].update(missing="?"), "what is missing"),
        (lambda d: d["signature"]["features"].pop(), "takes 4 numbers, not the file's features"),
        (lambda d: d.pop("xgboost"), "does not list the outputs"),
        (lambda d: d["xgboost"]["outputs"].update(probabilities=3), "probabilities of shape"),
    ],
    ids=["rounds", "missing", "features", "entry", "width"],
)
def test_a_document_that_does_not_fit_is_refused(change: Any, words: str) -> None:
    with pytest.raises(ModelRefused, match=words):
        Predictor(changed(BINARY, change))


@pytest.mark.parametrize("data", [b"", b"{}", b"\0" * 100, b'{"learner": 3}'])
def test_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(ModelRefused, match=r"no bytes of an xgboost|XGBoost refuses the model"):
        Predictor(changed(BINARY, lambda document: None, xgboost=data))


@pytest.mark.skipif(bool(xgboost.build_info().get("USE_CUDA")), reason="this XGBoost is built with CUDA")
def test_a_build_without_cuda_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_XGBOOST_DEVICE", "cuda")
    with pytest.raises(ModelRefused, match="asks for 'cuda', and the installed XGBoost is built without CUDA"):
        Predictor(BINARY)


def test_a_fall_back_to_the_processor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a build with CUDA finds no GPU: XGBoost warns, and goes on by the processor."""
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": True})
    monkeypatch.setenv("FLYWEIGHT_XGBOOST_DEVICE", "cuda")
    with pytest.raises(ModelRefused, match="asks for 'cuda', and XGBoost runs on cpu"):
        Predictor(BINARY)


def test_an_unknown_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": True})
    with pytest.raises(ModelRefused, match="XGBoost refuses the model on 'abacus'"):
        engine.booster(bytes(BINARY.tensors["xgboost"].values), "abacus")


def test_the_self_test_allows_a_gpu_the_last_places_of_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    file = packed(xgboost.XGBRegressor(**SETTINGS, objective="count:poisson").fit(X, np.round(np.abs(SCORE))))
    sample = file.document["sample"]
    sample["predictions"] = [value * (1 + 2.0**-22) for value in sample["predictions"]]
    model = Predictor(file)
    assert not model.passes_self_test()
    model.engine.precision = 2.0**-20  # type: ignore[attr-defined]
    assert model.passes_self_test()
