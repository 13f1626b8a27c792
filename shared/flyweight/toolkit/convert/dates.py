"""Add ops over datetimes, and find the ops that a user's function of datetimes computes.

A plan can't hold a function. So the function is asked about many datetimes, and each of its columns is compared with what ops
give: parts, tables over one part, datetimes rounded down, spans of time, and sums of parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np

from flyweight.ops.dates import DAY, PARTS, Calendar
from flyweight.toolkit.convert import date_probes as probes
from flyweight.toolkit.convert.date_probes import Probe
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Value

Array = np.ndarray[Any, Any]
Build = Callable[[Value, Draft], Value]
NAN = float("nan")
SECOND = 1_000_000.0
# microseconds of a unit in which spans are counted, from a nanosecond to a mean Gregorian year
WHOLE_UNITS = (*(10.0**digits for digits in range(13)), 60 * SECOND, 3600 * SECOND, DAY, 7 * DAY, 30 * DAY, 365 * DAY)
UNITS = (0.001, *WHOLE_UNITS, 365.25 * DAY, 365.2425 * DAY)
PER_DAYS = (7.0, 30.0, 30.4, 30.44, 30.4375, 30.436875, 365.0, 365.25, 365.2425)
ADDENDS = ("year", "month", "day", "hour", "minute", "second", "microsecond", "weekday", "day_of_year", "week", "quarter")
TABLED = tuple(part for part in PARTS if part not in ("microsecond", "second_of_day"))
KNOWN = (
    "it can compute the parts that pandas' `.dt` has, tables over one of them, sums of parts, spans of time in a unit, and "
    "datetimes rounded down to a day, hour, minute or second; give it in such terms, or make it a step of your own "
    "(docs/your-own-step.md)"
)
MIN_ROWS = 1000  # that a span is compared on
PARITY = 1e-13  # how far a sum of parts may be from what the function gives, relative to its size


def parts(x: Value, wanted: list[tuple[int, str, float]], draft: Draft) -> Value:
    """Add parts of datetimes: for each a position in `x`, the part, and the number that a missing datetime gives."""
    positions, words, missing = zip(*wanted, strict=True)
    columns = [Column(f"{word} of {x.names[position]}") for position, word in zip(positions, words, strict=True)]
    arrays = {"missing": np.array(missing, dtype=float)}
    return draft.add("dates.part", x, columns=columns, positions=[*positions], parts=[*words], arrays=arrays)


def floored(x: Value, period: float, draft: Draft) -> Value:
    """Add all columns rounded down to multiples of `period` microseconds; datetimes stay datetimes."""
    columns = [Column(column.name, kind=column.kind) for column in x.columns]
    return draft.add("dates.floor", x, columns=columns, positions=[*range(len(columns))], period=int(period))


def quotient(x: Value, multiply: float, divide: float, draft: Draft) -> Value:
    """Add `x * multiply / divide`, each rounded by itself, as counts of nanoseconds are."""
    x = x if multiply == 1.0 else draft.stretch(x, multiply)
    arrays = {"divide": np.full(len(x.columns), divide)}
    return x if divide == 1.0 else draft.add("scale.center", x, columns=len(x.columns), arrays=arrays)


def of_function(function: Any, names: list[Any], x: Value, draft: Draft) -> Value:
    """Add the ops that give what a function of datetimes gives.

    :param names: the names of the columns that the function gets.
    :raises ConversionRefused: no ops are found for one of its columns.
    """
    word = f"FunctionTransformer({getattr(function, '__name__', '...')})"
    try:
        probe = probes.ask(function, names, x, draft)
    except probes.NotAnswered as error:
        raise ConversionRefused(draft.path, word, f"{error}; make it a step of your own (docs/your-own-step.md)") from None
    except Exception as error:  # the user's own code
        helps = f"asked about many datetimes, to find what it computes, it raised {type(error).__name__}: {error}"
        raise ConversionRefused(draft.path, word, f"{helps}; make it a step of your own (docs/your-own-step.md)") from None
    search = _Search(probe)
    built = []
    for number, label in enumerate(probe.labels):
        build = next(search.ways(number), None)
        if build is None:
            helps = f"what it gives as {label!r} is nothing that a model file can compute of datetimes; {KNOWN}"
            raise ConversionRefused(draft.path, word, helps)
        built.append(build(x, draft))
    return draft.join(built)


@dataclass
class _Search:
    """Finds ops for the columns of what a function gave."""

    probe: Probe
    _parts: dict[tuple[int, str], Array] = field(default_factory=dict)
    _tables: list[Any] = field(default_factory=list)  # of each part: its place, values, and where each value is

    def ways(self, number: int) -> Iterator[Build]:
        """Yield the ways to compute one column, the simplest first.

        :param number: the position of the column in the answer.
        """
        given = self.probe.answers[number]
        passed = self.probe.dates if number in self.probe.dated else {*self.probe.inputs} - {*self.probe.dates}
        yield from self._same(given, passed)
        if number in self.probe.dated:
            yield from self._starts(given)
        else:
            yield from self._parts_of(number, given)
            if given.dtype != object:
                yield from self._spans(number, given)
                yield from self._sums(number, given)

    def _same(self, given: Array, positions: Iterable[int]) -> Iterator[Build]:
        """Yield a column of the input, passed through."""
        for position in positions:
            values = self.probe.inputs[position]
            if given.dtype == values.dtype and np.array_equal(given, values):
                yield lambda x, draft, position=position: draft.take(x, [position])  # type: ignore[misc]

    def _starts(self, given: Array) -> Iterator[Build]:
        """Yield a datetime rounded down."""
        for position in self.probe.dates:
            for period in (1000.0, SECOND, 60 * SECOND, 3600 * SECOND, DAY):
                if np.array_equal(self.probe.inputs[position] // period * period, given):
                    yield lambda x, draft, position=position, period=period: floored(  # type: ignore[misc]
                        draft.take(x, [position]), period, draft
                    )

    def _part(self, position: int, part: str) -> Array:
        """Return a part of one column of datetimes."""
        if (position, part) not in self._parts:
            calendar = Calendar(self.probe.inputs[position])
            self._parts[position, part] = np.asarray(calendar.part(part), dtype=float)
        return self._parts[position, part]

    def _parts_of(self, number: int, given: Array) -> Iterator[Build]:
        """Yield a part, then tables over the values of one part, from that with the fewest values."""
        missing = self.probe.missing[number]
        for position in self.probe.dates:
            for part in PARTS:
                if given.dtype != object and np.array_equal(self._part(position, part), given):
                    yield _part_itself(position, part, missing[position])
        if not self._tables:
            tables = [(position, part) for position in self.probe.dates for part in TABLED]
            found = [(place, *np.unique(self._part(*place), return_index=True, return_inverse=True)) for place in tables]
            self._tables += sorted(found, key=lambda table: len(table[1]))
        for (position, part), keys, first, inverse in self._tables:
            values = given[first]
            if np.array_equal(values[inverse], given):
                yield _table(position, part, keys, values, missing[position])

    def _spans(self, number: int, given: Array) -> Iterator[Build]:
        """Yield spans of time: since a moment, or between two columns, as they are or counted in whole units."""
        missing = self.probe.missing[number]
        sources = [(position, None) for position in self.probe.dates]
        for first, second in [*sources, *permutations(self.probe.dates, 2)]:
            time = self.probe.inputs[first] if second is None else self.probe.inputs[first] - self.probe.inputs[second]
            fill = missing[first]
            for span in _spans_like(time, given):
                if span.checked(self.probe, number, first, second):
                    yield lambda x, draft, span=span, first=first, second=second, fill=fill: _filled(  # type: ignore[misc]
                        span.build(_time(x, first, second, draft), draft), fill, draft
                    )

    def _sums(self, number: int, given: Array) -> Iterator[Build]:
        """Yield a weighted sum of parts, such as hours and minutes of a day."""
        places = [(position, part) for position in self.probe.dates for part in ADDENDS]
        table = np.column_stack([*(self._part(*place) for place in places), np.ones(len(given))])
        weights = np.linalg.lstsq(table, given, rcond=None)[0]
        weights = np.array([_round(float(weight)) for weight in weights])
        if (np.abs(table @ weights - given) <= PARITY * np.maximum(1.0, np.abs(table) @ np.abs(weights))).all():
            used = [place for place, weight in zip(places, weights[:-1], strict=True) if weight]
            factors, add = [weight for weight in weights[:-1] if weight], float(weights[-1])
            fill = self.probe.missing[number][used[0][0]] if used else NAN
            wanted = [(position, part, NAN) for position, part in used]
            if wanted:
                yield lambda x, draft: _filled(draft.affine(parts(x, wanted, draft), [factors], [add]), fill, draft)


def _part_itself(position: int, part: str, missing: Any) -> Build:
    return lambda x, draft: parts(x, [(position, part, float(missing))], draft)


def _table(position: int, part: str, keys: Array, values: Array, missing: Any) -> Build:
    """Return how to look up a part in a table of numbers or strings."""

    def build(x: Value, draft: Draft) -> Value:
        key = parts(x, [(position, part, NAN)], draft)
        name = f"a table over {key.names[0]}"
        words: list[str] = []
        absent: Any = "nan"
        if values.dtype == object:
            words = sorted({*values.tolist()})
            codes = [words.index(word) for word in values]
        else:
            codes, absent = values.tolist(), "nan" if missing != missing else float(missing)
        ends: dict[str, Any] = {"unseen": ["refuse"], "missing": [absent], "names": [name]}
        code = draft.add("encode.ordinal", key, columns=[Column(name)], categories=[keys.tolist()], codes=[codes], **ends)
        if values.dtype != object:
            return code
        return draft.add(
            "strings.name", code, columns=[Column(name)], words=[words], missing=[missing if isinstance(missing, str) else None]
        )

    return build


def _time(x: Value, first: int, second: int | None, draft: Draft) -> Value:
    """Add one column of datetimes, or the time between two, as microseconds."""
    if second is None:
        return draft.take(x, [first])
    places: dict[str, Any] = {"first": [first], "second": [second], "zero": "any", "names": x.names}
    return draft.add("pairs.apply", x, columns=1, function="subtract", **places)


def _filled(x: Value, fill: Any, draft: Draft) -> Value:
    """Add `fill` where a number is missing, unless it is NaN."""
    if fill != fill:
        return x
    return draft.add("impute.fill", x, columns=x.columns, fill=[float(fill)], nulls=[True], missing=[None])


def _round(weight: float) -> float:
    """Return the whole number, or one over a whole number, next to a weight, if it is near; 0 for a tiny weight."""
    if abs(weight) < 1e-9:
        return 0.0
    return next(
        (near for near in (float(round(weight)), 1.0 / (round(1.0 / weight) or 1)) if abs(near / weight - 1.0) < 1e-7), weight
    )


@dataclass(frozen=True)
class _Span:
    """`sign * (time - start)`, then, unless `period` is None, its whole units and `add`, then `* multiply / divide`."""

    start: float
    sign: float
    period: float | None
    multiply: float
    divide: float
    add: float = 0.0

    def of(self, time: Array) -> Array:
        """Return the span of each time, as the ops compute it."""
        span = self.sign * (time - self.start)
        span = span if self.period is None else span // self.period * self.period / self.period + self.add
        return span * self.multiply / self.divide

    def fits(self, time: Array, given: Array) -> bool:
        """Say whether this is `given`, for all spans whose microseconds a double holds exactly."""
        exact = np.abs(time - self.start) < 2.0**53
        return bool(exact.sum() > MIN_ROWS and np.array_equal(self.of(time)[exact], given[exact]))

    def build(self, x: Value, draft: Draft) -> Value:
        """Add the ops."""
        x = draft.add("scale.center", x, columns=1, arrays={"subtract": [self.start]}) if self.start else x
        x = x if self.sign == 1.0 else draft.stretch(x, self.sign)
        if self.period is not None:
            x = quotient(floored(x, self.period, draft), 1.0, self.period, draft)
            x = draft.stretch(x, 1.0, self.add) if self.add else x
        x = quotient(x, self.multiply, self.divide, draft)
        return Value(x.name, (Column("a span of time"),))

    def checked(self, probe: Probe, number: int, first: int, second: int | None) -> bool:
        """Ask the function about times at which whole units change, and compare."""
        period = self.period
        if period is None:
            return True
        places = np.linspace(-0.9, 0.9, 7) * 4e15 if second is None else np.linspace(-0.9, 0.9, 7) * 1e15
        edges = np.concatenate([self.start + np.round(place / period) * period + np.array([-1.0, 0.0, 1.0]) for place in places])
        moved = edges if second is None else edges + probe.inputs[second][: len(edges)]
        given, time = probe.again(first, moved, number)
        time = time if second is None else time - probe.inputs[second][: len(edges)]
        return bool(np.array_equal(self.of(time), given))


def _spans_like(time: Array, given: Array) -> Iterator[_Span]:
    """Yield the spans of `time` that are `given`, for a moment, sign and unit that follow from the values."""
    low, high = int(np.argmin(time)), int(np.argmax(time))
    slope = (given[high] - given[low]) / (time[high] - time[low])
    if not np.isfinite(given).all() or not slope:
        return
    sign = float(np.sign(slope))
    near = int(np.argmin(np.abs(given)))
    for unit in [unit for unit in UNITS if abs(abs(slope) * unit - 1.0) < 1e-3]:
        start = float(np.round(time[near] - sign * given[near] * unit))
        pairs = [(1.0, unit), (1000.0, 1000.0 * unit)] if unit >= 1.0 else [(1.0 / unit, 1.0)]
        spans = [_Span(start, sign, None, multiply, divide) for multiply, divide in pairs]
        spans += _counted(time, given, sign, unit, 1.0) if unit in WHOLE_UNITS else []
        yield from (span for span in spans if span.fits(time, given))
    for days in [days for days in PER_DAYS if abs(abs(slope) * days * DAY - 1.0) < 1e-3]:
        whole = np.round(given * days)
        yield from (span for span in _counted(time, whole, sign, DAY, days) if span.fits(time, given))


def _counted(time: Array, given: Array, sign: float, unit: float, divide: float) -> list[_Span]:
    """Return the span that counts whole units, from the roundest moment that fits."""
    above = np.max(sign * time - (given + 1.0) * unit)
    upto = np.min(sign * time - given * unit)
    for step in (DAY, 3600 * SECOND, 60 * SECOND, SECOND, 1000.0, 1.0):
        start = np.floor(upto / step) * step
        if start > above:
            whole = np.floor(start / unit)  # a start of long ago, as that of Python's ordinals, would cost digits
            return [_Span(float(sign * (start - whole * unit)), sign, unit, 1.0, divide, float(-whole))]
    return []
