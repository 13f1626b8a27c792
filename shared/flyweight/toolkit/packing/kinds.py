"""The kinds of a sample's columns: from the fitted estimator as far as it tells, else from the sample's values and dtypes.

A text of CSV never decides its own kind. What contradicts the estimator is refused, with the column, its first rows, both kinds,
and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from flyweight.formats.csv import MISSING
from flyweight.models.datetimes import NotDatetime, microseconds
from flyweight.toolkit.convert.draft import is_missing
from flyweight.toolkit.packing.asking import numbers_by_answer
from flyweight.toolkit.packing.evidence import Told, kind_of_values
from flyweight.toolkit.packing.sample import SampleRefused
from flyweight.toolkit.packing.tables import JSON, column_of, file_form, is_text, is_whole

# the kinds that a user may name -> the kind of the feature; a category is of the kind of the estimator's categories
TYPES = {
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "string": "string",
    "category": "",
    "datetime": "datetime",
}
LARGEST = 2**53  # a double holds every whole number up to it
DIGITS = 15  # a double holds every whole number with this number of digits
SHOWN = 3  # values in a message
PADDED = 12  # digits of a code whose zeros may be lost


def check_types(types: Mapping[str, str], names: Sequence[str]) -> None:
    """Check the kinds that a user named.

    :raises SampleRefused: there is no such column, or no such kind.
    """
    for name, kind in types.items():
        if name not in names:
            raise SampleRefused(f"--types names {name!r}, and the estimator has no such feature", _meant(name, names))
        if kind not in TYPES:
            raise SampleRefused(f"--types says {name}={kind}, and no kind has this name", _meant(kind, [*TYPES]))


def _meant(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known[:20])}"


def typed_sample(
    estimator: Any, sample: Any, names: Sequence[str], told: Sequence[Told], types: Mapping[str, str]
) -> tuple[Any, Mapping[str, str]]:
    """Convert the columns of a sample that are texts and whose kind is known to be another.

    :param estimator: is asked with columns whose kind nothing else tells.
    :param told: what the estimator tells about each column.
    :param types: the kinds that the user named.
    :returns: the sample; and the kinds that the user named, with those of columns whose values do not show them any more.
    :raises SampleRefused: a text is not of its column's kind, or the kind of a column of CSV is not known.
    """
    if not isinstance(sample, pd.DataFrame):
        return sample, types
    converted, unknown, found = {}, [], dict(types)
    column_names = {str(name): name for name in sample.columns}
    for name, evidence in zip(names, told, strict=True):
        if name not in column_names or evidence.kind == "unread":
            continue
        column = sample[column_names[name]]
        if is_text(sample):
            kind = _kind_of_texts(column, evidence, types.get(name))
            if kind is None:
                unknown.append(name)
                continue
            column = _converted(column, kind, evidence, name, types)
            if kind == "boolean" and evidence.only_reads_numbers and column.isna().any():
                column = column.astype(float)  # LightGBM and XGBoost take no column of objects
                found[name] = kind
        else:
            column = _typed(sample, column, evidence, name, types)
        converted[column_names[name]] = _of_objects(column, evidence) if evidence.objects and file_form(sample) else column
    typed = sample.copy(deep=False)
    for own_name, column in converted.items():
        typed[own_name] = column  # a name may be a number, which `assign` takes for another one
    if not unknown:
        return typed, found
    numbers = numbers_by_answer(estimator, typed, names, unknown)
    if numbers is None:
        raise _kind_unknown(sample, unknown)
    return typed.assign(**numbers), found


def _typed(sample: pd.DataFrame, column: pd.Series[Any], evidence: Told, name: str, types: Mapping[str, str]) -> pd.Series[Any]:
    """Convert a column of a table with types: texts that the user named otherwise, and what its file could not hold.

    JSON has no datetimes, and no file tells None from NaN.

    :raises SampleRefused: a text is not of this kind.
    """
    form = file_form(sample)
    kind = _named(types[name], evidence) if name in types else "datetime" if form == JSON and evidence.kind == "datetime" else ""
    if kind not in ("", "string") and kind_of_values(column.tolist()) == "string":
        texts = pd.Series(["" if is_missing(value) else value for value in column.tolist()], column.index, object, column.name)
        return _converted(texts, kind, evidence, name, types)
    if form and evidence.marker is not np.nan and evidence.kind == "string" and column.isna().any():
        values = [evidence.marker if is_missing(value) else value for value in column.tolist()]
        return pd.Series(values, column.index, object, column.name)
    return column


def _of_objects(column: pd.Series[Any], evidence: Told) -> pd.Series[Any]:
    """Hold a file's numbers as objects, as a step was fitted on them; no file tells them from plain numbers."""
    return column.astype(object).where(column.notna(), evidence.marker)


