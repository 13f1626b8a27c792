"""Results of statsmodels: what `fit` returned, with its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from flyweight.toolkit.convert.draft import ConversionRefused
from flyweight.toolkit.convert.statsmodels import refusal
from flyweight.toolkit.packing.natives import NativeModel

CONSTANTS = ("const", "Intercept")  # of `add_constant`, and of formulas: columns of ones


class Results(NativeModel):
    """The results of a model that has one row of parameters: its mean, from the columns of its `exog`.

    A constant that has a name is no feature: `predict` adds it. Without names, rows are those of `exog`, with the constant.

    :param results: the results.
    :param formula: the formula that made `exog` of other columns; None if its columns are those of the table.
    """

    __module__, __qualname__ = "statsmodels", "Results"

    def __init__(self, results: Any) -> None:
        self.results_ = results
        self.model_ = type(results.model).__name__
        self.params_ = np.asarray(results.params, dtype=float)
        names = getattr(results.params, "index", None)
        if names is not None and not all(isinstance(name, str) for name in names):
            names = None  # `remove_data` takes the names away
        columns = [f"x{place}" for place in range(len(self.params_))] if names is None else [str(name) for name in names]
        self.constant_ = [names is not None and column in CONSTANTS for column in columns][: len(self.params_)]
        features = [column for column, constant in zip(columns, self.constant_, strict=True) if not constant]
        self.formula_ = _formula(results, features)
        super().__init__(len(features), None if names is None else features)

    def predict(self, X: Any) -> Any:
        """Answer the mean of each row; other columns of a table, such as the constant, are not read."""
        named = isinstance(X, pd.DataFrame) and hasattr(self, "feature_names_in_")
        rows = np.asarray(X[[*self.feature_names_in_]] if named else X, dtype=float)
        exog = np.ones((len(rows), len(self.params_)))
        exog[:, ~np.array(self.constant_)] = rows
        return np.asarray(self.results_.predict(exog, transform=False))


def _formula(results: Any, features: list[str]) -> str | None:
    """Return the formula of a model, if one of its features is not a numeric column of the table by itself."""
    formula = getattr(results.model, "formula", None)
    frame = getattr(getattr(results.model, "data", None), "frame", None)
    if formula is None or (frame is not None and all(f in frame and frame[f].dtype.kind in "iuf" for f in features)):
        return None
    return str(formula)


def adopted(model: Any) -> Any:
    """Wrap results, or their wrapper; return anything else as it is.

    :raises ConversionRefused: they have no mean that a plan can hold; no other engine runs them either.
    """
    results = getattr(model, "_results", model)
    if not hasattr(results, "params") or not hasattr(results, "model"):
        return model
    wrapped = Results(model)
    reason = refusal(wrapped)
    if reason is not None:
        raise ConversionRefused("", f"statsmodels.{wrapped.model_}", reason)
    return wrapped
