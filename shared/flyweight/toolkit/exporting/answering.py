"""Answer rows by an export, and find the rows that it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flyweight.errors import FlyweightError

Row = list[Any]
Answer = Callable[[list[Row]], list[dict[str, list[Any]]]]
CHUNK = 500  # rows of a call


class Refused(FlyweightError):
    """A call that the export refuses."""


def answered(answer: Answer, rows: list[Row]) -> list[dict[str, list[Any]] | None]:
    """Answer rows; None stands for each row that is refused, which is found by calls of fewer rows."""
    if not rows:
        return []
    try:
        return [*answer(rows)]
    except Refused:
        if len(rows) == 1:
            return [None]
        half = len(rows) // 2
        return answered(answer, rows[:half]) + answered(answer, rows[half:])
