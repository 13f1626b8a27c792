"""Batches of a file's rows, and the match of a file's columns with the features of a model."""

from flyweight.errors import InvalidInput, MalformedRequest
from flyweight.models.validation import name_faults
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flyweight.errors import FlyweightError
    from flyweight.models.signature import Feature

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


def order_of(columns: "list[str]", features: "list[Feature]") -> "list[tuple[int, Feature]]":
    """Find the column of each feature.

    :param columns: the names of a file's columns.
    :returns: pairs of a column's index and its feature, in the order of the features.
    :raises MalformedRequest: two columns have the same name.
    :raises InvalidInput: a column is missing or is no feature; the message is the one for an instance.
    """
    if len({*columns}) != len(columns):
        raise MalformedRequest("the header has a column name twice")
    if {*columns} != {feature.name for feature in features}:
        raise InvalidInput(*name_faults(columns, features))
    return [(columns.index(feature.name), feature) for feature in features]
