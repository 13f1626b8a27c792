"""Make instances of a table in a parsed document: of columns with rows of values, or of one array of values a column.

Imported late: most requests hold instances.
"""

from flyweight.errors import Fault, InvalidInput, TooLarge, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.models.validation import Validator


def of_rows(columns: "Any", rows: "Any", validator: "Validator", place: str = "") -> "list[Any]":
    """Make instances of `columns` and `data`, as pandas' `to_json(orient="split")` writes them.

    :param columns: the names of the columns, in any order; None if the values are in the order of the features.
    :param rows: for each instance an array with one value a column.
    :param place: where both stand in the document, for messages, as "dataframe_split.".
    :returns: instances in the order of the features; they are not validated yet.
    :raises InvalidInput: the columns are no texts or not the features, or a row is no array of as many values.
    :raises MalformedRequest: a column is there twice.
    :raises TooLarge: more instances than the limit.
    """
    if not isinstance(rows, list):
        raise InvalidInput(Fault(f"an array of rows for '{place}data'", preview(rows)))
    if columns is None:
        return rows
    if not isinstance(columns, list) or not all([isinstance(name, str) for name in columns]):
        raise InvalidInput(Fault(f"an array of names for '{place}columns'", preview(columns)))
    _bounded(len(rows), validator)
    places, width = validator.places(columns), len(columns)
    instances = []
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            raise InvalidInput(Fault(f"an array of {width} values, one for each of the columns", preview(row), number))
        instances.append([None if at is None else row[at] for at in places])
    return instances


def of_columns(named: "dict[str, Any]", validator: "Validator") -> "list[Any]":
    """Make instances of an object that holds one array of values for each column, by name.

    :returns: instances in the order of the features; they are not validated yet.
    :raises InvalidInput: a column is no array, columns differ in length, or they are not the features.
    :raises TooLarge: more instances than the limit.
    """
    columns: Sequence[Any] = [*named.values()]
    for name, values in named.items():
        if not isinstance(values, list):
            raise InvalidInput(Fault("an array with one value for each instance", preview(values), feature=name))
    count = len(columns[0]) if columns else 0
    for name, values in named.items():
        if len(values) != count:
            expected = f"{count} values, as {preview(next(iter(named)))} has"
            raise InvalidInput(Fault(expected, f"{len(values)} values", feature=name))
    _bounded(count, validator)
    absent = [None] * count
    ordered = [absent if at is None else columns[at] for at in validator.places([*named])]
    return [[*row] for row in zip(*ordered, strict=True)]


def _bounded(count: int, validator: "Validator") -> None:
    """Check the number of instances before they are made.

    :raises TooLarge: more than the limit.
    """
    if count > validator.limits.max_instances:
        raise TooLarge(f"{count} instances, the limit is {validator.limits.max_instances} a request")
