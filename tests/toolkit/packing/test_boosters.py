"""Boosters without a conversion are refused with what would help; native ones are read from their own files."""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.linear_model import LinearRegression

from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.convert import class_name, convert, public_names
from flyweight.toolkit.convert.draft import ConversionRefused, Draft
from flyweight.toolkit.convert.xgboost_json import Saved
from flyweight.toolkit.packing import boosters, natives
from flyweight.toolkit.packing.pack import pack
from tests.parity.cases_boosting import CAT, FAMILIES, LGBM, NAMED, XGB, absolute_error
from tests.parity.tables import holes, regression, three
from tests.parity.tables_boosting import frame_of_categories, goods


def squared(truth: Any, raw: Any) -> Any:
    return raw - truth, np.ones_like(raw)


def fit(model: Any, table: Callable[[], Any], **more: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(*table(), **more)


def ordered() -> Any:
    X, y = frame_of_categories()
    return X.assign(size=X["size"].cat.as_ordered()), y


def two_labels() -> Any:
    X, y = three()
    return X, np.column_stack([y > 0, y > 1]).astype(int)


def continued() -> Any:
    """Fit a model whose first trees take zero for missing, and whose next ones do not."""
    X, y = holes()
    first = lightgbm.LGBMClassifier(**LGBM, zero_as_missing=True).fit(X, y)
    return lightgbm.LGBMClassifier(**LGBM).fit(X, y, init_model=first)


def texts(kind: str, value: Any) -> Any:
    """Fit a CatBoost model to a feature of this kind, beside a number."""
    x = np.random.default_rng(0).normal(size=60)
    frame = pd.DataFrame({"t": [value, value[::-1]] * 30, "x": x})
    return catboost.CatBoostClassifier(**CAT, **{kind: ["t"]}).fit(frame, (x > 0).astype(int))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "lightgbm-own-objective": (lambda: fit(lightgbm.LGBMClassifier(**LGBM, objective=squared), holes), "LGBMRegressor"),
    "lightgbm-prediction-early-stop": (
        lambda: fit(lightgbm.LGBMRegressor(**LGBM, pred_early_stop=True), regression),
        "without it",
    ),
    "lightgbm-ordered-categories": (lambda: fit(lightgbm.LGBMRegressor(**LGBM), ordered), r"\.cat\.codes"),
    "lightgbm-zero-by-half": (continued, "fit it anew"),
    "xgboost-linear": (lambda: fit(xgboost.XGBRegressor(**XGB, booster="gblinear"), regression), "linear model of scikit-learn"),
    "xgboost-own-objective": (lambda: fit(xgboost.XGBClassifier(**XGB, objective=absolute_error), holes), "binary:logistic"),
    "xgboost-hinge": (lambda: fit(xgboost.XGBClassifier(**XGB, objective="binary:hinge"), holes), "binary:logistic"),
    "xgboost-softmax": (lambda: fit(xgboost.XGBClassifier(**XGB, objective="multi:softmax"), three), "multi:softprob"),
    "xgboost-two-labels": (lambda: fit(xgboost.XGBClassifier(**XGB), two_labels), "MultiOutputClassifier"),
    "catboost-text": (lambda: texts("text_features", "red fox"), r"text features \('t'\).*Pipeline"),
    "catboost-embeddings": (lambda: texts("embedding_features", [0.5, 1.0]), r"embedding features \('t'\).*Pipeline"),
    "catboost-uncertainty": (
        lambda: fit(catboost.CatBoostRegressor(**CAT, loss_function="RMSEWithUncertainty"), regression),
        "another loss_function",
    ),
}


