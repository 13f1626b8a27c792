"""The user's sample of rows: as the estimator takes it, and as instances of a signature, in both directions.

A sample is a table (a DataFrame, an array, lists), or a list of texts, of dictionaries, or of lists of (name, value) pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from flyweight.engines._estimator import Input
from flyweight.models.datetimes import NotDatetime, microseconds
from flyweight.models.signature import Feature
from flyweight.toolkit.convert.draft import is_missing
from flyweight.toolkit.errors import ToolkitError

Row = list[Any]  # one instance, per feature a float (NaN if missing or unread), or a string or None


class SampleRefused(ToolkitError, ValueError):
    """A sample that does not fit the estimator."""


@dataclass(frozen=True)
class Shape:
    """How an estimator takes its input.

    :param names: the features' names, in order.
    :param kinds: per feature "number", "boolean", "string", "datetime" or "unread".
    :param dtypes: per feature the dtype of its column.
    :param markers: per feature what stands for a missing string.
    :param framed: whether the input is a DataFrame; else a plain array.
    :param whole: the positions of numbers that objects hold as integers, as CatBoost takes categories.
    :param form: "table"; or for a list "texts", "dicts" or "pairs" (of a name and a value).
    """

    names: list[str]
    kinds: list[str]
    dtypes: list[Any]
    markers: list[Any]
    framed: bool
    form: str = "table"
    whole: frozenset[int] = frozenset()

    def to_estimator(self, rows: list[Row]) -> Any:
        """Build the estimator's input from instances, by the code of the engines that run the estimator itself."""
        return self._input.of(rows)

    @property
    def zones(self) -> list[str]:
        """Whether the datetimes of each feature have a time zone, "UTC", or have none."""
        return [_zone(dtype) for dtype in self.dtypes]

    def document(self) -> dict[str, Any]:
        """Describe the input for those engines, as the model file's document holds it."""
        markers = ["none" if marker is None else "na" if marker is pd.NA else "nan" for marker in self.markers]
        types = [_type_name(dtype, kind) for dtype, kind in zip(self.dtypes, self.kinds, strict=True)]
        types = ["whole" if position in self.whole else name for position, name in enumerate(types)]
        return {"form": self.form, "framed": self.framed, "types": types, "markers": markers}

    @cached_property
    def _input(self) -> Input:
        features = zip(self.names, self.kinds, self.zones, strict=True)
        return Input(self.document(), [Feature(name, kind, True, zone=zone) for name, kind, zone in features])

    def to_rows(self, X: Any) -> list[Row]:
        """Turn the estimator's input into instances.

        :raises SampleRefused: a column is missing, or a table without names has another width.
        """
        frame = frame_of(X, self.names, self.unread)
        if {*self.kinds} == {"number"} and all(isinstance(t, np.dtype) and t.kind in "fiub" for t in {*frame.dtypes}):
            table: list[Row] = frame.to_numpy(dtype=float).tolist()  # all columns at once: a wide table takes long one by one
            return table
        columns = [_values(column, kind) for (_, column), kind in zip(frame.items(), self.kinds, strict=True)]
        return [list(row) for row in zip(*columns, strict=True)]

    @property
    def unread(self) -> set[str]:
        """The names of the features that nothing reads."""
        return {name for name, kind in zip(self.names, self.kinds, strict=True) if kind == "unread"}


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
    if names is not None and not all(isinstance(name, str) for name in names):
        return None  # category_encoders numbers the columns of an array
    own = getattr(estimator, "feature_names_", None) if names is None else None
    return names if own is None or [str(name) for name in own] == [str(place) for place in range(len(own))] else own


def _width_of(estimator: Any) -> int | None:
    """Get the number of features that the estimator was fitted on; None if neither it nor a step of its pipeline says."""
    for part in (estimator, *(step for _, step in getattr(estimator, "steps", []))):
        names = getattr(part, "feature_names_", None)  # an unpickled CatBoost says that it has 0 features, and names them
        count = getattr(part, "n_features_in_", None) or (len(names) if names else None)
        if count is not None:
            return int(count)
    return None


