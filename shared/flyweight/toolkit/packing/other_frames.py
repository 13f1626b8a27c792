"""Read samples that are tables of polars or Arrow, which estimators take as they take those of pandas."""

from __future__ import annotations

from typing import Any

import pandas as pd

from flyweight.toolkit.packing.sample import SampleRefused

PLAIN = "biufM"  # NumPy's kinds of numbers, booleans and datetimes; anything else stays an object, and a missing one None


def as_pandas(sample: Any) -> Any:
    """Turn a table of polars or Arrow into a DataFrame with the same values; return any other sample as it is.

    :raises SampleRefused: it is a query of polars that was not collected.
    """
    if hasattr(sample, "collect") and not hasattr(sample, "__len__"):
        raise SampleRefused(f"the sample is a {type(sample).__name__}, which has no rows yet", "call its method collect() first")
    if hasattr(sample, "get_columns") and hasattr(sample, "schema"):
        named = [(column.name, column) for column in sample.get_columns()]
    elif hasattr(sample, "schema") and hasattr(sample, "num_rows"):
        named = [(name, sample.column(place)) for place, name in enumerate(sample.schema.names)]
    else:
        return sample
    columns = [_series(column) for _, column in named]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame()
    return frame.set_axis([name for name, _ in named], axis=1)


def _series(column: Any) -> pd.Series[Any]:
    """Turn a column into one of pandas; texts stay objects, since pandas' own strings have no None."""
    own_type = getattr(column, "type", None) or getattr(column, "dtype", None)
    if getattr(own_type, "tz", None) or getattr(own_type, "time_zone", None):
        return pd.Series(_listed(column))  # NumPy has no time zones
    values = column.to_numpy(zero_copy_only=False) if hasattr(column, "to_pylist") else column.to_numpy()
    if values.ndim == 1 and values.dtype.kind in PLAIN:
        return pd.Series(values)
    return pd.Series(_listed(column), dtype=object)


def _listed(column: Any) -> list[Any]:
    """List the values of a column of polars or Arrow as Python's own."""
    return [*(column.to_list() if hasattr(column, "to_list") else column.to_pylist())]