@pytest.mark.parametrize(("make", "helps"), REFUSED.values(), ids=REFUSED.keys())
def test_a_booster_without_a_conversion_is_refused_with_what_would_help(make: Callable[[], Any], helps: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the booster may be deprecated as well
        estimator = make()
        draft = Draft([f"x{place}" for place in range(estimator.n_features_in_)])
        with pytest.raises(ConversionRefused, match=helps):
            convert(estimator, draft.input, draft)


def test_a_custom_objective_gives_raw_sums() -> None:
    X, y = regression()
    packed = pack(lightgbm.LGBMRegressor(**LGBM, objective=squared).fit(X, y), sample=X, edge_count=100)
    assert packed.parity.bounds == {"values": "equal"}


@pytest.mark.parametrize("case", ["lightgbm/l2", "lightgbm/three", "xgboost/many-trees", "xgboost/three", "catboost/three"])
def test_sums_are_equal_bit_for_bit_and_links_within_1e_15(case: str) -> None:
    family, name = case.split("/")
    estimator, sample = FAMILIES[family][name]()
    parity = pack(estimator, sample=sample, edge_count=500).parity
    assert max(parity.largest.values()) <= 1e-15
    assert (parity.bounds.get("values") == "equal") == ("values" in parity.bounds)


def test_categories_are_refused_in_versions_of_xgboost_that_confuse_them() -> None:
    document = {
        "version": [3, 2, 0],
        "learner": {
            "gradient_booster": {
                "name": "gbtree",
                "model": {
                    "trees": [{}],
                    "iteration_indptr": [0, 1],
                    "tree_info": [0],
                    "cats": {"enc": [{"offsets": [0, 1, 4], "values": [*b"a", *"ü!".encode()]}]},
                },
            },
            "objective": {"name": "reg:squarederror"},
            "learner_model_param": {"num_feature": "1"},
        },
    }
    old = Saved(document, None)
    assert old.categories == {0: ["a", "ü!"]}
    assert "3.4 or later" in (old.refusal() or "")
    assert Saved({**document, "version": [3, 4, 0]}, None).refusal() is None


def test_a_category_that_xgboost_refuses_is_refused() -> None:
    X, y = frame_of_categories()
    X = X[["size", "flag"]]
    model = xgboost.XGBRegressor(**XGB, enable_categorical=True).fit(X, y)
    assert pack(model, sample=X, edge_count=100).parity.refused_alike > 0


def test_numbers_between_categories_go_where_lightgbm_sends_them() -> None:
    """They are truncated toward zero, as in C, also just below zero; edge rows hold whole numbers only."""
    estimator, sample = FAMILIES["lightgbm"]["whole-number-categories"]()
    model = Predictor(model_file.parse(pack(estimator, sample=sample, edge_count=50).data))
    rows = [[a, b, 0.1] for a in (-1.0, -0.999, -0.5, -0.0, 0.5, 1.999, 5.5, 6.0, 1e10) for b in (3.0, 1000.5, -0.5, 39e3)]
    assert model.predict(rows).predictions == estimator.predict(np.array(rows)).tolist()


def test_numbers_between_categories_go_where_xgboost_sends_them() -> None:
    estimator, sample = FAMILIES["xgboost"]["whole-number-categories"]()
    model = Predictor(model_file.parse(pack(estimator, sample=sample, edge_count=50).data))
    rows = [[a, b] for a in (-1.0, -0.5, -0.0, 0.5, 1.999, 5.5, 6.0, 100.0, 1e10) for b in (-2.0, 0.0, 2.0)]
    assert model.predict(rows).predictions == estimator.predict(np.array(rows)).tolist()


def saved_boosters(folder: Path) -> dict[str, tuple[Path, Any]]:
    """Save the booster of each library in each of its formats, under a name that does not show the format."""
    X, y = regression()
    light = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(X, y), 5)
    light.save_model(str(folder / "a"))
    extreme = xgboost.train({"nthread": 1}, xgboost.DMatrix(X, y), 5)
    (folder / "b").write_bytes(extreme.save_raw("ubj"))
    (folder / "c").write_bytes(extreme.save_raw("json"))
    cat = catboost.CatBoost(CAT).fit(X, y)
    cat.save_model(str(folder / "d"))
    cat.save_model(str(folder / "e"), format="json")
    by_file = {"a": light.predict(X), "b": extreme.inplace_predict(X), "c": extreme.inplace_predict(X)}
    return {name: (folder / name, by_file.get(name, cat.predict(X))) for name in "abcde"}