def marker_of(column: pd.Series[Any], otherwise: Any) -> Any:
    """Find what stands for a missing value in a column: None, NaN or pandas' NA.

    :param otherwise: what it is if none is missing.
    """
    if isinstance(column.dtype, np.dtype) and column.dtype.kind != "O":
        return np.nan
    missing = column.isna()
    return column[missing].tolist()[0] if missing.any() else otherwise


def frame_of(X: Any, names: Sequence[str], unread: Collection[str] = ()) -> pd.DataFrame:
    """Turn any sample into a DataFrame of exactly these columns; other columns (a target, an index) are left out.

    A list of texts becomes one column; a list of dictionaries, or of lists of pairs, one column a key.

    :param unread: the columns that may be absent, since nothing reads them; they become columns of None.
    :raises SampleRefused: a column is missing, or a table without names has another width.
    """
    X = X.toarray() if hasattr(X, "toarray") else _frame_of_list(X)
    if isinstance(X, pd.DataFrame):
        X = X.set_axis(column_names(X, names), axis=1)
        absent = [name for name in names if name not in X.columns]
        needed = [name for name in absent if name not in unread]
        if needed:
            raise SampleRefused(
                f"the sample has no column {', '.join(map(repr, needed[:5]))}, on which the estimator was fitted",
                f"its columns are {', '.join(map(repr, X.columns[:20]))}",
            )
        frame: pd.DataFrame = X.assign(**dict.fromkeys(absent))[[*names]] if absent else X[[*names]]
        return frame
    array = np.asarray(X if hasattr(X, "dtype") else pd.DataFrame(X, dtype=object).infer_objects().to_numpy())
    if array.ndim != 2 or array.shape[1] != len(names):
        raise SampleRefused(f"the estimator was fitted on {len(names)} features, the sample has shape {array.shape}")
    if array.dtype.kind != "O":
        return pd.DataFrame(array, columns=[*names])
    # Keep objects: pandas would make its own strings of them, and turn None into NaN, which some steps tell apart.
    return pd.DataFrame({name: pd.Series(array[:, position], dtype=object) for position, name in enumerate(names)})


