"""The user's sample of rows: as the estimator takes it, and as instances of a signature, in both directions.

A sample is a table (a DataFrame, an array, lists), or a list of texts, of dictionaries, or of lists of (name, value) pairs.
"""

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
from flyweight.toolkit.errors import ToolkitError

Row = list[Any]  # one instance, per feature a float (NaN if missing), or a string or None


class SampleRefused(ToolkitError, ValueError):
    """A sample that does not fit the estimator."""


@dataclass(frozen=True)
class Shape:
    """How an estimator takes its input.

    :param names: the features' names, in order.
    :param kinds: per feature "number", "boolean" or "string".
    :param dtypes: per feature the dtype of its column.
    :param markers: per feature what stands for a missing string.
    :param framed: whether the input is a DataFrame; else a plain array.
    :param form: "table"; or for a list "texts", "dicts" or "pairs" (of a name and a value).
    """

    names: list[str]
    kinds: list[str]
    dtypes: list[Any]
    markers: list[Any]
    framed: bool
    form: str = "table"

    def to_estimator(self, rows: list[Row]) -> Any:
        """Build the estimator's input from instances, by the code of the engines that run the estimator itself."""
        return self._input.of(rows)

    def document(self) -> dict[str, Any]:
        """Describe the input for those engines, as the model file's document holds it."""
        markers = ["none" if marker is None else "na" if marker is pd.NA else "nan" for marker in self.markers]
        types = [_type_name(dtype, kind) for dtype, kind in zip(self.dtypes, self.kinds, strict=True)]
        return {"form": self.form, "framed": self.framed, "types": types, "markers": markers}

    @cached_property
    def _input(self) -> Input:
        return Input(self.document(), [Feature(name, kind, True) for name, kind in zip(self.names, self.kinds, strict=True)])

    def to_rows(self, X: Any) -> list[Row]:
        """Turn the estimator's input into instances.

        :raises SampleRefused: a column is missing, or a table without names has another width.
        """
        frame = frame_of(X, self.names)
        columns = [_values(frame.iloc[:, p], kind) for p, kind in enumerate(self.kinds)]
        return [list(row) for row in zip(*columns, strict=True)]


def form_of(estimator: Any) -> str:
    """Find what the estimator's first step reads: a "table", or a list of "texts", of "dicts" or of lists of "pairs"."""
    steps = [step for _, step in getattr(estimator, "steps", []) if step is not None and step != "passthrough"]
    parts = [*steps, *(part for _, part in getattr(estimator, "transformer_list", []) if not isinstance(part, str))]
    parts += [getattr(estimator, name) for name in ("best_estimator_", "estimator") if hasattr(estimator, name)]
    if parts:
        return form_of(parts[0])
    if hasattr(estimator, "build_analyzer"):
        return "texts"
    if type(estimator).__name__ == "FeatureHasher":
        return {"dict": "dicts", "pair": "pairs"}.get(estimator.input_type, "table")
    return "dicts" if type(estimator).__name__ == "DictVectorizer" else "table"


def names_of(estimator: Any, sample: Any) -> list[str]:
    """List the features' names, in the order in which the estimator was fitted.

    :raises SampleRefused: the names can't be known without a sample, or the sample's width is not the estimator's.
    """
    form = form_of(estimator)
    if form != "table":
        return _names_of_list(form, sample)
    fitted_names = _fitted_names(estimator)
    count = _width_of(estimator)
    if fitted_names is not None:
        names = [str(name) for name in fitted_names]
        columns = [str(name) for name in sample.columns] if isinstance(sample, pd.DataFrame) else names
        # LightGBM writes `mean_radius` for the column `mean radius`
        return columns if [name.replace(" ", "_") for name in columns] == names else names
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


