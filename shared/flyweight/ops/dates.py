"""Take datetimes apart. A datetime is a whole number of microseconds since the start of 1970, NaN if it is missing.

Such a number is below 2^53 in the years 1685 to 2254, and all arithmetic on it is exact.
"""

from datetime import date

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.ops import Node

NAN = float("nan")
SECOND = 1_000_000.0
DAY = 86_400.0 * SECOND
EPOCH = 719_163  # the number that Python gives the first day of 1970
FIRST, LAST = (1 - EPOCH) * DAY, (3_652_060 - EPOCH) * DAY  # Python's calendar begins with the year 1 and ends with 9999


def _leap(year: int) -> bool:
    return year % (4 if year % 25 else 16) == 0


def _month_days(day: date) -> int:
    return 30 + (day.month + day.month // 8) % 2 if day.month != 2 else 28 + _leap(day.year)


# part -> its number, from a day of the calendar and the microseconds since midnight
PARTS: "dict[str, Callable[[date, float], float]]" = {
    "year": lambda day, time: day.year,
    "month": lambda day, time: day.month,
    "day": lambda day, time: day.day,
    "hour": lambda day, time: time // (3600 * SECOND),
    "minute": lambda day, time: time // (60 * SECOND) % 60,
    "second": lambda day, time: time // SECOND % 60,
    "microsecond": lambda day, time: time % SECOND,
    "minute_of_day": lambda day, time: time // (60 * SECOND),
    "second_of_day": lambda day, time: time // SECOND,
    "weekday": lambda day, time: day.weekday(),
    "day_of_year": lambda day, time: day.timetuple().tm_yday,
    "iso_year": lambda day, time: day.isocalendar()[0],
    "week": lambda day, time: day.isocalendar()[1],
    "quarter": lambda day, time: (day.month + 2) // 3,
    "days_in_month": lambda day, time: _month_days(day),
    "is_month_start": lambda day, time: day.day == 1,
    "is_month_end": lambda day, time: day.day == _month_days(day),
    "is_quarter_start": lambda day, time: day.day == 1 and day.month % 3 == 1,
    "is_quarter_end": lambda day, time: day.month % 3 == 0 and day.day == _month_days(day),
    "is_year_start": lambda day, time: day.day == 1 and day.month == 1,
    "is_year_end": lambda day, time: day.day == 31 and day.month == 12,
    "is_leap_year": lambda day, time: _leap(day.year),
}


class Part:
    """One of `parts` of the datetime at each of `positions`, or the number in `missing` where the datetime is missing.

    A number that is no datetime of the years 1 to 9999 counts as missing.

    :raises ModelRefused: a part is unknown, a position is out of range or has strings, or the lists differ in length.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        kinds = node.only_input()
        self._positions = node.positions("positions", len(kinds))
        node.expect(all(kinds[position] == "n" for position in self._positions), "takes datetimes, got strings or a sparse value")
        width = len(self._positions)
        self._parts = node.items("parts", (str,), width)
        node.expect({*self._parts} <= {*PARTS}, f"'parts' has one that is not among {', '.join(PARTS)}")
        self._missing = node.floats("missing", width)
        self._rows = [*zip(self._positions, map(PARTS.__getitem__, self._parts), self._missing, strict=True)]
        self.kinds = "n" * width

    def row(self, x: "list[Any]") -> "list[float]":
        """Return one part a position."""
        days: dict[int, tuple[date, float] | None] = {}
        y = []
        for position, part, missing in self._rows:
            if position not in days:
                days[position] = _day(x[position])
            day = days[position]
            y.append(missing if day is None else float(part(*day)))
        return y

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        y, calendars = np.empty((len(x), len(self._positions))), {}
        for column, (position, part, missing) in enumerate(zip(self._positions, self._parts, self._missing, strict=True)):
            if position not in calendars:
                calendars[position] = Calendar(x[:, position].astype(float))
            calendar = calendars[position]
            y[:, column] = np.where(calendar.known, calendar.part(part), missing)
        return y


def _day(v: float) -> "tuple[date, float] | None":
    """Return the day and the microseconds since midnight; None if the datetime is missing."""
    if not FIRST <= v < LAST:
        return None
    v //= 1.0
    return date.fromordinal(int(v // DAY) + EPOCH), v % DAY


class Calendar:
    """The parts of many datetimes; where `known` is False, any number.

    :param v: microseconds, of shape (rows,).
    """

    def __init__(self, v: "Any") -> None:
        import numpy as np

        self.known = (v >= FIRST) & (v < LAST)
        v = np.floor(np.where(self.known, v, 0.0))
        self.days, self.time = (v // DAY).astype(int).astype("datetime64[D]"), v % DAY
        self.months, self.years = self.days.astype("datetime64[M]"), self.days.astype("datetime64[Y]")

    def part(self, name: str) -> "Any":
        """Return one part of every datetime."""
        return ALL_PARTS[name](self)

    def since(self, spans: "Any") -> "Any":
        """Return the number of each day since the start of its month or year, from 0."""
        return (self.days - spans.astype("datetime64[D]")).astype(int)

    def thursdays(self) -> "Any":
        """Return the Thursday of each week, in whose year the week counts."""
        return (self.days.astype(int) + 3 - self.part("weekday")).astype("datetime64[D]")


def _lengths(spans: "Any") -> "Any":
    """Return the number of days of each month or year."""
    following = (spans.astype(int) + 1).astype(spans.dtype)
    return (following.astype("datetime64[D]") - spans.astype("datetime64[D]")).astype(int)


# part -> its number, of all datetimes of a calendar
ALL_PARTS: "dict[str, Callable[[Calendar], Any]]" = {
    "year": lambda c: c.years.astype(int) + 1970,
    "month": lambda c: (c.months - c.years.astype("datetime64[M]")).astype(int) + 1,
    "day": lambda c: c.since(c.months) + 1,
    "hour": lambda c: c.time // (3600 * SECOND),
    "minute": lambda c: c.time // (60 * SECOND) % 60,
    "second": lambda c: c.time // SECOND % 60,
    "microsecond": lambda c: c.time % SECOND,
    "minute_of_day": lambda c: c.time // (60 * SECOND),
    "second_of_day": lambda c: c.time // SECOND,
    "weekday": lambda c: (c.days.astype(int) + 3) % 7,  # 1970 began on a Thursday
    "day_of_year": lambda c: c.since(c.years) + 1,
    "iso_year": lambda c: c.thursdays().astype("datetime64[Y]").astype(int) + 1970,
    "week": lambda c: (c.thursdays() - c.thursdays().astype("datetime64[Y]").astype("datetime64[D]")).astype(int) // 7 + 1,
    "quarter": lambda c: (c.part("month") + 2) // 3,
    "days_in_month": lambda c: _lengths(c.months),
    "is_month_start": lambda c: c.part("day") == 1,
    "is_month_end": lambda c: c.part("day") == _lengths(c.months),
    "is_quarter_start": lambda c: c.part("is_month_start") & (c.part("month") % 3 == 1),
    "is_quarter_end": lambda c: c.part("is_month_end") & (c.part("month") % 3 == 0),
    "is_year_start": lambda c: c.since(c.years) == 0,
    "is_year_end": lambda c: c.part("is_month_end") & (c.part("month") == 12),
    "is_leap_year": lambda c: _lengths(c.years) == 366,
}


class Floor:
    """Each number at `positions` rounded down to a multiple of `period`: a datetime at the start of its day, hour or second.

    :raises ModelRefused: `period` is not a whole number of microseconds, of at most 10,000 days, or a position is out of range.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        kinds = node.only_input()
        self._positions = node.positions("positions", len(kinds))
        node.expect(all(kinds[position] == "n" for position in self._positions), "takes datetimes, got strings or a sparse value")
        self._period = float(node.whole("period", 1, 10_000 * int(DAY)))
        self.kinds = "n" * len(self._positions)

    def row(self, x: "list[Any]") -> "list[float]":
        """Return the starts."""
        return [_floor(x[position], self._period) for position in self._positions]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        v = x[:, self._positions].astype(float)
        v = np.where(np.isfinite(v), v, NAN)
        return v // self._period * self._period


def _floor(v: float, period: float) -> float:
    return v // period * period if abs(v) < float("inf") else NAN


OPS = {"part": Part, "floor": Floor}