def column_names(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Name a frame's columns by texts; blanks around a name are no part of it unless a feature has them, as for models' readers.

    :raises SampleRefused: a feature's name stands over two columns.
    """
    known = {*names}
    columns = [str(column) for column in frame.columns]
    columns = [name if name in known else name.strip() for name in columns]
    twice = sorted(name for name, count in Counter(columns).items() if name in known and count > 1)
    if twice:
        raise SampleRefused(f"the sample has the column {twice[0]!r} twice", "give each column a name of its own, and fit again")
    return columns


def without_others(estimator: Any, X: Any, names: Sequence[str]) -> Any:
    """Leave out the columns of a sample that are no features (a target, an index), and order the others as in training.

    :returns: the columns under their own names and with their dtypes; a Series for an estimator that reads one text.
    """
    if not isinstance(X, pd.DataFrame):
        return X
    places = {name: place for place, name in enumerate(column_names(X, names))}
    if form_of(estimator) == "texts":
        return X.iloc[:, places[names[0]]]
    return X if _fitted_names(estimator) is None else X.iloc[:, [places[name] for name in names if name in places]]


def part_of(X: Any, positions: Sequence[int]) -> Any:
    """Take some rows of a sample, in the form in which it was given."""
    if hasattr(X, "iloc"):
        return X.iloc[[*positions]]
    if hasattr(X, "tocsr"):
        return X.tocsr()[[*positions]]
    return X[[*positions]] if hasattr(X, "dtype") else [X[position] for position in positions]


def as_categories(sample: Any, names: Sequence[str], framed: Mapping[int, list[Any]]) -> Any:
    """Cast the features that the estimator takes as pandas' categories, since a sample read from CSV has no dtypes.

    A value outside the categories becomes missing, as in pandas. A sample whose columns have no names is returned as it is.

    :param framed: the categories by the position of their feature.
    """
    if not isinstance(sample, pd.DataFrame):
        return sample
    categories_by_name = {names[position]: categories for position, categories in framed.items()}
    cast = {
        name: pd.Categorical([value if value in categories else None for value in sample[name].tolist()], categories=categories)
        for name, categories in categories_by_name.items()
        if name in sample.columns and not isinstance(sample[name].dtype, pd.CategoricalDtype)
    }
    return sample.assign(**cast) if cast else sample


def shape_of(
    estimator: Any,
    sample: Any,
    names: list[str],
    kinds: list[str],
    columns: Sequence[pd.Series[Any] | None],
    markers: list[Any],
    known: Mapping[int, list[Any]] = {},
    objects: Collection[int] = (),
) -> Shape:
    """Find how the estimator takes its input.

    :param kinds: per feature its kind.
    :param columns: per feature its column in the sample; None where none exists.
    :param markers: per feature what stands for a missing value.
    :param known: without a sample, the categories of features that are pandas' categories, by position.
    :param objects: without a sample, the positions of numbers that columns of objects held.
    """
    form = form_of(estimator)
    # An estimator that counted its features and kept no names was fitted on an array, also if the sample is a table.
    unnamed = _width_of(estimator) is not None
    framed = form == "table" and (_fitted_names(estimator) is not None or (isinstance(sample, pd.DataFrame) and not unnamed))
    dtypes = [
        column.dtype
        if column is not None
        else np.dtype(object)
        if position in objects
        else _default_dtype(kind, known.get(position))
        for position, (kind, column) in enumerate(zip(kinds, columns, strict=True))
    ]
    return Shape(names, kinds, dtypes, markers, framed, form)


def _default_dtype(kind: str, known: list[Any] | None) -> Any:
    """Choose the dtype of a column that the sample does not have."""
    if known is not None:
        return pd.CategoricalDtype(known)
    if kind == "datetime":
        return np.dtype("datetime64[us]")
    return object if kind in ("string", "unread", "any") else np.dtype(float)


def _values(column: pd.Series[Any], kind: str) -> list[Any]:
    """Turn a column into the values of rows."""
    if kind == "unread":
        return [np.nan] * len(column)
    if kind == "datetime":
        return _moments(column)
    if kind == "string":
        return [None if is_missing(value) else str(value) for value in column.tolist()]
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub":
        values: list[Any] = column.to_numpy(dtype=float).tolist()
        return values
    return [np.nan if is_missing(value) else float(value) for value in column.tolist()]


def _moments(column: pd.Series[Any]) -> list[Any]:
    """Turn datetimes into microseconds since 1970.

    :raises SampleRefused: one is finer than a microsecond, or too far away.
    """
    zone, moments = _zone(column.dtype), []
    for row, value in enumerate(column.tolist(), 1):
        try:
            moments.append(np.nan if is_missing(value) else microseconds(value, zone))
        except NotDatetime as error:
            message = f"column {column.name!r}, row {row}: expected a datetime, got {error}"
            raise SampleRefused(message, "round the column to microseconds, and leave datetimes out of that range out") from None
    return moments


def _zone(dtype: Any) -> str:
    dtype = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
    return "none" if getattr(dtype, "tz", None) is None else "UTC"


def _type_name(dtype: Any, kind: str) -> Any:
    """Name a column's dtype as model files name it."""
    if kind == "unread":
        return "any"
    if kind == "datetime":
        dtype = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
        zone = {} if str(getattr(dtype, "tz", None)) in ("None", "UTC") else {"zone": str(dtype.tz)}
        return {
            "datetime": getattr(dtype, "unit", None) or np.datetime_data(dtype)[0] if str(dtype) != "object" else "us",
            **zone,
        }
    if isinstance(dtype, pd.CategoricalDtype):
        return {"categories": dtype.categories.tolist(), "ordered": bool(dtype.ordered)}
    if kind == "string":
        return str(dtype) if str(dtype) in ("str", "string") else "object"
    if kind == "boolean":
        return "object" if str(dtype) == "object" else "bool"
    if str(dtype) == "object":
        return "object"
    return "int" if isinstance(dtype, np.dtype) and dtype.kind in "iu" else "float"
