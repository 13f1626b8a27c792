"""skrub's table vectorizer and its parts, in many configurations, fitted."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from skrub import (
    ApplyToCols,
    Cleaner,
    DatetimeEncoder,
    DropCols,
    DropSimilar,
    SelectCols,
    SquashingScaler,
    TableVectorizer,
    selectors,
)

from tests.parity.cases import Case
from tests.parity.cases_dates import stays
from tests.parity.tables import holes, words


def of(transformer: Any, last: Any = None, *, names: Any = None, missing: bool = False, unit: str = "us") -> Callable[[], Case]:
    """Fit the transformer on stays in hospitals: two datetimes, a number and a word; alone or before a model."""

    def case() -> Case:
        frame, target = stays(unit, missing=missing)
        frame = (frame.assign(city=frame["city"].astype(object)) if names is None else frame[names]).copy()
        if missing and "city" in frame:
            frame.loc[::9, "city"] = None
        model = transformer if last is None else make_pipeline(transformer, last)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(frame, target), frame

    return case


def of_words(transformer: Any) -> Callable[[], Case]:
    def case() -> Case:
        frame, target = words()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return transformer.fit(frame, target), frame

    return case


def of_numbers(transformer: Any) -> Callable[[], Case]:
    X, y = holes()
    frame = pd.DataFrame(X, columns=[f"x{place}" for place in range(X.shape[1])])
    return lambda: (transformer.fit(frame, y), frame)


FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "skrub-dates": {
        "vectorizer": of(TableVectorizer(), HistGradientBoostingRegressor(max_iter=10, random_state=0)),
        "vectorizer-linear": of(TableVectorizer(), make_pipeline(FunctionTransformer(np.float64), StandardScaler(), Ridge())),
        "vectorizer-alone": of(TableVectorizer(), missing=True),
        "vectorizer-circular": of(
            TableVectorizer(datetime=DatetimeEncoder(add_weekday=True, add_day_of_year=True, periodic_encoding="circular"))
        ),
        "vectorizer-splines": of(
            TableVectorizer(datetime=DatetimeEncoder(add_weekday=True, periodic_encoding="spline")), missing=True
        ),
        "vectorizer-nanoseconds": of(TableVectorizer(datetime=DatetimeEncoder(resolution="second")), unit="ns"),
        "specific": of(TableVectorizer(specific_transformers=[(OrdinalEncoder(), ["city"])])),
        "encoder": of(
            ApplyToCols(DatetimeEncoder(resolution=None, add_weekday=True), cols=selectors.any_date()), names=["start", "beds"]
        ),
        "microseconds": of(ApplyToCols(DatetimeEncoder(resolution="microsecond"), cols=["start"]), names=["start", "beds"]),
    },
    "skrub": {
        "scaled": of_numbers(ApplyToCols(StandardScaler())),
        "some-scaled": of_numbers(ApplyToCols(StandardScaler(), cols=["x1", "x3"], keep_original=True)),
        "squashed": of_numbers(SquashingScaler()),
        "select": of_numbers(SelectCols(["x3", "x1"])),
        "drop": of_numbers(DropCols(["x3", "x1"])),
        "drop-similar": of_words(DropSimilar(threshold=0.9)),
        "cleaner": of_words(Cleaner()),
        "words": of_words(make_pipeline(TableVectorizer(), RandomForestRegressor(n_estimators=5, random_state=0))),
        "words-alone": of_words(TableVectorizer(cardinality_threshold=3, high_cardinality=OrdinalEncoder())),
        "one-hot": of_words(ApplyToCols(OneHotEncoder(sparse_output=False, handle_unknown="ignore"), cols=["color", "kind"])),
    },
}
