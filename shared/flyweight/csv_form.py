"""CSV both ways: text to instances, whose texts become values by the signature, and a Prediction to text."""

import csv
import io
from math import isfinite

from flyweight.errors import MalformedRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flyweight.messages import Prediction
    from flyweight.signature import Feature

MISSING = frozenset(("", "NA", "NaN", "nan", "null", "None"))
BOOLEANS = {"true": True, "false": False, "True": True, "False": False, "1": True, "0": False}


def instances(text: str, features: "list[Feature]", header: bool = True) -> "list[Any]":
    """One instance a line: an object by the names in the first line, or a list where there is no header.

    A text that does not read as its feature's kind is left as it is, for the validation that follows to name.

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
        raise MalformedRequest("a column's name stands twice in the CSV header")
    by_name = {feature.name: feature.kind for feature in features}
    kinds = [by_name.get(name, "string") for name in names]
    for number, line in enumerate(lines[1:]):
        if len(line) != len(names):
            raise MalformedRequest(f"instance {number} has {len(line)} values, the CSV header has {len(names)}")
    return [dict(zip(names, map(value_of, line, kinds), strict=True)) for line in lines[1:]]


def value_of(text: str, kind: str) -> "Any":
    """One CSV text as a value of `kind`; null where it is empty or says NA, NaN, nan, null or None."""
    if text.strip() in MISSING:
        return None
    if kind == "number" and "_" not in text:  # float() takes 1_000, no CSV means it
        try:
            return float(text)
        except ValueError:
            return text
    return BOOLEANS.get(text.strip(), text) if kind == "boolean" else text


def answer(prediction: "Prediction", lines: "list[int] | None" = None, header: bool = True) -> str:
    """A header, then one line an instance: the prediction (or one column an output), then a column each probability or score.

    `lines`: numbers that stand in a column before all others.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for number in range(max(len(values or []) for values in prediction[:-1])):  # type: ignore[index]
        cells = [*_plain("line", lines, number), *_plain("prediction", prediction.predictions, number)]
        cells += _numbers("probability", prediction, prediction.probabilities, number)
        cells += _numbers("score", prediction, prediction.scores, number)
        cells += _plain("score_sample", prediction.score_samples, number)
        cells += _plain("transformed", prediction.transformed, number)
        if number == 0 and header:
            writer.writerow([name for name, _ in cells])
        writer.writerow([_cell(cell) for _, cell in cells])
    return file.getvalue()


def _plain(name: str, values: "list[Any] | None", number: int) -> "Iterator[tuple[str, Any]]":
    if values is not None:
        yield from _cells(name, values[number], None)


def _numbers(name: str, prediction: "Prediction", values: "list[Any] | None", number: int) -> "Iterator[tuple[str, Any]]":
    """The columns of one instance's probabilities or scores, named by class, and by output where there are several."""
    if values is None:
        return
    classes = prediction.classes or []
    if classes and isinstance(classes[0], list):
        for output, labels in enumerate(classes):
            yield from _cells(f"{name}_{output}", values[number][output], labels)
    else:
        yield from _cells(name, values[number], classes)


def _cells(name: str, value: "Any", labels: "list[Any] | None") -> "Iterator[tuple[str, Any]]":
    if not isinstance(value, list):
        yield name, value
        return
    suffixes = labels if labels and len(labels) == len(value) else range(len(value))
    for suffix, item in zip(suffixes, value, strict=True):
        yield f"{name}_{suffix}", item


def _cell(value: "Any") -> "Any":
    return "" if isinstance(value, float) and not isfinite(value) else value
