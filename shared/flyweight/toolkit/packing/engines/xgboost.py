"""Candidates for the xgboost engine: the booster of an XGBoost estimator, in the bytes in which XGBoost saves it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flyweight.toolkit.packing.candidate import Candidate, EngineSkipped, as_bytes

if TYPE_CHECKING:
    from flyweight.toolkit.packing.source_model import SourceModel

ORDER = 35

ESTIMATORS = {f"xgboost.{name}" for name in ("XGBClassifier", "XGBRFClassifier", "XGBRegressor", "XGBRFRegressor", "XGBRanker")}
ANSWERS = {"index", "values", "probabilities"}


def refusal(classes: Sequence[str], functions: Sequence[str]) -> str:
    """Say that the estimator is more than one of XGBoost's own."""
    return "" if {*classes} <= ESTIMATORS and not functions else "it runs estimators of XGBoost alone, without other steps"


def candidates(model: SourceModel) -> Iterator[Candidate]:
    """Make the candidate that holds the booster.

    :raises EngineSkipped: the estimator is not one of XGBoost's own, takes categories or strings, or answers several labels.
    """
    from flyweight.toolkit.convert import class_name

    reason = refusal([class_name(model.estimator)], [])
    if reason:
        raise EngineSkipped(reason)
    from importlib import metadata

    booster = model.estimator.get_booster()
    if "c" in (booster.feature_types or []) or not {feature.kind for feature in model.features} <= {"number", "boolean"}:
        raise EngineSkipped("it takes features that are not numbers; the plan takes them")
    if not {*model.widths} <= ANSWERS or (model.classes is not None and len(model.classes) > 1):
        raise EngineSkipped("it answers several labels at once, or more than probabilities and values")
    best = getattr(model.estimator, "best_iteration", None) if model.estimator.get_params().get("early_stopping_rounds") else None
    missing = float(model.estimator.missing)
    document = {
        "outputs": model.widths,
        "rounds": 0 if best is None else best + 1,
        "missing": None if math.isnan(missing) else missing,
    }
    distribution = metadata.packages_distributions()["xgboost"][0]
    requires = {"xgboost": metadata.version(distribution), "numpy": metadata.version("numpy")}  # xgboost-cpu has no GPU
    yield Candidate("xgboost", {"xgboost": document}, {"xgboost": as_bytes(bytes(booster.save_raw("ubj")))}, requires)
