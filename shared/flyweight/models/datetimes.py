"""Datetimes of a model's rows: microseconds since 1970-01-01T00:00:00, read from ISO 8601 and Python's objects, and written.

A feature without a zone takes datetimes without an offset only, and one in UTC those with an offset only: which of the two a
time means is never guessed. This module is imported by models that have such features only.
"""

import re
from datetime import UTC, date, datetime, timedelta
from math import nan

from flyweight.errors import FlyweightError, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LIMIT = 1 << 53  # microseconds: a double holds each whole number up to it
SPAN = "1684-07-28 to 2255-06-05"
EXAMPLES = {"none": "2024-05-31T13:45:00", "UTC": "2024-05-31T13:45:00Z"}
STARTS = {"none": datetime(1970, 1, 1), "UTC": datetime(1970, 1, 1, tzinfo=UTC)}
MICROSECOND = timedelta(microseconds=1)
# `datetime.fromisoformat` alone would read 2024-05-31-02:00 as two o'clock, and drop what is finer than a microsecond
FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ]((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)(?:[.,](\d+))?)?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)


class NotDatetime(FlyweightError, ValueError):
    """A value is no datetime of its feature; the message says what it is."""


def microseconds(value: "Any", zone: str) -> float:
    """Read a datetime: a text of ISO 8601, a datetime or date, NumPy's datetime64 or pandas' Timestamp; NaN for NaT.

    :param zone: of the feature, "none" or "UTC".
    :raises NotDatetime: another value, too fine or too far away, or with an offset where none is taken or the reverse.
    """
    if isinstance(value, str):
        number = _of_text(value, zone)
    elif isinstance(value, date):  # a datetime is one too
        number = _of_date(value, zone)
    else:
        number = _of_numpy(value, zone)
    if abs(number) > LIMIT:
        raise NotDatetime(f"{preview(str(value))}, which is not within {SPAN}")
    return number


def iso(number: float, zone: str) -> "str | None":
    """Write a datetime as text of ISO 8601; None for NaN.

    :param number: microseconds since 1970-01-01T00:00:00.
    """
    if number != number:
        return None
    text = (STARTS["none"] + timedelta(microseconds=int(number))).isoformat()
    return f"{text}Z" if zone == "UTC" else text


def _of_text(text: str, zone: str) -> float:
    match = FORM.fullmatch(text.strip())
    if match is None:
        raise NotDatetime(preview(text))
    day, time, fraction, offset = match.groups()
    fraction = fraction or ""
    if fraction[6:].strip("0"):
        raise NotDatetime(f"{preview(text)}, which is finer than a microsecond")
    try:
        parsed = datetime.fromisoformat(f"{day}T{time or '00:00'}{'+00:00' if offset in ('Z', 'z') else offset or ''}")
    except ValueError as error:
        raise NotDatetime(f"{preview(text)}: {error}") from None
    return _since_1970(parsed, zone, text) + int(fraction[:6].ljust(6, "0"))


def _of_date(value: date, zone: str) -> float:
    """Read a date, which is midnight, a datetime, or pandas' Timestamp or NaT, which are datetimes too."""
    if value != value:
        return nan
    if getattr(value, "nanosecond", 0):
        raise NotDatetime(f"{preview(str(value))}, which is finer than a microsecond")
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime()
    return _since_1970(value if isinstance(value, datetime) else datetime(value.year, value.month, value.day), zone, str(value))


def _of_numpy(value: "Any", zone: str) -> float:
    """Read NumPy's datetime64, which has no zone."""
    if getattr(getattr(value, "dtype", None), "kind", "") != "M" or value.ndim != 0:
        raise NotDatetime(preview(value))
    if str(value) == "NaT":
        return nan
    if zone == "UTC":
        raise NotDatetime(f"{preview(str(value))}, which has no offset")
    number: float = value.astype("datetime64[us]").astype("int64").item()
    if value.astype("datetime64[us]").astype(value.dtype) != value:
        raise NotDatetime(f"{preview(str(value))}, which is finer than a microsecond")
    return float(number)


def _since_1970(value: datetime, zone: str, text: str) -> float:
    """Count the microseconds of a datetime.

    :param text: the value in the message.
    :raises NotDatetime: an offset where none is taken, or the reverse.
    """
    offset = value.utcoffset()
    if (offset is None) != (zone == "none"):
        raise NotDatetime(f"{preview(text)}, which has {'no' if offset is None else 'an'} offset")
    return float((value - STARTS[zone]) // MICROSECOND)
