"""The user's sample of rows, both ways: as the estimator wants them, and as instances of a signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from flyweight.engines._estimator import Input
from flyweight.models.signature import Feature
from flyweight.toolkit.convert.draft import is_missing
from flyweight.toolkit.packing.entries import SampleRefused as SampleRefused
from flyweight.toolkit.packing.entries import as_frame, form_of, names_of_entries

Row = list[Any]  # one instance: a float (NaN where missing), a string or None a feature


@dataclass(frozen=True)
class Shape:
    """How an estimator wants its input: the features in order, as a DataFrame or a plain array, and each one's kind and dtype.

    `form` is "table", or for a list "texts", "dicts" or "pairs" (of a name and a value).
    """

    names: list[str]
    kinds: list[str]
    dtypes: list[Any]
    markers: list[Any]  # what stands for a missing string
    framed: bool
    form: str = "table"

    def to_estimator(self, rows: list[Row]) -> Any:
        """Instances as the estimator's input, made as the engines that run the estimator itself make it."""
        return self._input.of(rows)

    def told(self) -> dict[str, Any]:
        """The shape as a model file tells it to those engines."""
        markers = ["none" if marker is None else "na" if marker is pd.NA else "nan" for marker in self.markers]
        types = [_type(dtype, kind) for dtype, kind in zip(self.dtypes, self.kinds, strict=True)]
        return {"form": self.form, "framed": self.framed, "types": types, "markers": markers}

    @cached_property
    def _input(self) -> Input:
        return Input(self.told(), [Feature(name, kind, True) for name, kind in zip(self.names, self.kinds, strict=True)])

    def to_rows(self, X: Any) -> list[Row]:
        """The estimator's input as instances."""
        frame = frame_of(X, self.names)
        columns = [_values(frame.iloc[:, p], kind) for p, kind in enumerate(self.kinds)]
        return [list(row) for row in zip(*columns, strict=True)]


def names_of(estimator: Any, sample: Any) -> list[str]:
    """The features' names, in the order in which the estimator was fitted.

    :raises SampleRefused: the sample lacks some, or its width is not the estimator's.
    """
    form = form_of(estimator)
    if form != "table":
        return names_of_entries(form, sample)
    fitted = _fitted_names(estimator)
    count = _width_of(estimator)
    if fitted is not None:
        names = [str(name) for name in fitted]
        own = [str(name) for name in sample.columns] if isinstance(sample, pd.DataFrame) else names
        # LightGBM writes `mean_radius` for the column `mean radius`
        return own if [name.replace(" ", "_") for name in own] == names else names
    if isinstance(sample, pd.DataFrame):
        if count is not None and count != sample.shape[1]:
            raise SampleRefused(f"the estimator was fitted on {count} features, the sample has {sample.shape[1]} columns")
        return [str(name) for name in sample.columns]
    if count is None and sample is not None:
        shape = np.shape(sample)
        if len(shape) != 2:
            raise SampleRefused(f"a sample is a table of rows and features, this one has shape {shape}")
        count = shape[1]
    if count is None:
        raise SampleRefused("the estimator does not say how many features it was fitted on; give a sample")
    return [f"x{position}" for position in range(count)]


def _fitted_names(estimator: Any) -> Any:
    """The names of the features on which the estimator was fitted, if it had some; CatBoost keeps them elsewhere."""
    names = getattr(estimator, "feature_names_in_", None)
    own = getattr(estimator, "feature_names_", None) if names is None else None
    return names if own is None or [str(name) for name in own] == [str(place) for place in range(len(own))] else own


def _width_of(estimator: Any) -> int | None:
    """How many features the estimator was fitted on; a pipeline may begin with steps that do not say."""
    for part in (estimator, *(step for _, step in getattr(estimator, "steps", []))):
        count = getattr(part, "n_features_in_", None)
        if count is not None:
            return int(count)
    return None


def markers_of(sample: Any, names: list[str]) -> list[Any]:
    """What stands for a missing value in each column of the sample: None, NaN or pandas' NA; NaN where none is missing."""
    if sample is None:
        return [np.nan] * len(names)
    frame = frame_of(sample, names)
    columns = [frame.iloc[:, position] for position in range(len(names))]
    return [next((value for value in column if is_missing(value)), np.nan) for column in columns]


