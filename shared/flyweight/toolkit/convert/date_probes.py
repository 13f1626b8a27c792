"""Ask a user's function about many datetimes, to find out what it computes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from flyweight.ops.dates import DAY
from flyweight.toolkit.convert.draft import Draft, Value
from flyweight.toolkit.errors import ToolkitError

Array = np.ndarray[Any, Any]
ROUNDS = 4320  # datetimes over all years: three times each minute of a day, seven times each year
NEAR = (np.datetime64("2000-01-01"), np.datetime64("2036-01-01"))  # every day between is asked about too
YEARS = (1685, 2255)  # all that features have
NARROW = (1900, 2101)  # spans of nanoseconds between any two of these years are no longer than NumPy holds


class NotAnswered(ToolkitError):
    """A function gives something that is no answer to each row; the message says what."""


@dataclass(frozen=True)
class Probe:
    """What a function gave.

    :param inputs: per position the column that it got: microseconds since 1970 where that is of datetimes.
    :param dates: the positions of datetimes.
    :param answers: the columns that it gave, of float64, or of objects where they are strings.
    :param labels: the names of these columns.
    :param dated: those of these columns that are datetimes, as microseconds since 1970.
    :param missing: per column what it gave where the datetime at a position was missing; NaN where it raised.
    :param again: asks about other datetimes at one position, and returns a column of the answer and these datetimes.
    """

    inputs: dict[int, Array]
    dates: list[int]
    answers: list[Array]
    labels: list[Any]
    dated: set[int]
    missing: list[dict[int, Any]]
    again: Callable[[int, Array, int], tuple[Array, Array]]


def ask(function: Any, names: list[Any], x: Value, draft: Draft) -> Probe:
    """Ask a function about datetimes of all years, days and minutes.

    :param names: the names of the columns that it gets.
    :raises NotAnswered: it gives something else than one row of numbers, strings or datetimes for each row.
    """
    try:
        return _ask(function, names, x, draft, YEARS)
    except (ArithmeticError, NotImplementedError, pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta):
        return _ask(function, names, x, draft, NARROW)


def _ask(function: Any, names: list[Any], x: Value, draft: Draft, years: tuple[int, int]) -> Probe:
    """Ask a function about datetimes of some years.

    :raises NotAnswered: it gives something else than one row of numbers, strings or datetimes for each row.
    """
    rng = np.random.default_rng(0)
    dates = draft.dates_of(x)
    columns = [_column(x, position, draft, rng, years) for position in range(len(x.columns))]
    frame = pd.DataFrame(dict(enumerate(columns))).set_axis(names, axis=1)
    single = False
    try:
        answer = _quietly(function, frame.copy())
    except Exception:
        if frame.shape[1] != 1:
            raise
        single, answer = True, _quietly(function, frame.iloc[:, 0].copy())  # a ColumnTransformer gives a column by itself

    def of(table: pd.DataFrame) -> Any:
        return _quietly(function, table.iloc[:, 0].copy() if single else table.copy())

    answers, labels, dated = _columns_of(answer, len(frame))
    middle = len(frame) // 2
    for rows in (slice(middle), slice(middle, None)):
        alone = _columns_of(of(frame.iloc[rows]), len(frame.iloc[rows]))[0]
        if not all(_equal(whole[rows], part) for whole, part in zip(answers, alone, strict=True)):
            raise NotAnswered("its answer to a row depends on the other rows")

    def again(position: int, moments: Array, number: int) -> tuple[Array, Array]:
        table = frame.iloc[: len(moments)].copy()
        table[names[position]] = _moments(moments, frame.dtypes.iloc[position]).to_numpy()
        table = table.astype(frame.dtypes.to_dict())
        return _columns_of(of(table), len(table))[0][number], microseconds(table.iloc[:, position])

    inputs = {p: microseconds(column) if p in dates else _plain(column) for p, column in enumerate(columns)}
    absent = {position: _where_missing(of, frame, position, len(answers)) for position in dates}
    missing = [{position: values[number] for position, values in absent.items()} for number in range(len(answers))]
    return Probe(inputs, dates, answers, labels, dated, missing, again)


def _quietly(function: Any, table: Any) -> Any:
    """Call a function, whose warnings are about its code, not about ours."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(table)


def microseconds(column: pd.Series[Any]) -> Array:
    """Return datetimes as microseconds since 1970, NaN where one is missing."""
    naive = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
    values: Array = naive.dt.as_unit("us").astype("int64").to_numpy().astype(float)
    return np.where(column.isna().to_numpy(), np.nan, values)