def _names_of_list(form: str, sample: Any) -> list[str]:
    """List the features of a sample that is not a table: the name of its text, or all its keys in order of first appearance.

    :raises SampleRefused: there is no sample to take keys from, or it has several columns of text.
    """
    if form == "texts":
        name = _text_column(sample) if isinstance(sample, pd.DataFrame) else getattr(sample, "name", None)
        return ["text" if name is None else str(name)]
    if sample is None:
        raise SampleRefused("the estimator does not say which features it reads; give a sample")
    return [str(name) for name in _frame_of_list(sample).columns]


def _text_column(frame: pd.DataFrame) -> Any:
    """Find the column that holds the text: the only column, or the only one that holds strings.

    :raises SampleRefused: there are several such columns, or none.
    """
    columns = list(frame.columns)
    if len(columns) > 1:
        columns = [name for name in columns if any(isinstance(value, str) for value in frame[name])]
    if len(columns) != 1:
        raise SampleRefused(f"the estimator reads one text, the sample has {len(columns)} such columns; give that column alone")
    return columns[0]


def _frame_of_list(X: Any) -> Any:
    """Turn a list of texts, of dictionaries or of lists of pairs into a DataFrame; return anything else as it is."""
    if isinstance(X, pd.DataFrame) or getattr(X, "ndim", 1) != 1:
        return X
    entries = list(X)
    if entries and all(text is None or isinstance(text, str) or is_missing(text) for text in entries):
        return pd.DataFrame({"text" if getattr(X, "name", None) is None else X.name: pd.Series(entries, dtype=object)})
    if entries and not isinstance(entries[0], dict) and all(map(_is_pairs, entries)):
        entries = [dict(pairs) for pairs in entries]
    if not entries or not isinstance(entries[0], dict):
        return X
    keys = dict.fromkeys(str(key) for entry in entries for key in entry)
    return pd.DataFrame({key: pd.Series([entry.get(key) for entry in entries], dtype=object) for key in keys})


def _is_pairs(entry: Any) -> bool:
    """Check whether an entry is a list of pairs of a name and a value."""
    pairs = isinstance(entry, (list, tuple)) and all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in entry)
    return pairs and all(isinstance(name, str) for name, _ in entry)


def _fitted_names(estimator: Any) -> Any:
    """Get the names of the features that the estimator was fitted on; None if it has none. CatBoost keeps them elsewhere."""
    names = getattr(estimator, "feature_names_in_", None)
    own = getattr(estimator, "feature_names_", None) if names is None else None
    return names if own is None or [str(name) for name in own] == [str(place) for place in range(len(own))] else own


def _width_of(estimator: Any) -> int | None:
    """Get the number of features that the estimator was fitted on; None if neither it nor a step of its pipeline says."""
    for part in (estimator, *(step for _, step in getattr(estimator, "steps", []))):
        count = getattr(part, "n_features_in_", None)
        if count is not None:
            return int(count)
    return None


def markers_of(sample: Any, names: list[str]) -> list[Any]:
    """Find what stands for a missing value in each column of the sample: None, NaN or pandas' NA; NaN if none is missing.

    :raises SampleRefused: a column is missing, or a table without names has another width.
    """
    if sample is None:
        return [np.nan] * len(names)
    frame = frame_of(sample, names)
    columns = [frame.iloc[:, position] for position in range(len(names))]
    return [next((value for value in column if is_missing(value)), np.nan) for column in columns]