def missing_words(evidence: Told) -> frozenset[str]:
    """List the texts that mean missing in a column of strings: none that the estimator knows as a category.

    CatBoost takes no missing category, so that every text is one.
    """
    return frozenset() if "hashes" in evidence.kinds else frozenset(word for word in MISSING if not evidence.is_category(word))


def settled_kinds(
    names: Sequence[str], told: Sequence[Told], columns: Sequence[pd.Series[Any] | None], types: Mapping[str, str]
) -> list[str | None]:
    """Settle the kind of each column.

    :param columns: the sample's columns in the order of the names; None where it has none.
    :returns: None for a column of which neither the estimator nor the sample tells anything.
    :raises SampleRefused: the estimator, the user and the sample contradict each other, or a column has values of no kind.
    """
    kinds: list[str | None] = []
    for name, evidence, column in zip(names, told, columns, strict=True):
        if evidence.kind == "unread":
            kinds.append("unread")
            continue
        kind = _named(types[name], evidence) if name in types else evidence.kind or ("string" if evidence.kinds else None)
        if column is not None:
            found = kind_of_column(column, name)
            _check_numbers(column, name) if found == "number" else None
            kind = _agreed(name, evidence, types.get(name), found, column)
        if name in types and evidence.kinds.get("categories") not in (None, kind) and not _both_numbers(evidence, kind):
            raise _contradiction(name, evidence, f"--types says {types[name]}", f"leave {name} out of --types")
        kinds.append(kind)
    return kinds


def _named(named: str, evidence: Told) -> str:
    """Translate the kind that a user named."""
    return TYPES[named] or evidence.kind or "string"


def _kind_of_texts(texts: pd.Series[Any], evidence: Told, named: str | None) -> str | None:
    """Find the kind of a column of CSV; None if nothing but its texts could tell it."""
    if named is not None:
        return _named(named, evidence)
    kind = evidence.kind or ("string" if evidence.kinds else None)
    present = [text for text in texts.unique().tolist() if text.strip() not in MISSING]
    if kind == "number" and (evidence.only_reads_numbers or {*evidence.categories} <= {0, 1}):
        # a step that computes takes booleans as well, and no number is written like this
        if present and all(text.strip().lower() in ("true", "false") for text in present):
            return "boolean"
    if kind is None and any(not _may_be_other_than_text(text) for text in present):
        return "string"
    return kind if kind is not None or present else "number"


def _may_be_other_than_text(text: str) -> bool:
    """Check whether a text might have been a number, a boolean or a datetime."""
    if text.strip().lower() in ("true", "false", "inf", "-inf"):
        return True
    try:
        float(text)
    except ValueError:
        pass
    else:
        return True
    try:
        microseconds(text, "none")
    except NotDatetime as error:
        return "offset" in str(error) or "finer" in str(error)
    return True


def _converted(texts: pd.Series[Any], kind: str, evidence: Told, name: str, types: Mapping[str, str]) -> pd.Series[Any]:
    """Convert a column of texts.

    :raises SampleRefused: a text is not of this kind.
    """
    column = column_of(texts, kind, missing_words(evidence) if kind == "string" else MISSING, evidence.marker)
    if kind == "datetime":
        return _datetimes(column, name)
    if kind == "number":
        _check_whole(texts, name)
    wrong = [] if kind == "string" else [row for row, value in enumerate(column.tolist(), 1) if isinstance(value, str)]
    if wrong:
        said = f"--types says {types[name]}" if name in types else f"{evidence.step} knows {_plural(kind)} there"
        if evidence.only_reads_numbers and name not in types:
            said = f"{evidence.step} reads numbers there"
        shown = ", ".join(f"{texts.iloc[row - 1]!r} (row {row})" for row in wrong[:SHOWN])
        message = f"column {name!r} of the sample holds {shown}, and {said}"
        raise SampleRefused(message, f"give {_plural(kind)} in this column" + (", or name another kind" if name in types else ""))
    return column


