"""Libraries that build on scikit-learn: their classes that answer on new rows, the tables that these are fitted to, and how."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from io import StringIO
from pkgutil import walk_packages
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

LIBRARIES = ("imbalanced-learn", "category_encoders", "feature_engine", "skrub")
PACKAGES = {"imbalanced-learn": "imblearn"}
# These do not answer a row by itself: they are bases of others, change the rows, read other tables too, or ask a network.
NO_ROWS = {
    "feature_engine": {"BaseDiscretiser", "BaseImputer", "BaseRecursiveSelector", "BaseSelector", "CategoricalMethodsMixin"}
    | {"DropMissingData", "OutlierTrimmer", "ExpandingWindowFeatures", "LagFeatures", "WindowFeatures"},
    "skrub": {"AggJoiner", "MultiAggJoiner", "AggTarget", "Joiner", "InterpolationJoiner", "SessionEncoder", "LLMEncoder"}
    | {"TextEncoder"},
}
# class -> the arguments that it can't do without, or that make it do something
ARGUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "imblearn.Pipeline": lambda: {
        "steps": [("scale", StandardScaler()), ("balance", _sampler()), ("model", LogisticRegression())]
    },
    "feature_engine.Pipeline": lambda: {"steps": [("scale", StandardScaler()), ("model", LogisticRegression())]},
    "feature_engine.ArbitraryDiscretiser": lambda: {"binning_dict": {"a": [0.0, 0.3, 0.6, 1.0]}},
    "feature_engine.ArbitraryOutlierCapper": lambda: {"max_capping_dict": {"a": 0.8}},
    "feature_engine.DatetimeSubtraction": lambda: {"variables": "until", "reference": "when", "drop_original": True},
    "feature_engine.DropFeatures": lambda: {"features_to_drop": ["b"]},
    "feature_engine.GeoDistanceFeatures": lambda: dict(zip(("lat1", "lon1", "lat2", "lon2"), "abcd", strict=True)),
    "feature_engine.MathFeatures": lambda: {"variables": ["a", "b", "c"], "func": ["sum", "mean"]},
    "feature_engine.RelativeFeatures": lambda: {"variables": ["a", "b"], "reference": ["c"], "func": ["sub", "div"]},
    "feature_engine.RandomSampleImputer": lambda: {"random_state": 0},
    "feature_engine.SklearnTransformerWrapper": lambda: {"transformer": StandardScaler()},
    "feature_engine.TextFeatures": lambda: {"variables": ["kind"]},
    "feature_engine.SelectByInformationValue": lambda: {"variables": ["kind", "color"]},
    "skrub.ApplyToCols": lambda: {"transformer": StandardScaler()},
    "skrub.SelectCols": lambda: {"cols": ["a", "b"]},
    "skrub.DropCols": lambda: {"cols": ["a"]},
}
# part of a class's module or name -> the tables that it tries first
FIRST = {
    "date": "dates",
    "duration": "dates",
    "imput": "gaps",
    "missing": "gaps",
    "encod": "words",
    "text": "words",
    "categor": "words",
    "cat_": "words",
    "string": "words",
    "tablevec": "words",
    "cleaner": "words",
    "_table_vectorizer": "dates",
}


def classes(library: str) -> dict[str, Any]:
    """List a library's classes that answer on new rows, by name."""
    package = PACKAGES.get(library, library)
    module = import_module(package)
    found = {name: getattr(module, name) for name in getattr(module, "__all__", [])} if library != "feature_engine" else {}
    if library in ("imbalanced-learn", "feature_engine"):
        found |= dict(_walked(module))
    kept = {name: cls for name, cls in found.items() if inspect.isclass(cls) and name not in NO_ROWS.get(library, ())}
    return {name: cls for name, cls in sorted(kept.items()) if hasattr(cls, "predict") or hasattr(cls, "transform")}


def _walked(package: Any) -> Iterator[tuple[str, Any]]:
    """List the estimators in all public modules of a package."""
    for info in walk_packages(package.__path__, f"{package.__name__}."):
        if any(part in info.name for part in (".tests", "._", ".keras", ".tensorflow", "variable_handling")):
            continue
        for name, cls in vars(import_module(info.name)).items():
            own = inspect.isclass(cls) and cls.__module__.startswith(package.__name__) and issubclass(cls, BaseEstimator)
            if own and not name.startswith("_"):
                yield name, cls


@cache
def tables() -> dict[str, tuple[Any, Any]]:
    """Make the tables, each with two classes of which one is rare."""
    rng = np.random.default_rng(0)
    count = 120
    numbers = pd.DataFrame({name: rng.uniform(0.05, 0.95, count) for name in "abcd"})
    y = (numbers["a"] + rng.normal(0, 0.1, count) > 0.65).astype(int)
    words = numbers[["a", "b"]].assign(kind=rng.choice(["ash", "oak", "elm"], count), color=rng.choice(["red", "blue"], count))
    words = words[["kind", "a", "color", "b"]]
    gaps = words.mask(rng.random(words.shape) < 0.1)
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 90_000, count), unit="min")
    dates = numbers[["a"]].assign(when=days, until=days + pd.to_timedelta(rng.integers(1, 90, count), unit="h"))
    frames = {"numbers": numbers, "words": words, "gaps": gaps, "dates": dates[["a", "when"]], "two dates": dates}
    return {name: (frame, y) for name, frame in frames.items()}


def fits(library: str, cls: Any) -> Iterator[tuple[str, Any, str]]:
    """Fit a class to each table that it accepts; the first is its own.

    :returns: a label, the fitted estimator and the table's name, one after the other.
    """
    place = f"{cls.__module__}.{cls.__name__}".lower()
    first = [table for part, table in FIRST.items() if part in place]
    # a datetime that a class gives back as it is can't be an answer, so that only classes for dates are tried with dates
    named = [name for name in tables() if "date" not in name or any("date" in table for table in first)]
    for table in sorted(named, key=lambda name: name not in first):
        made = _fitted(library, cls, table)
        if made is not None:
            yield f"on {table}", made, table


def _fitted(library: str, cls: Any, table: str) -> Any:
    """Fit a class to a table, and ask it once; return None if it does not take the table, nor one of its columns."""
    X, y = tables()[table]
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        for target in (y, y + 0.5 * X.select_dtypes("number").fillna(0.0).iloc[:, 0]):
            for estimator in _made(library, cls, X):
                try:
                    estimator.fit(X, target)
                    (getattr(estimator, "predict", None) or estimator.transform)(X[:2])
                except Exception:  # it does not take this table
                    continue
                return estimator
    return None


def _made(library: str, cls: Any, X: pd.DataFrame) -> Iterator[Any]:
    """Make a class's estimator in its defaults; one that takes a column alone, for each column in turn."""
    arguments = ARGUMENTS.get(f"{PACKAGES.get(library, library)}.{cls.__name__}", dict)()
    required = {part.name for part in inspect.signature(cls.__init__).parameters.values() if part.default is part.empty}
    if "estimator" in required:
        arguments["estimator"] = DecisionTreeClassifier(max_depth=2, random_state=0)
    if "random_state" in inspect.signature(cls.__init__).parameters:
        arguments["random_state"] = 0
    if any(base.__name__ == "SingleColumnTransformer" for base in cls.__mro__):
        from skrub import ApplyToCols

        yield from (ApplyToCols(cls(**arguments), cols=[column]) for column in X.columns)
    else:
        yield cls(**arguments)


def _sampler() -> Any:
    from imblearn.over_sampling import SMOTE

    return SMOTE(random_state=0)
