"""CSV: parse instances, converting texts by the signature, and write predictions."""

import csv
import io
from math import isfinite

from flyweight.errors import MalformedRequest, TooLarge
from flyweight.models.numbered import Numbered
from flyweight.models.texts import value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from flyweight.models.signature import Feature
    from flyweight.models.validation import Validator
    from flyweight.values import Prediction

# the texts that a new model file lists as missing: those of pandas' `read_csv`, and Python's word
MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
        *("N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)


def parse(text: str, validator: "Validator", header: bool = True) -> "list[Any]":
    """Parse one instance a line: a list of values in the order of the features.

    A text that can't be converted to its feature's kind stays a text; validation then names it.

    :param header: whether the first line holds the names of columns; if not, the values are in the order of the features.
    :raises MalformedRequest: not CSV (a stray quote), a column twice, or a line with too few or too many values.
    :raises TooLarge: more lines than the limit on instances; the rest is not read.
    :raises InvalidInput: the columns are not the features.
    """
    found = rows(text)
    features, limit = validator.features, validator.limits.max_instances
    instances = Numbered()
    lines: list[int] = []
    read: list[tuple[int | None, Feature]] = [*enumerate(features)]
    width = len(features)
    if header:
        line, columns = next(found, (1, []))
        read = [*zip(validator.places(columns, line), features, strict=True)] if columns else []
        width = len(columns)
    for line, row in found:
        if len(lines) == limit:
            raise TooLarge(f"the body has more than {limit} instances, which is the limit")
        lines.append(line)
        if len(row) == width:
            instances.append([None if place is None else value_of(row[place], feature) for place, feature in read])
        elif header:
            raise MalformedRequest(f"line {line} has {len(row)} values, the CSV header has {width}")
        else:
            instances.append(row)  # validation names its width
    instances.lines = lines
    return instances


def fault_of(error: csv.Error) -> str:
    """Say why a text is not CSV; of a carriage return Python's own words name an argument of its functions."""
    if "new-line character" in str(error):
        return "a carriage return ends a line without a line feed; write line ends as \\r\\n or \\n"
    return str(error)


def rows(text: str) -> "Iterator[tuple[int, list[str]]]":
    """Split CSV into rows, without empty lines, one at a time: a row of texts takes many times the memory of its line.

    :returns: the number of the line on which each row begins, and the row.
    :raises MalformedRequest: the text is not CSV.
    """
    file = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline="\n")  # `StringIO` takes four bytes a character
    reader = csv.reader(file, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise MalformedRequest(f"the body is not CSV on line {line} or after it: {fault_of(error)}") from None


def write(prediction: "Prediction", lines: "list[int] | None" = None, header: bool = True) -> str:
    """Write a header, then one line an instance: the prediction (or one column an output), then each probability or score.

    :param lines: line numbers for a first column named `line`.
    :param header: whether to write the header.
    """
    columns = [*_columns("line", lines, None), *_columns("prediction", prediction.predictions, None)]
    columns += _by_class("probability", prediction, prediction.probabilities)
    columns += _by_class("score", prediction, prediction.scores)
    columns += _columns("score_sample", prediction.score_samples, None)
    columns += _columns("transformed", prediction.transformed, None)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    if header and columns:
        writer.writerow([name for name, _ in columns])
    writer.writerows(zip(*[_finite(values) for _, values in columns], strict=True))
    return file.getvalue()


def _by_class(name: str, prediction: "Prediction", values: "list[Any] | None") -> "Iterator[tuple[str, Sequence[Any]]]":
    """Name the columns of probabilities or scores by class, and by output if the model has several."""
    classes = prediction.classes or []
    if values and classes and isinstance(classes[0], list):
        for output, labels in enumerate(classes):
            yield from _columns(f"{name}_{output}", [row[output] for row in values], labels)
    else:
        yield from _columns(name, values, classes)


def _columns(name: str, values: "list[Any] | None", labels: "list[Any] | None") -> "Iterator[tuple[str, Sequence[Any]]]":
    """Make one column of single values, or one a position of lists, named by its label or number."""
    if not values:
        return
    if not isinstance(values[0], list):
        yield name, values
        return
    suffixes = labels if labels and len(labels) == len(values[0]) else range(len(values[0]))
    for suffix, column in zip(suffixes, zip(*values, strict=True), strict=True):
        yield f"{name}_{suffix}", column


def _finite(values: "Sequence[Any]") -> "Sequence[Any]":
    """Replace numbers that are not finite by empty texts."""
    if {*map(type, values)} == {float} and all(map(isfinite, values)):
        return values
    return ["" if isinstance(value, float) and not isfinite(value) else value for value in values]