def _datetimes(texts: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Convert texts of ISO 8601; with an offset they become times in UTC.

    :raises SampleRefused: a text is no datetime, or some have an offset and others do not.
    """
    present = [text for text in texts.tolist() if not is_missing(text)]
    aware = any(_has_offset(text) for text in present)
    for row, text in enumerate(texts.tolist(), 1):
        try:
            None if is_missing(text) else microseconds(text, "UTC" if aware else "none")
        except NotDatetime as error:
            message = f"column {name!r} of the sample, row {row}: expected a datetime of ISO 8601, got {error}"
            raise SampleRefused(message, "write all of them like 2024-05-31T13:45:00, or all of them with an offset") from None
    times = pd.Series([pd.NaT if is_missing(text) else pd.Timestamp(text) for text in texts.tolist()], dtype=object)
    return pd.Series(pd.to_datetime(times, utc=aware).array, index=texts.index, name=texts.name)


def _has_offset(text: str) -> bool:
    try:
        microseconds(text, "UTC")
    except NotDatetime:
        return False
    return True


def _kind_unknown(sample: pd.DataFrame, unknown: list[str]) -> SampleRefused:
    """Build the error of columns of CSV whose kind nothing tells."""
    shown = "; ".join(f"{name!r}: {', '.join(map(repr, sample[name].head(SHOWN).tolist()))}" for name in unknown[:5])
    example = ",".join(f"{name}={'string' if _is_code(sample[name]) else 'number'}" for name in unknown[:5])
    message = (
        f"CSV does not say whether these are numbers or strings, and the estimator does not tell: {shown}; "
        "the steps that read them are not known here"
    )
    return SampleRefused(message, f"say their kinds, for example --types {example}, or give a sample as Parquet or a DataFrame")


def _is_code(texts: pd.Series[Any]) -> bool:
    """Check whether a text is no number that a double holds as it is written, such as 00125."""
    digits = [text.strip() for text in texts.unique().tolist() if is_whole(text)]
    return any(len(text) > DIGITS or (len(text) > 1 and text.startswith("0")) for text in digits)


def kind_of_column(column: pd.Series[Any], name: str) -> str | None:
    """Find the kind of a column's values; None if all are missing.

    :raises SampleRefused: it holds values of several kinds, or of one that no feature has.
    """
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iufbM":
        return {"b": "boolean", "M": "datetime"}.get(dtype.kind, "number") if len(column) else None
    values = column.tolist()
    kind = kind_of_values(values)
    if kind == "other":
        types = ", ".join(sorted({type(value).__name__ for value in values if not is_missing(value)}))
        rows = ", ".join(f"{value!r}" for value in _first_of_each_type(values))
        message = f"column {name!r} holds {types} (such as {rows})"
        raise SampleRefused(
            f"{message}; a feature is numbers, booleans, strings or datetimes, all of one kind",
            "make the column one kind, as the estimator was fitted",
        )
    return kind


def _first_of_each_type(values: list[Any]) -> list[Any]:
    first: dict[type, Any] = {}
    for value in values:
        if not is_missing(value):
            first.setdefault(type(value), value)
    return list(first.values())[:SHOWN]


def _check_numbers(column: pd.Series[Any], name: str) -> None:
    """Check that a double holds every number of a column, and that none is infinite.

    :raises SampleRefused: it does not.
    """
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        infinite = np.flatnonzero(np.isinf(column.to_numpy()))
        if len(infinite):
            row = int(infinite[0]) + 1
            raise SampleRefused(f"column {name!r}, row {row}: infinity, which no request can hold", "leave such rows out")
        return
    if isinstance(dtype, np.dtype) and (not len(column) or max(abs(int(column.min())), abs(int(column.max()))) <= LARGEST):
        return
    for row, value in enumerate(column.tolist(), 1):
        if not is_missing(value) and not isinstance(value, (float, np.floating)) and int(float(value)) != int(value):
            raise _too_large(name, row, value)


def _check_whole(texts: pd.Series[Any], name: str) -> None:
    """Check that a double holds every whole number that a column of texts writes.

    :raises SampleRefused: it does not.
    """
    for row, text in enumerate(texts.tolist(), 1):
        if len(text) > DIGITS and is_whole(text) and int(float(text)) != int(text):
            raise _too_large(name, row, text)


def _too_large(name: str, row: int, value: Any) -> SampleRefused:
    message = f"column {name!r}, row {row}: {value} is above 2**53, and a double, the number of JSON, can't hold it"
    return SampleRefused(message, f"fit the estimator on strings, and give them as strings: --types {name}=string")


def _agreed(name: str, evidence: Told, named: str | None, found: str | None, column: pd.Series[Any]) -> str:
    """Settle the kind of a column by what is known of it and what the sample holds.

    :param found: the kind of the sample's values; None if all are missing.
    :raises SampleRefused: they contradict each other.
    """
    kind = _named(named, evidence) if named is not None else evidence.kind
    if found is None:
        return kind or ("string" if evidence.kinds else "number")
    holds = f"the sample's column holds {_plural(found)}"
    if kind is None or kind == found:
        if "hashes" in evidence.kinds or evidence.categories:
            _check_known(name, evidence, found, column)
        return found
    if {kind, found} == {"number", "boolean"}:
        if found == "boolean" or {*column.dropna().unique().tolist()} <= {0, 1}:
            return "boolean"
    elif named is None and evidence.only_reads_numbers and not _all_numbers(column):
        return found  # a step that takes more than numbers
    if named is not None:
        shown = f"{holds} ({_shown(column)})"
        lost = "; zeros in front of a number are lost there" if kind == "string" else ""
        raise SampleRefused(f"--types says {name}={named}, and {shown}{lost}", f"give {_plural(kind)} in this column")
    cure = f"give {_plural(kind)} in column {name!r}"
    if kind == "string" and found == "number":
        cure = f"read it as texts, such as dtype={{{name!r}: str}} in pandas or a CSV file for --sample, as for fitting"
    raise _contradiction(name, evidence, f"{holds} ({_shown(column)})", cure)


def _contradiction(name: str, evidence: Told, other: str, cure: str) -> SampleRefused:
    known = ", ".join(repr(value) for value in [*evidence.categories][:SHOWN])
    told = f"{evidence.step} knows {_plural(evidence.kind or 'string')} there" + (f" ({known})" if known else "")
    if evidence.only_reads_numbers:
        told = f"{evidence.step} reads numbers there"
    return SampleRefused(f"column {name!r}: {told}, and {other}", cure)


def _both_numbers(evidence: Told, kind: str | None) -> bool:
    return {evidence.kinds.get("categories"), kind} == {"number", "boolean"}


def _check_known(name: str, evidence: Told, found: str, column: pd.Series[Any]) -> None:
    """Check that no category lost its zeros: "01234" that was read as the number 1234, and may be a text again.

    :raises SampleRefused: a value is not known, and it is known with zeros in front.
    """
    values = [value for value in column.unique().tolist() if not is_missing(value)]
    if found not in ("number", "string"):
        return
    texts = [str(int(value)) if found == "number" and float(value).is_integer() else str(value) for value in values]
    if found == "number" and "hashes" not in evidence.kinds:
        return
    if any(evidence.is_category(text) for text in texts if text.startswith("0") and len(text) > 1):
        return  # it has its zeros
    for text in texts:
        if text.isdecimal() and not evidence.is_category(text):
            padded = next((t for w in range(len(text) + 1, PADDED) if evidence.is_category(t := text.zfill(w))), None)
            if padded is not None:
                message = f"column {name!r}: {evidence.step} knows {padded!r}, and the sample's column holds {text}"
                raise SampleRefused(
                    f"{message} as {_plural(found)}; the zeros in front were lost",
                    f"read the column as strings when the sample is written; --types {name}=string keeps those of a CSV file",
                )


def _all_numbers(column: pd.Series[Any]) -> bool:
    """Check whether all values that are present are numbers, or texts of numbers."""
    for value in column.tolist():
        if not is_missing(value):
            try:
                float(value)
            except (TypeError, ValueError):
                return False
    return True


def _shown(column: pd.Series[Any]) -> str:
    present = [(row, value) for row, value in enumerate(column.tolist(), 1) if not is_missing(value)]
    return ", ".join(f"{value!r} in row {row}" for row, value in present[:SHOWN])


def _plural(kind: str) -> str:
    return f"{kind}s"
