"""Datetimes that are made to break a model: ends of months and years, leap days, midnights, instants around the epoch."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
DAY = 86_400_000_000  # microseconds
FIRST, LAST = datetime(1685, 1, 1), datetime(2255, 6, 5)  # a float holds every microsecond between them
STRANGE = [
    EPOCH,
    EPOCH - MICROSECOND,
    datetime(2000, 2, 29, 23, 59, 59, 999_999),
    datetime(1900, 3, 1),
    datetime(2020, 12, 31, 23, 59, 59, 999_999),  # in week 53
    datetime(2021, 1, 3),  # still in week 53 of the year before
    datetime(2024, 12, 30),  # already in week 1 of the next year
    datetime(2038, 1, 19, 3, 14, 8),
    # no further: in nanoseconds, NumPy holds no span of more than 292 years, and the estimator raises where ops still answer
    datetime(1890, 1, 1),
    datetime(2110, 12, 31, 23, 59),
]


def microseconds(when: datetime) -> float:
    """Count the microseconds from 1970 on, as a row holds them."""
    return float((when - EPOCH) // MICROSECOND)


def date_ways(values: list[float], edges: Iterable[float] | None, rng: random.Random) -> list[Callable[[], float]]:
    """List functions that draw a datetime, in microseconds since 1970.

    :param values: those of the sample.
    :param edges: the values at which answers may jump, or None.
    """
    low, high = (min(values), max(values)) if values else (microseconds(datetime(2020, 1, 1)), microseconds(datetime(2025, 1, 1)))
    width = max(high - low, 30.0 * DAY)
    first, last = microseconds(FIRST), microseconds(LAST)

    def between() -> float:
        return float(round(min(max(rng.uniform(low - 0.1 * width, high + 0.1 * width), first), last)))

    def end_of_month() -> float:
        start = (EPOCH + timedelta(microseconds=between())).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return microseconds(start - rng.choice((0, 1)) * MICROSECOND)

    ways: list[Callable[[], float]] = [
        between,
        end_of_month,
        lambda: between() // DAY * DAY,
        lambda: between() // DAY * DAY + rng.choice((-1, 1)),
        lambda: microseconds(rng.choice(STRANGE)),
    ]
    ways += [lambda: rng.choice(values)] if values else []
    near = [] if edges is None else [edge for edge in map(float, edges) if first < edge < last]
    ways += [lambda: float(round(rng.choice(near)) + rng.choice((-1, 0, 1)))] * 2 if near else []
    return ways