def frame_of(X: Any, names: list[str]) -> pd.DataFrame:
    """Turn any sample into a DataFrame of exactly these columns; other columns (a target, an index) are left out.

    A list of texts becomes one column; a list of dictionaries, or of lists of pairs, one column a key.

    :raises SampleRefused: a column is missing, or a table without names has another width.
    """
    X = X.toarray() if hasattr(X, "toarray") else _frame_of_list(X)
    if isinstance(X, pd.DataFrame):
        X = X.set_axis([str(name) for name in X.columns], axis=1)
        absent = [name for name in names if name not in X.columns]
        if absent:
            raise SampleRefused(f"the sample has no column {', '.join(map(repr, absent[:5]))}, on which the estimator was fitted")
        frame: pd.DataFrame = X[names]
        return frame
    array = np.asarray(X if hasattr(X, "dtype") else pd.DataFrame(X, dtype=object).infer_objects().to_numpy())
    if array.ndim != 2 or array.shape[1] != len(names):
        raise SampleRefused(f"the estimator was fitted on {len(names)} features, the sample has shape {array.shape}")
    if array.dtype.kind != "O":
        return pd.DataFrame(array, columns=names)
    # Keep objects: pandas would make its own strings of them, and turn None into NaN, which some steps tell apart.
    return pd.DataFrame({name: pd.Series(array[:, position], dtype=object) for position, name in enumerate(names)})


def as_categories(sample: Any, names: list[str], framed: Mapping[int, list[Any]]) -> Any:
    """Cast the features that the estimator takes as pandas' categories, since a sample read from CSV has no dtypes.

    A value outside the categories becomes missing, as in pandas. A sample whose columns have no names is returned as it is.

    :param framed: the categories by the position of their feature.
    """
    if not isinstance(sample, pd.DataFrame):
        return sample
    categories_by_name = {names[position]: categories for position, categories in framed.items()}
    cast = {
        name: pd.Categorical([_category(value, categories) for value in sample[name].tolist()], categories=categories)
        for name, categories in categories_by_name.items()
        if name in sample.columns and not isinstance(sample[name].dtype, pd.CategoricalDtype)
    }
    return sample.assign(**cast) if cast else sample


def _category(value: Any, categories: list[Any]) -> Any:
    """Find the category that a cell of CSV means: "1" may have been read as 1, or as 1.0 in a column with an empty cell."""
    if is_missing(value) or value in categories:
        return value
    texts = [str(value), str(int(value))] if isinstance(value, float) and value.is_integer() else [str(value)]
    return next((text for text in texts if text in categories), None)


def shape_of(estimator: Any, sample: Any, names: list[str], textual: set[int], known: Mapping[int, list[Any]] = {}) -> Shape:
    """Find how the estimator takes its input.

    :param textual: without a sample, the positions of the features that are strings; the others are numbers.
    :param known: without a sample, the categories of features that are pandas' categories, by position.
    :raises SampleRefused: the sample does not have these features, or a column holds values of several kinds.
    """
    form = form_of(estimator)
    # An estimator that counted its features and kept no names was fitted on an array, in whatever form the sample comes.
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
    """Find the kind of a column's values: number, boolean or string; number if all are missing.

    :raises SampleRefused: the column holds values of another kind, or of several.
    """
    present = [value for value in column.tolist() if not is_missing(value)]
    kinds = {"boolean" if isinstance(v, (bool, np.bool_)) else _kind(v) for v in present}
    if len(kinds) > 1 or kinds == {"other"}:
        types = ", ".join(sorted({type(value).__name__ for value in present}))
        raise SampleRefused(f"column {column.name!r} holds {types}; a feature is numbers, booleans or strings, all of one kind")
    return kinds.pop() if kinds else "number"


def _kind(value: Any) -> str:
    return "string" if isinstance(value, str) else "number" if isinstance(value, (int, float, np.number)) else "other"


def _values(column: pd.Series[Any], kind: str) -> list[Any]:
    if kind == "string":
        return [None if is_missing(value) else str(value) for value in column.tolist()]
    return [np.nan if is_missing(value) else float(value) for value in column.tolist()]


def _type_name(dtype: Any, kind: str) -> Any:
    """Name a column's dtype as model files name it."""
    if isinstance(dtype, pd.CategoricalDtype):
        return {"categories": dtype.categories.tolist(), "ordered": bool(dtype.ordered)}
    if kind == "string":
        return str(dtype) if str(dtype) in ("str", "string") else "object"
    if kind == "boolean":
        return "bool"
    return "int" if isinstance(dtype, np.dtype) and dtype.kind in "iu" else "float"
