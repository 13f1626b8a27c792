"""Batches of a file's rows."""

from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flyweight.errors import FlyweightError

    Position = dict[str, Any]  # where a batch begins, fit for JSON; {} is the start of the file
    Fault = tuple[int, FlyweightError, str]  # the line, the error, the row's text


class Batch(Value):
    """Some rows of a file, read and not yet validated."""

    instances: "Any"  # documents of JSON lines; lists in the signature's order; columns; or one array of numbers
    lines: "list[int]"  # the line number at which each instance begins, from 1
    texts: "list[bytes]"  # the bytes of each instance in the file
    faults: "list[Fault]"  # rows that can't be read
    after: "Position"  # where the next batch begins
    exceptions_by_row: "Mapping[int, list[Any]]"  # instances with values that an array can't hold, by their row
