"""CSV that is written by columns equals CSV that is written cell by cell."""

from __future__ import annotations

import csv
import io
from math import isfinite
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flyweight.formats.csv import write
from flyweight.values import Prediction

VALUE = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=5), st.sampled_from(['"', "a,b", "\n"]))
COUNT = st.integers(0, 4)


def many(count: int, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, min_size=count, max_size=count)


@st.composite
def predictions(draw: st.DrawFn) -> tuple[Prediction, list[int] | None]:
    """Draw predictions of one or two outputs, with probabilities, scores and line numbers."""
    count, outputs, width = draw(COUNT), draw(st.integers(1, 2)), draw(st.integers(1, 3))
    numbers = many(width, st.floats())
    classes = draw(st.none() | many(width, VALUE))
    first: Any = VALUE if outputs == 1 else many(outputs, VALUE)
    beside: Any = numbers
    if outputs == 2 and classes is not None:
        classes, beside = [classes, classes], many(2, numbers)
    values = [draw(many(count, first))]
    values += [draw(st.none() | many(count, beside)) for _ in range(2)]
    values += [draw(st.none() | many(count, st.floats())), draw(st.none() | many(count, numbers))]
    lines = draw(st.none() | st.just([*range(2, 2 + count)]))
    return Prediction(*values, classes), lines


def cell_by_cell(prediction: Prediction, lines: list[int] | None, header: bool) -> str:
    """Write the same CSV in the simplest way."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for number in range(len(prediction.predictions or [])):
        cells: list[tuple[str, Any]] = []

        def add(name: str, value: Any, labels: Any = None, cells: list[tuple[str, Any]] = cells) -> None:
            if not isinstance(value, list):
                cells.append((name, value))
                return
            suffixes = labels if labels and len(labels) == len(value) else range(len(value))
            cells += [(f"{name}_{suffix}", item) for suffix, item in zip(suffixes, value, strict=True)]

        if lines is not None:
            add("line", lines[number])
        add("prediction", (prediction.predictions or [])[number])
        for name, values in (("probability", prediction.probabilities), ("score", prediction.scores)):
            classes = prediction.classes or []
            if values is not None and classes and isinstance(classes[0], list):
                for output, labels in enumerate(classes):
                    add(f"{name}_{output}", values[number][output], labels)
            elif values is not None:
                add(name, values[number], classes)
        for name, values in (("score_sample", prediction.score_samples), ("transformed", prediction.transformed)):
            if values is not None:
                add(name, values[number])
        if number == 0 and header:
            writer.writerow([name for name, _ in cells])
        writer.writerow(["" if isinstance(value, float) and not isfinite(value) else value for _, value in cells])
    return file.getvalue()


@given(drawn=predictions(), header=st.booleans())
def test_both_texts_are_equal(drawn: tuple[Prediction, list[int] | None], header: bool) -> None:
    prediction, lines = drawn
    assert write(prediction, lines, header) == cell_by_cell(prediction, lines, header)