def _column(x: Value, position: int, draft: Draft, rng: Any, years: tuple[int, int]) -> pd.Series[Any]:
    """Make one column: datetimes, or numbers or strings of which the function can at most pass on what it gets."""
    source = x.columns[position].source
    dtype = None if source is None else draft.dtypes.get(source)
    moments = _datetimes(rng, years)
    if draft.kind_of(x, position) == "datetime":
        return _moments(moments, dtype)
    if draft.kind_of(x, position) == "string":
        return pd.Series(rng.choice(["a", "b", "c"], len(moments)), dtype=object)
    return pd.Series(rng.random(len(moments)))


def _moments(moments: Array, dtype: Any) -> pd.Series[Any]:
    """Return microseconds since 1970 as a column of datetimes."""
    dates = pd.Series(moments.astype("int64").astype("datetime64[us]"))
    zone = getattr(dtype, "tz", None)
    unit = getattr(dtype, "unit", None) or (np.datetime_data(dtype)[0] if isinstance(dtype, np.dtype) else "us")
    dates = dates.dt.as_unit(str(unit))  # type: ignore[arg-type]
    return dates if zone is None else dates.dt.tz_localize("UTC").dt.tz_convert(zone)


def _datetimes(rng: Any, years: tuple[int, int]) -> Array:
    """Make datetimes: of all of some years, of each day of recent years, and at the turns of years."""
    starts = (rng.permutation(np.resize(np.arange(*years), ROUNDS)) - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    days = (starts + rng.permutation(np.resize(np.arange(366), ROUNDS)).astype("timedelta64[D]")).astype(int)
    recent = np.arange(*NEAR).astype(int)
    turns = (np.repeat(np.arange(*years), 2) - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(int)
    turns[1::2] -= 1
    days = np.concatenate([days, recent, turns[1:-1], [0, 1]])
    times = np.resize(np.arange(1440), len(days)) * 60_000_000 + rng.integers(0, 60_000_000, len(days))
    times = rng.permutation(times)
    times[::3] -= times[::3] % 60_000_000  # whole minutes
    times[::7] = 0
    order = rng.permutation(len(days))
    moments: Array = (days * int(DAY) + times)[order].astype(float)
    return moments


def _columns_of(answer: Any, rows: int) -> tuple[list[Array], list[Any], set[int]]:
    """Take an answer apart into columns.

    :returns: the columns, their labels, and the positions of those that are datetimes.
    :raises NotAnswered: it is no table of as many rows, or a column holds something else than numbers, strings or datetimes.
    """
    if isinstance(answer, pd.Series):
        answer = answer.to_frame()
    if not isinstance(answer, pd.DataFrame):
        answer = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
        answer = pd.DataFrame(answer.reshape(len(answer), -1) if answer.ndim else answer.reshape(1, 1))
    if len(answer) != rows:
        raise NotAnswered(f"it gives {len(answer):,} rows for {rows:,}")
    columns = [answer.iloc[:, position] for position in range(answer.shape[1])]
    columns = [column.infer_objects() if column.dtype == object else column for column in columns]
    dated = {p for p, column in enumerate(columns) if isinstance(column.dtype, pd.DatetimeTZDtype) or column.dtype.kind == "M"}
    values = [microseconds(column) if p in dated else _plain(column) for p, column in enumerate(columns)]
    return values, [str(label) for label in answer.columns], dated


def _plain(column: pd.Series[Any]) -> Array:
    """Return a column as float64, or as objects if it holds strings.

    :raises NotAnswered: it holds something else.
    """
    if column.dtype.kind in "iufb" or pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        numbers: Array = column.to_numpy(dtype=float, na_value=np.nan)
        return numbers
    values = np.array([None if pd.isna(value) else value for value in column.tolist()], dtype=object)
    if not all(value is None or isinstance(value, str) for value in values):
        raise NotAnswered(f"its column {column.name!r} holds {column.dtype}, and not numbers, strings or datetimes")
    return values


def _equal(a: Array, b: Array) -> bool:
    return bool(np.array_equal(a, b, equal_nan=a.dtype != object))


def _where_missing(of: Callable[[pd.DataFrame], Any], frame: pd.DataFrame, position: int, width: int) -> list[Any]:
    """Return what the columns of the answer are where the datetime at `position` is missing; NaN if the function raises."""
    table = frame.iloc[:2].copy()
    table.iloc[1, position] = pd.NaT
    try:
        columns = _columns_of(of(table), 2)[0]
    except Exception:
        return [np.nan] * width
    return [np.nan if column[1] is None else column[1] for column in columns]
