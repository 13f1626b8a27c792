"""The kinds of columns of CSV that neither the estimator's steps nor the user tell: the estimator is asked for an answer."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from flyweight.toolkit.packing.tables import column_of

ROWS = 20  # of the sample that the estimator is asked with


def numbers_by_answer(
    estimator: Any, sample: pd.DataFrame, names: Sequence[str], unknown: Sequence[str]
) -> Mapping[str, pd.Series[Any]] | None:
    """Find whether columns of texts are numbers to the estimator: it answers them as numbers, and refuses them as strings.

    :param sample: the columns whose kinds are known converted, the others as texts.
    :param names: the estimator's features, in order.
    :param unknown: the columns whose kind is not known.
    :returns: the columns as numbers; None if they are no numbers, or if the estimator answers both or neither.
    """
    if any(name not in sample.columns for name in names):
        return None
    numbers = {name: column_of(sample[name], "number") for name in unknown}
    if any(isinstance(value, str) for column in numbers.values() for value in column.tolist()):
        return None
    few = sample[[*names]].head(ROWS)
    as_numbers = few.assign(**{name: column.head(ROWS) for name, column in numbers.items()})
    as_texts = few.assign(**{name: few[name].astype(object) for name in unknown})
    return numbers if _answers(estimator, as_numbers) and not _answers(estimator, as_texts) else None


def _answers(estimator: Any, table: pd.DataFrame) -> bool:
    """Check whether the estimator answers a table, in the form that it was fitted on."""
    method = estimator.predict if hasattr(estimator, "predict") else estimator.transform
    X = table if hasattr(estimator, "feature_names_in_") else table.to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            method(X)
        except Exception:  # a step of the user's own can raise anything
            return False
    return True
