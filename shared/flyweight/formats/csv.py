"""CSV: parse instances, converting texts by the signature, and write predictions."""

import csv
import io
from math import isfinite

from flyweight.errors import MalformedRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from flyweight.models.signature import Feature
    from flyweight.values import Prediction

MISSING = frozenset(("", "NA", "NaN", "nan", "null", "None"))
BOOLEANS = {"true": True, "false": False, "True": True, "False": False, "1": True, "0": False}


def parse(text: str, features: "list[Feature]", header: bool = True) -> "list[Any]":
    """Parse one instance a line: an object by the names in the first line, or a list if there is no header.

    A text that can't be converted to its feature's kind stays a text; validation then names it.

    :param features: the inputs of the model.
    :param header: whether the first line holds names.
    :raises MalformedRequest: not CSV (a stray quote), or a line with too few or too many values.
    """
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise MalformedRequest(f"the body is not CSV: {error}") from None
    if not header:
        kinds = [feature.kind for feature in features]
        return [[value_of(t, k) for t, k in zip(line, kinds, strict=False)] + line[len(kinds) :] for line in lines]
    if not lines:
        return []
    names = [name.strip() for name in lines[0]]
    if len(set(names)) != len(names):
        raise MalformedRequest("the CSV header has a column name twice")
    by_name = {feature.name: feature.kind for feature in features}
    kinds = [by_name.get(name, "string") for name in names]
    for number, line in enumerate(lines[1:]):
        if len(line) != len(names):
            raise MalformedRequest(f"instance {number} has {len(line)} values, the CSV header has {len(names)}")
    return [dict(zip(names, map(value_of, line, kinds), strict=True)) for line in lines[1:]]


def value_of(text: str, kind: str) -> "Any":
    """Convert one CSV text to a value of `kind`; None for an empty text, NA, NaN, nan, null and None."""
    if text.strip() in MISSING:
        return None
    if kind == "number" and "_" not in text:  # float() accepts 1_000, which is not a number in CSV
        try:
            return float(text)
        except ValueError:
            return text
    return BOOLEANS.get(text.strip(), text) if kind == "boolean" else text


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
