"""What libraries and the user's own code raise while an estimator is packed: told in one message, and their warnings kept quiet.

A message names the step of the estimator, the row, and the exception. `FlyweightError` is all that callers have to catch.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from flyweight.errors import FlyweightError, preview
from flyweight.ops import own
from flyweight.toolkit.errors import ToolkitError

SHOWN_VALUES = 6  # of a row
PARTS = 2000  # parts of an estimator that are named at most

# All else is caught: a library may raise more than an Exception, as `sys.exit` in a pickle, or a panic of code in Rust.
STOPS = (KeyboardInterrupt, GeneratorExit)


class CodeFailed(ToolkitError):
    """A library, or the user's own code, raised an error; the message says which step, row and error."""

    next_step = (
        "ask the estimator itself for such a row to see the whole error; if it answers, report this as a fault of flyweight"
    )


@contextmanager
def guarded(doing: str, estimator: Any = None, row: Sequence[Any] | None = None) -> Iterator[None]:
    """Turn what is raised inside into one message, and silence warnings.

    :param doing: what is being done, as the beginning of the message.
    :param estimator: whose step is named, if the error came from one.
    :param row: the row that was asked for, if it was one.
    :raises CodeFailed: an error that is not flyweight's own.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (FlyweightError, *STOPS):
        raise
    except BaseException as error:
        raise failure(doing, error, estimator, row) from error


def failure(doing: str, error: BaseException, estimator: Any = None, row: Sequence[Any] | None = None) -> CodeFailed:
    """Build the error that tells of another one."""
    failed = CodeFailed(f"{doing}: {describe(error, estimator, row)}")
    if own_step_of(error):
        failed.next_step = "correct the step, or let it raise flyweight.InvalidInput for such a row: see docs/your-own-step.md"
    elif isinstance(error, MemoryError):
        failed.next_step = "give a smaller sample, or pack it where more memory is free"
    return failed


def describe(error: BaseException, estimator: Any = None, row: Sequence[Any] | None = None) -> str:
    """Describe an error in one line: the step that raised it, the row, its class and the first line of its text."""
    step, own_step = step_of(error, estimator), own_step_of(error)
    places = [f"your step {own_step!r}" if own_step else f"step {step}" if step else "", f"row {shown(row)}" if row else ""]
    place = ", ".join(place for place in places if place)
    return f"{place}: {first_line(error)}" if place else first_line(error)


def first_line(error: BaseException) -> str:
    """Format an error as its class and the first line of its message, at most 300 characters."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def shown(row: Sequence[Any]) -> str:
    """Format a row for a message: its first values, and how many there are if these are not all."""
    values = ", ".join("nan" if value != value else preview(value, 40) for value in row[:SHOWN_VALUES])
    return f"[{values}]" if len(row) <= SHOWN_VALUES else f"[{values}, ...] of {len(row)} values"


def own_step_of(error: BaseException) -> str:
    """Find the user's own step of a plan in which an error was raised; "" if it came from elsewhere."""
    frames = (frame for frame in _frames(error) if frame.f_code is own.Step.row.__code__)
    return next((str(frame.f_locals["self"].name) for frame in frames), "")


def step_of(error: BaseException, estimator: Any) -> str:
    """Find the step of an estimator in which an error was raised, as `preprocess.scale`; "" if it was none of its steps."""
    if estimator is None:
        return ""
    paths, found = _paths(estimator), ""
    for frame in _frames(error):
        for name in ("self", "transformer", "estimator"):
            path = paths.get(id(frame.f_locals.get(name)), "")
            found = path if len(path) >= len(found) else found
    return found


def first_raising(rows: Sequence[Any], ask: Callable[[Sequence[Any]], Any]) -> Any:
    """Find one row of a batch for which a call raises, by halving the batch.

    :param ask: a call that raises for the whole batch.
    """
    while len(rows) > 1:
        half = rows[: len(rows) // 2]
        try:
            ask(half)
        except STOPS:
            raise
        except BaseException:
            rows = half
        else:
            rows = rows[len(half) :]
    return rows[0]


def _frames(error: BaseException) -> Iterator[FrameType]:
    return (frame for frame, _ in traceback.walk_tb(error.__traceback__))


def _paths(estimator: Any) -> dict[int, str]:
    """Name the parts of an estimator.

    :returns: the path of each part by its id: the names of steps where they have any, else the attribute that holds the part.
    """
    paths: dict[int, str] = {}
    waiting = [("", estimator)]
    while waiting and len(paths) < PARTS:
        path, part = waiting.pop(0)
        if id(part) not in paths:
            paths[id(part)] = path
            waiting += [(f"{path}.{name}".lstrip("."), inner) for name, inner in _inner(part)]
    return paths


def _inner(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield the estimators that a part holds, each with its name."""
    for attribute, value in vars(part).items() if hasattr(part, "__dict__") else ():
        for place, entry in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(entry, tuple) and len(entry) > 1 and isinstance(entry[0], str) and hasattr(entry[1], "get_params"):
                yield entry[0], entry[1]
            elif hasattr(entry, "get_params"):
                yield f"{attribute}[{place}]" if isinstance(value, list) else attribute, entry
