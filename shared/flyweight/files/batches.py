"""Batches of a file's rows, and how columns are matched to features."""

from flyweight.errors import InvalidInput, MalformedRequest
from flyweight.models.validation import name_faults
from flyweight.values import Value, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flyweight.errors import FlyweightError
    from flyweight.models.signature import Feature

    Position = dict[str, Any]  # where a batch begins, fit for JSON; {} is the start of the file
    Fault = tuple[int, FlyweightError, str]  # the line, the error, the row's text


@frozen
class Batch(Value):
    """Some rows of a file, read and not yet validated."""

    instances: "Any"  # documents of JSON lines; lists in the signature's order; columns; or one array of numbers
    lines: "list[int]"  # the line that each instance begins at, from 1
    texts: "list[bytes]"  # the bytes of each in the file
    faults: "list[Fault]"  # rows that can't be read
    after: "Position"  # where the next batch begins
    exceptions_by_row: "Mapping[int, list[Any]]"  # instances with values that an array can't hold, by their row


def order_of(columns: "list[str]", features: "list[Feature]") -> "list[tuple[int, Feature]]":
    """Find the position of each feature among a file's columns.

    :raises MalformedRequest, InvalidInput: a column twice, missing or unknown, with the message for an instance.
    """
    if len({*columns}) != len(columns):
        raise MalformedRequest("the header has a column name twice")
    if {*columns} != {feature.name for feature in features}:
        raise InvalidInput(*name_faults(columns, features))
    return [(columns.index(feature.name), feature) for feature in features]
