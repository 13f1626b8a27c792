"""Answers that a sample holds beside its rows: a graph that comes without an estimator is compared with them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from flyweight.predictor import Predictor
from flyweight.toolkit.packing.oracle import Array
from flyweight.toolkit.packing.sample import Row


class ExpectedAnswers:
    """The answers of the sample, asked like the `Oracle` of an estimator.

    :param rows: the sample's rows. They are kept, so that no other object gets their ids.
    :param answers: per output an array of shape (rows, columns).
    """

    def __init__(self, rows: list[Row], answers: dict[str, Array]) -> None:
        self._places = {id(row): place for place, row in enumerate(rows)}
        self._rows, self._answers = rows, answers

    def covers(self, output: str) -> bool:
        """Check whether the sample holds answers of this output."""
        return ("predictions" if output in ("index", "values") else output) in self._answers

    def answers(self, rows: list[Row]) -> dict[str, Array]:
        """Look up the answers of rows of the sample.

        :returns: per output an array of shape (rows, columns), as `Oracle.answers` gives it.
        """
        places = [self._places[id(row)] for row in rows]
        return {name: answer[places] for name, answer in self._answers.items()}

    def sort(self, rows: list[Row], doubtful: Collection[int] = ()) -> tuple[list[tuple[list[Row], dict[str, Array]]], list[Row]]:
        """Look up the answers of rows, as `Oracle.sort` asks for them; the sample refuses none."""
        return [(rows, self.answers(rows))], []


def read_expected_answers(sample: pd.DataFrame, predictor: Predictor) -> dict[str, Array]:
    """Read the answers from a sample's columns, which are named as `flyweight predict` names them.

    :returns: per output that the sample holds an array of shape (rows, columns).
    """
    columns = {str(column): sample[column].tolist() for column in sample.columns}
    classes = predictor.signature.classes
    expected: dict[str, Array] = {}
    if classes is not None:
        probabilities = [f"probability_{label}" for label in classes[0]]
        if {*probabilities} <= {*columns}:
            expected["probabilities"] = np.array([columns[name] for name in probabilities], dtype=float).T
        if "prediction" in columns:
            by_word = {str(label): label for label in classes[0]}
            labels = [by_word.get(str(value), value) for value in columns["prediction"]]
            expected["predictions"] = np.array([[label] for label in labels], dtype=object)
        return expected
    outputs = predictor.signature.outputs
    names = ["prediction"] if outputs == 1 else [f"prediction_{position}" for position in range(outputs)]
    if {*names} <= {*columns}:
        expected["predictions"] = np.array([columns[name] for name in names], dtype=float).T
    return expected


def is_answer(column: str) -> bool:
    """Check whether a column of a sample is named as `flyweight predict` names answers."""
    return column == "prediction" or column.startswith(("prediction_", "probability_"))
