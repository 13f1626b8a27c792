"""Convert imputers of constants (SimpleImputer)."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value, is_missing, plain


@converts("sklearn.SimpleImputer")
def simple(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to filled values, and the indicator's flags beside them; a feature without any value in training is dropped.

    :raises ConversionRefused: the value that it takes for missing can't be written in JSON.
    """
    statistics = [plain(value) for value in np.asarray(estimator.statistics_, dtype=object)]
    kept = [p for p, value in enumerate(statistics) if not is_dropped(estimator, value)]
    missing = None if is_missing(estimator.missing_values) else plain(estimator.missing_values)
    if missing is not None and not isinstance(missing, (str, int, float)):
        raise ConversionRefused(draft.path, "SimpleImputer", f"missing_values={missing!r} can't be written in JSON")
    for position in kept:
        if isinstance(statistics[position], str):
            draft.note_categories(x, position, [statistics[position]])
    nulls = [_counts_as_missing(column.marker, estimator.missing_values) for column in x.columns]
    filled = draft.take(x, kept)
    fill = [statistics[position] for position in kept]
    parts = []
    if kept:
        parameters: dict[str, Any] = {"nulls": [nulls[position] for position in kept], "missing": [missing]}
        parts.append(draft.add("impute.fill", filled, columns=filled.columns, fill=fill, **parameters))
    if estimator.indicator_ is not None and len(estimator.indicator_.features_):
        positions = [int(position) for position in estimator.indicator_.features_]
        parameters = {"nulls": [nulls[position] for position in positions], "missing": [missing]}
        parts.append(draft.add("impute.flag", x, columns=len(positions), positions=positions, **parameters))
    return {"transform": draft.join(parts)}


def is_dropped(imputer: Any, statistic: Any) -> bool:
    """Say whether an imputer drops a feature, by its statistic: NaN, and not None, which is the most frequent of some columns.

    Source: `SimpleImputer.transform` (`sklearn.impute._base`).
    """
    empty = isinstance(statistic, float) and statistic != statistic
    return empty and not imputer.keep_empty_features


def _counts_as_missing(marker: Any, missing_values: Any) -> bool:
    """Say whether the imputer takes `marker` for missing; it tells None and NaN apart (`sklearn.utils._mask._get_mask`)."""
    if missing_values is None:
        return marker is None
    return is_missing(missing_values) and marker is not None