def test_native_boosters_are_read_from_their_own_files(tmp_path: Path) -> None:
    X, _ = regression()
    for name, (path, expected) in saved_boosters(tmp_path).items():
        assert boosters.is_saved(path), name
        model = boosters.load(path)
        packed = pack(model, sample=X, edge_count=100)
        answers = Predictor(model_file.parse(packed.data)).predict(X[:20].tolist()).predictions
        assert answers == pytest.approx(expected[:20].tolist(), rel=1e-12), name
        assert pack(model, edge_count=100).parity.rows_sample == 0, name


@pytest.mark.parametrize("content", [b"", b"{}", b'{"name": "learn"}', b"treetop", b"CBM", b"\x80\x04\x95", b"PK\x03\x04"])
def test_other_files_are_not_taken_for_boosters(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.ubj"
    path.write_bytes(content)
    assert not boosters.is_saved(path)
    with pytest.raises(ValueError, match="neither a model of LightGBM"):
        boosters.load(path)


def test_only_native_boosters_are_adopted() -> None:
    model = LinearRegression()
    assert natives.adopt(model) is model
    booster = FAMILIES["lightgbm"]["booster-binary"]()[0]
    assert natives.adopt(booster) is booster
    assert class_name(booster) == "lightgbm.Booster" and class_name(booster) in public_names()
    with pytest.raises(NotImplementedError, match="own library"):
        booster.fit(np.zeros((2, 2)), np.zeros(2))


def test_catboost_takes_whole_numbers_and_strings_for_categories_as_it_hashes_them() -> None:
    X, y = goods()
    model = catboost.CatBoostRegressor(**CAT, **NAMED, one_hot_max_size=20).fit(X, y)
    served = Predictor(model_file.parse(pack(model, sample=X, edge_count=100).data))
    row = [0.3, "never seen", 77.0, float("nan")]
    expected = model.predict(pd.DataFrame([row], columns=X.columns).astype({"size": "int64"}))
    assert served.predict([[0.3, "never seen", 77, None]]).predictions == expected.tolist()


def test_a_saved_document_of_xgboost_without_splits_answers_its_base_score() -> None:
    estimator, sample = FAMILIES["xgboost"]["poisson"]()
    saved = Saved(json.loads(bytes(estimator.get_booster().save_raw("json"))), None)
    empty = xgboost.Booster()
    empty.load_model(bytearray(json.dumps(saved.without_splits()).encode()))
    (score,) = saved.learner["learner_model_param"]["base_score"].strip("[]").split(",")
    assert empty.inplace_predict(np.asarray(sample[:1])) == pytest.approx(float(score), rel=1e-6)


def test_a_catboost_model_of_texts_is_refused_before_any_engine_reads_a_copy_of_it() -> None:
    """CatBoost crashes when it reads such a model that was pickled twice."""
    model = pickle.loads(pickle.dumps(texts("text_features", "red fox")))
    sample = pd.DataFrame({"t": ["red fox"], "x": [1.0]})
    with pytest.raises(ConversionRefused, match="text features"):
        pack(model, sample=sample, edge_count=20)


@pytest.mark.parametrize("with_sample", [True, False])
def test_a_catboost_model_that_was_fitted_on_an_array_and_pickled_is_packed(with_sample: bool) -> None:
    X, y = three()
    model = pickle.loads(pickle.dumps(catboost.CatBoostClassifier(**CAT).fit(np.asarray(X), y)))
    assert model.n_features_in_ == 0, "CatBoost's own fault; without it the names need not be counted"
    packed = pack(model, sample=np.asarray(X) if with_sample else None, edge_count=50)
    assert len(model_file.parse(packed.data).document["signature"]["features"]) == X.shape[1]
