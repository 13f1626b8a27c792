"""What fitted estimators tell about the columns of their tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier  # type: ignore[import-untyped]
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, HistGradientBoostingClassifier, RandomForestClassifier, StackingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from xgboost import XGBClassifier

from flyweight.toolkit.packing.evidence import told_by

ROWS = 100
RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "zip": RNG.choice(["01234", "00501", "90210"], ROWS),
        "size": RNG.normal(size=ROWS),
        "code": RNG.integers(0, 3, ROWS),
        "flag": RNG.random(ROWS) < 0.5,
        "text": RNG.choice(["good bad", "fine day"], ROWS),
        "word": RNG.choice(["NA", "x"], ROWS),
    }
)
Y = (X["size"] + (X["zip"] == "01234") > 0.5).astype(int)
COLUMNS = ColumnTransformer(
    [
        ("zip", OneHotEncoder(), ["zip", "flag"]),
        ("text", TfidfVectorizer(), "text"),
        ("word", make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder()), ["word"]),
    ],
    remainder="passthrough",
)
KINDS = {"zip": "string", "size": "number", "code": "number", "flag": "boolean", "text": "string", "word": "string"}


def kinds(estimator: Any, frame: pd.DataFrame) -> dict[str, str | None]:
    names = list(frame.columns)
    return {name: told.kind for name, told in zip(names, told_by(estimator, names), strict=True)}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda pipe: pipe,
        lambda pipe: GridSearchCV(pipe, {}, cv=2),
        lambda pipe: CalibratedClassifierCV(pipe, cv=2),
        lambda pipe: StackingClassifier([("a", pipe)], cv=2),
    ],
    ids=["alone", "search", "calibration", "stacking"],
)
def test_categories_and_numbers_are_told_through_pipelines_and_wrappers(wrap: Any) -> None:
    pipe = make_pipeline(COLUMNS, RandomForestClassifier(2, random_state=0))
    assert kinds(wrap(pipe).fit(X, Y), X) == KINDS


def test_a_column_that_a_transformer_drops_is_unread() -> None:
    pipe = make_pipeline(ColumnTransformer([("size", StandardScaler(), ["size"])]), LogisticRegression()).fit(X, Y)
    assert [name for name, kind in kinds(pipe, X).items() if kind == "unread"] == ["zip", "code", "flag", "text", "word"]


def test_a_column_that_bagging_left_out_is_not_unread() -> None:
    numbers = X[["size", "code"]]
    bagging = BaggingClassifier(n_estimators=1, max_features=1, random_state=0).fit(numbers, Y)
    assert "unread" not in kinds(bagging, numbers).values()


def test_a_step_that_is_not_known_tells_nothing_about_what_it_reads() -> None:
    def shorten(frame: Any) -> Any:
        return frame[["size"]]

    pipe = make_pipeline(FunctionTransformer(shorten), LogisticRegression()).fit(X, Y)
    assert {*kinds(pipe, X).values()} == {None}
    known = make_pipeline(FunctionTransformer(np.cbrt), LogisticRegression()).fit(X[["size"]], Y)
    assert kinds(known, X[["size"]]) == {"size": "number"}


def test_what_only_asks_for_missing_values_tells_no_kind() -> None:
    frame = X[["size", "code"]].astype(float)
    frame.iloc[0, 0] = np.nan
    pipe = make_pipeline(make_union(MissingIndicator(), SimpleImputer()), LogisticRegression()).fit(frame, Y)
    assert kinds(pipe, frame) == {"size": "number", "code": "number"}, "the imputer of means tells it"


def test_boosters_tell_their_categories() -> None:
    frame = X[["zip", "size", "code", "flag"]]
    framed = frame.assign(**{name: frame[name].astype("category") for name in ("zip", "code", "flag")})
    expected = {"zip": "string", "size": "number", "code": "number", "flag": "boolean"}
    assert kinds(LGBMClassifier(n_estimators=2, verbose=-1, n_jobs=1).fit(framed, Y), framed) == expected
    histogram = HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype").fit(framed, Y)
    assert kinds(histogram, framed) == {**expected, "flag": "number"}, "scikit-learn encodes booleans as 0.0 and 1.0"
    without = framed.drop(columns="flag")
    xgboost = XGBClassifier(n_estimators=2, enable_categorical=True, n_jobs=1).fit(without, Y)
    assert kinds(xgboost, without) == {name: kind for name, kind in expected.items() if name != "flag"}


def test_catboost_keeps_hashes_by_which_its_categories_are_known() -> None:
    model = CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False, cat_features=["zip"], thread_count=1)
    zip_code, size = told_by(model.fit(X[["zip", "size"]], Y), ["zip", "size"])
    assert zip_code.kind is None and zip_code.kinds == {"hashes": "string"} and size.kind == "number"
    assert [zip_code.is_category(text) for text in ("01234", "90210", "1234", "NA")] == [True, True, False, False]


@pytest.mark.parametrize("marker", [None, np.nan])
def test_an_encoder_tells_what_stood_for_missing_values(marker: Any) -> None:
    frame = pd.DataFrame({"word": pd.Series(["a", marker] * 5, dtype=object)})
    (told,) = told_by(OneHotEncoder().fit(frame), ["word"])
    assert told.kind == "string" and (told.marker is None) == (marker is None)


def test_an_imputer_whose_most_frequent_value_is_none_keeps_the_column() -> None:
    """None is no missing value for it; a category such as "nan" behind it is known all the same."""
    frame = pd.DataFrame({"a": ["x", "y", "x", "y"] * 3, "b": [None, "nan", None, "x"] * 3}, dtype=object)
    encoded = make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder()).fit(frame)
    assert encoded[0].statistics_.tolist() == ["x", None]
    told = told_by(encoded, ["a", "b"])
    assert {*told[1].categories} == {"nan", "x"} and told[1].marker is None
