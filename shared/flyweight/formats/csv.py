"""CSV: parse instances, converting texts by the signature, and write predictions."""

import csv
import io
from math import isfinite

from flyweight.errors import MalformedRequest
from flyweight.models.texts import value_of
from flyweight.models.validation import Numbered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

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
    :raises InvalidInput: the columns are not the features.
    """
    rows, lines = _split(text)
    instances = Numbered()
    features = validator.features
    if not header:
        instances += [[*map(value_of, row, features), *row[len(features) :]] for row in rows]
        instances.lines = lines
        return instances
    if not rows:
        return instances
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            raise MalformedRequest(f"line {line} has {len(row)} values, the CSV header has {len(rows[0])}")
    places = validator.places(rows[0], lines[0])
    read = [*zip(places, features, strict=True)]
    instances += [[None if place is None else value_of(row[place], feature) for place, feature in read] for row in rows[1:]]
    instances.lines = lines[1:]
    return instances


def _split(text: str) -> "tuple[list[list[str]], list[int]]":
    """Split CSV into rows, without empty lines.

    :returns: the rows, and the number of the line on which each begins.
    :raises MalformedRequest: the text is not CSV.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, lines, line = [], [], 1
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise MalformedRequest(f"the body is not CSV: {error}, on line {line} or after it") from None
    return rows, lines


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
