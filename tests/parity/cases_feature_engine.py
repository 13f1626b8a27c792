"""feature_engine's imputers, encoders, transformers of numbers, selection and the rest, in many configurations, fitted."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from feature_engine import (
    creation,
    discretisation,
    encoding,
    imputation,
    outliers,
    preprocessing,
    scaling,
    selection,
    transformation,
)
from feature_engine.text import TextFeatures
from feature_engine.wrappers import SklearnTransformerWrapper
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PolynomialFeatures, StandardScaler

from tests.parity.cases import Case
from tests.parity.tables import Table

NUMBERS = ["area", "rooms", "share"]
WORDS = ["kind", "town"]


@cache
def houses(*, missing: bool = False) -> Table:
    """Three positive numbers, one of them a share, and two words, one with rare values."""
    rng = np.random.default_rng(0)
    count = 200
    frame = pd.DataFrame(
        {
            "area": rng.gamma(5.0, 20.0, count) + 5.0,
            "kind": pd.Series(rng.choice(["house", "flat", "loft"], count, p=[0.5, 0.4, 0.1]), dtype=object),
            "rooms": rng.integers(1, 9, count).astype(float),
            "town": pd.Series(
                rng.choice(["Bern", "Genève", "Ünter", "NA", "Au"], count, p=[0.4, 0.3, 0.2, 0.06, 0.04]), dtype=object
            ),
            "share": rng.uniform(0.05, 0.95, count),
        }
    )
    target = frame["area"] * 2 + frame["rooms"] + (frame["kind"] == "flat") * 9.0 + rng.normal(0, 1, count)
    if missing:
        for name in frame:
            frame.loc[rng.random(count) < 0.1, name] = None if name in WORDS else np.nan
    return frame, target.to_numpy()


def binary_target(target: Any) -> Any:
    return pd.Series((target > np.median(target)).astype(int))


def of(
    transformer: Any, last: Any = None, *, names: Any = None, missing: bool = False, binary: bool = False
) -> Callable[[], Case]:
    """Fit the transformer on the houses, alone or before a model."""

    def case() -> Case:
        frame, target = houses(missing=missing)
        frame = frame if names is None else frame[names]
        y = binary_target(target) if binary else pd.Series(target)
        model = transformer if last is None else make_pipeline(transformer, last)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(frame, y), frame

    return case


def encoded(encoder: Any, **options: Any) -> Callable[[], Case]:
    return of(encoder, LogisticRegression(max_iter=20) if options.get("binary") else Ridge(), **options)


def numbers(transformer: Any, **options: Any) -> Callable[[], Case]:
    return of(transformer, names=NUMBERS, **options)


def texts() -> Case:
    rng = np.random.default_rng(0)
    words = ["Hello", "World!", "3 rooms.", "a", "\t", "ÜBER", "x-y", "?"]
    frame = pd.DataFrame({"text": pd.Series([" ".join(rng.choice(words, rng.integers(0, 6))) for _ in range(150)], dtype=object)})
    return make_pipeline(TextFeatures("text", drop_original=True), Ridge()).fit(frame, frame["text"].str.len()), frame


TREE: dict[str, Any] = {"random_state": 0, "cv": 2}

FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "feature-engine-encoders": {
        "ordinal": encoded(encoding.OrdinalEncoder(encoding_method="arbitrary")),
        "ordinal-encode": encoded(encoding.OrdinalEncoder(unseen="encode")),
        "ordinal-missing": of(encoding.OrdinalEncoder(missing_values="ignore", unseen="ignore"), missing=True),
        "count": encoded(encoding.CountFrequencyEncoder()),
        "frequency": encoded(encoding.CountFrequencyEncoder("frequency", unseen="encode", missing_values="ignore")),
        "mean": encoded(encoding.MeanEncoder(smoothing="auto", unseen="encode")),
        "mean-raise": encoded(encoding.MeanEncoder(unseen="raise")),
        "woe": encoded(encoding.WoEEncoder(variables=["kind"]), names=["area", "kind"], binary=True),
        "tree": encoded(encoding.DecisionTreeEncoder(**TREE)),
        "one-hot": encoded(encoding.OneHotEncoder()),
        "one-hot-top": encoded(encoding.OneHotEncoder(top_categories=2)),
        "one-hot-drop": encoded(encoding.OneHotEncoder(drop_last=True)),
        "rare": encoded(make_pipeline(encoding.RareLabelEncoder(tol=0.1, n_categories=2), encoding.OneHotEncoder())),
        "rare-alone": of(encoding.RareLabelEncoder(tol=0.1, n_categories=2, missing_values="ignore"), missing=True),
        "rare-numbers": of(
            encoding.RareLabelEncoder(tol=0.1, n_categories=2, variables="rooms", ignore_format=True, replace_with=-1.0),
            names=NUMBERS,
        ),
        "similarity": encoded(encoding.StringSimilarityEncoder()),
        "similarity-missing": of(encoding.StringSimilarityEncoder(missing_values="ignore", top_categories=3), missing=True),
        "match-categories": of(preprocessing.MatchCategories(missing_values="ignore")),
    },
    "feature-engine-imputers": {
        "mean": of(imputation.MeanMedianImputer("mean"), missing=True),
        "end-tail": of(imputation.EndTailImputer(), missing=True),
        "number": of(imputation.ArbitraryNumberImputer(-1), missing=True),
        "words": of(imputation.CategoricalImputer(), missing=True),
        "frequent": of(imputation.CategoricalImputer("frequent"), missing=True),
        "indicator": of(imputation.AddMissingIndicator(), missing=True),
        "pipeline": of(
            make_pipeline(imputation.AddMissingIndicator(), imputation.MeanMedianImputer(), imputation.CategoricalImputer()),
            make_pipeline(encoding.OneHotEncoder(), RandomForestRegressor(n_estimators=5, random_state=0)),
            missing=True,
        ),
    },
    "feature-engine-numbers": {
        "frequency": numbers(discretisation.EqualFrequencyDiscretiser(q=5)),
        "width": numbers(discretisation.EqualWidthDiscretiser(bins=5)),
        "width-names": numbers(discretisation.EqualWidthDiscretiser(bins=5, return_boundaries=True)),
        "width-encoded": encoded(
            make_pipeline(discretisation.EqualWidthDiscretiser(bins=3, return_object=True), encoding.MeanEncoder())
        ),
        "geometric": numbers(discretisation.GeometricWidthDiscretiser(bins=4)),
        "arbitrary": numbers(discretisation.ArbitraryDiscretiser({"area": [0, 50, 100, 400], "rooms": [0, 2, 20]})),
        "tree": numbers(discretisation.DecisionTreeDiscretiser(**TREE)),
        "tree-bins": numbers(discretisation.DecisionTreeDiscretiser(bin_output="bin_number", **TREE)),
        "tree-rounded": numbers(discretisation.DecisionTreeDiscretiser(precision=1, **TREE)),
        "tree-bounds": numbers(discretisation.DecisionTreeDiscretiser(bin_output="boundaries", precision=2, **TREE)),
        "tree-classes": numbers(
            discretisation.DecisionTreeDiscretiser(regression=False, scoring="accuracy", **TREE), binary=True
        ),
        "winsorizer": numbers(outliers.Winsorizer("gaussian", "both", fold=1)),
        "winsorizer-flags": numbers(outliers.Winsorizer("iqr", "both", add_indicators=True)),
        "winsorizer-missing": numbers(
            outliers.Winsorizer("quantiles", "right", add_indicators=True, missing_values="ignore"), missing=True
        ),
        "capper": numbers(outliers.ArbitraryOutlierCapper({"area": 120}, {"area": 30, "rooms": 2})),
        "log": numbers(transformation.LogTransformer()),
        "log-10": numbers(transformation.LogTransformer(base="10", variables=["area"])),
        "log-cp": numbers(transformation.LogCpTransformer()),
        "log-cp-each": numbers(transformation.LogCpTransformer(C={"area": 3, "rooms": 0.5})),
        "reciprocal": numbers(transformation.ReciprocalTransformer()),
        "power": numbers(transformation.PowerTransformer(exp=0.5)),
        "box-cox": numbers(transformation.BoxCoxTransformer()),
        "yeo-johnson": numbers(transformation.YeoJohnsonTransformer()),
        "arcsin": numbers(transformation.ArcsinTransformer("share")),
        "arcsinh": numbers(transformation.ArcSinhTransformer(scale=2.0, loc=1.0)),
        "mean-normalization": of(scaling.MeanNormalizationScaler()),
        "cyclical": numbers(creation.CyclicalFeatures("rooms", drop_original=True)),
        "math": numbers(creation.MathFeatures(NUMBERS, ["sum", "prod", "mean", "std", "var", "min", "max", "median"])),
        "math-missing": numbers(creation.MathFeatures(NUMBERS, ["sum", "mean", "std"], missing_values="ignore"), missing=True),
        "relative": numbers(
            creation.RelativeFeatures(
                ["area", "rooms"], ["share", "rooms"], ["add", "sub", "mul", "div", "floordiv", "mod", "pow"]
            )
        ),
        "relative-fill": numbers(
            creation.RelativeFeatures(["area"], ["rooms"], ["div", "truediv"], fill_value=7.0, drop_original=True)
        ),
        "tree-features": numbers(creation.DecisionTreeFeatures(features_to_combine=2, precision=3, drop_original=True, **TREE)),
        "tree-features-binary": numbers(
            creation.DecisionTreeFeatures(features_to_combine=1, regression=False, scoring="accuracy", **TREE), binary=True
        ),
        "haversine": numbers(creation.GeoDistanceFeatures("area", "rooms", "share", "rooms", validate_ranges=False)),
        "euclidean": numbers(creation.GeoDistanceFeatures("share", "rooms", "share", "area", "euclidean", validate_ranges=False)),
        "manhattan": numbers(
            creation.GeoDistanceFeatures("share", "rooms", "rooms", "area", "manhattan", "miles", validate_ranges=False)
        ),
    },
    "feature-engine-columns": {
        "drop": of(selection.DropFeatures(["rooms", "town"])),
        "constant": of(selection.DropConstantFeatures(tol=0.4)),
        "duplicates": of(selection.DropDuplicateFeatures()),
        "correlated": numbers(selection.DropCorrelatedFeatures(threshold=0.1)),
        "smart": numbers(selection.SmartCorrelatedSelection(threshold=0.1, selection_method="variance")),
        "psi": numbers(selection.DropHighPSIFeatures(threshold=0.2)),
        "shuffling": numbers(selection.SelectByShuffling(LinearRegression(), scoring="r2", cv=2, random_state=0)),
        "single": numbers(selection.SelectBySingleFeaturePerformance(LinearRegression(), scoring="r2", cv=2, threshold=0.01)),
        "elimination": numbers(selection.RecursiveFeatureElimination(LinearRegression(), scoring="r2", cv=2)),
        "addition": numbers(selection.RecursiveFeatureAddition(LinearRegression(), scoring="r2", cv=2)),
        "information": of(selection.SelectByInformationValue(variables=["kind"], threshold=0.0), binary=True),
        "target-mean": numbers(
            selection.SelectByTargetMeanPerformance(regression=True, scoring="r2", cv=2, bins=3, threshold=-9)
        ),
        "probes": numbers(selection.ProbeFeatureSelection(LinearRegression(), scoring="r2", cv=2, random_state=0)),
        "mrmr": numbers(selection.MRMR(max_features=2, regression=True, method="FCQ")),
        "match": of(preprocessing.MatchVariables(missing_values="ignore"), missing=True),
        "wrapped-scaler": of(SklearnTransformerWrapper(StandardScaler(), variables=["area", "rooms"])),
        "wrapped-imputer": of(SklearnTransformerWrapper(SimpleImputer(), variables=NUMBERS), missing=True),
        "wrapped-one-hot": of(
            SklearnTransformerWrapper(OneHotEncoder(sparse_output=False, handle_unknown="ignore"), variables=["kind"]),
            names=["area", "kind"],
        ),
        "wrapped-ordinal": of(SklearnTransformerWrapper(OrdinalEncoder(), variables=WORDS)),
        "wrapped-polynomial": of(SklearnTransformerWrapper(PolynomialFeatures(2), variables=["area", "rooms"])),
        "wrapped-selector": of(SklearnTransformerWrapper(SelectKBest(f_regression, k=1), variables=NUMBERS)),
        "texts": texts,
    },
}