def frame_of(X: Any, names: list[str]) -> pd.DataFrame:
    """Any table as a DataFrame of exactly these columns; columns beside them (a target, an index) are left out.

    A list of texts is one column, a list of dictionaries one a key, and so is a list of lists of pairs.

    :raises SampleRefused: a column is missing, or a nameless table has another width.
    """
    X = X.toarray() if hasattr(X, "toarray") else as_frame(X)
    if isinstance(X, pd.DataFrame):
        X = X.set_axis([str(name) for name in X.columns], axis=1)
        absent = [name for name in names if name not in X.columns]
        if absent:
            raise SampleRefused(f"the sample has no column {', '.join(map(repr, absent[:5]))}, on which the estimator was fitted")
        wanted: pd.DataFrame = X[names]
        return wanted
    array = np.asarray(X if hasattr(X, "dtype") else pd.DataFrame(X, dtype=object).infer_objects().to_numpy())
    if array.ndim != 2 or array.shape[1] != len(names):
        raise SampleRefused(f"the estimator was fitted on {len(names)} features, the sample has shape {array.shape}")
    if array.dtype.kind != "O":
        return pd.DataFrame(array, columns=names)
    # as they are: pandas would make strings of its own of them, and None would become NaN, which is not the same to all steps
    return pd.DataFrame({name: pd.Series(array[:, position], dtype=object) for position, name in enumerate(names)})


def as_categories(sample: Any, names: list[str], framed: Mapping[int, list[Any]]) -> Any:
    """The sample with those features as pandas' categories that the estimator takes as such: CSV has no dtypes.

    What is none of the categories becomes missing, as pandas has it. A sample whose columns have no names is left as it is.
    """
    if not isinstance(sample, pd.DataFrame):
        return sample
    wanted = {names[position]: categories for position, categories in framed.items()}
    cast = {
        name: pd.Categorical([_category(value, categories) for value in sample[name].tolist()], categories=categories)
        for name, categories in wanted.items()
        if name in sample.columns and not isinstance(sample[name].dtype, pd.CategoricalDtype)
    }
    return sample.assign(**cast) if cast else sample


def _category(value: Any, categories: list[Any]) -> Any:
    """The category that a cell of CSV means: "1" may have been read as 1, or beside an empty cell as 1.0."""
    if is_missing(value) or value in categories:
        return value
    texts = [str(value), str(int(value))] if isinstance(value, float) and value.is_integer() else [str(value)]
    return next((text for text in texts if text in categories), None)


def shape_of(estimator: Any, sample: Any, names: list[str], textual: set[int], known: Mapping[int, list[Any]] = {}) -> Shape:
    """How the estimator wants its input, from the sample; without one, features in `textual` are strings, the rest numbers.

    Without a sample those in `known` are pandas' categories.
    """
    form = form_of(estimator)
    # one that counted its features and kept no names was fitted on an array, whatever the sample comes as
    unnamed = _width_of(estimator) is not None
    framed = form == "table" and (_fitted_names(estimator) is not None or (isinstance(sample, pd.DataFrame) and not unnamed))
    if sample is None:
        strings = range(len(names)) if form == "texts" else textual
        kinds = ["string" if position in strings else "number" for position in range(len(names))]
        dtypes: list[Any] = [object if kind == "string" else np.dtype(float) for kind in kinds]
        dtypes = [pd.CategoricalDtype(known[p]) if p in known else dtype for p, dtype in enumerate(dtypes)]
        return Shape(names, kinds, dtypes, [np.nan] * len(names), framed, form)
    frame = frame_of(sample, names)
    columns = [frame.iloc[:, position] for position in range(len(names))]
    kinds, dtypes = [kind_of(column) for column in columns], [column.dtype for column in columns]
    return Shape(names, kinds, dtypes, markers_of(sample, names), framed, form)


def kind_of(column: pd.Series[Any]) -> str:
    """The kind of one column's values: number, boolean or string.

    :raises SampleRefused: it holds something else, or several.
    """
    present = [value for value in column.tolist() if not is_missing(value)]
    kinds = {"boolean" if isinstance(v, (bool, np.bool_)) else _kind(v) for v in present}
    if len(kinds) > 1 or kinds == {"other"}:
        shown = ", ".join(sorted({type(value).__name__ for value in present}))
        raise SampleRefused(f"column {column.name!r} holds {shown}; a feature is numbers, booleans or strings, all of one kind")
    return kinds.pop() if kinds else "number"


def _kind(value: Any) -> str:
    return "string" if isinstance(value, str) else "number" if isinstance(value, (int, float, np.number)) else "other"


def _values(column: pd.Series[Any], kind: str) -> list[Any]:
    if kind == "string":
        return [None if is_missing(value) else str(value) for value in column.tolist()]
    return [np.nan if is_missing(value) else float(value) for value in column.tolist()]


def _type(dtype: Any, kind: str) -> Any:
    """A column's dtype by the name that model files have for it."""
    if isinstance(dtype, pd.CategoricalDtype):
        return {"categories": dtype.categories.tolist(), "ordered": bool(dtype.ordered)}
    if kind == "string":
        return str(dtype) if str(dtype) in ("str", "string") else "object"
    if kind == "boolean":
        return "bool"
    return "int" if isinstance(dtype, np.dtype) and dtype.kind in "iu" else "float"
