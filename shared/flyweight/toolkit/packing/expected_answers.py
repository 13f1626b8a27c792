"""Answers that a sample tells beside its rows: the truth by which a graph without an estimator is judged."""

from __future__ import annotations

import numpy as np
import pandas as pd

from flyweight.predictor import Predictor
from flyweight.toolkit.packing.oracle import Array
from flyweight.toolkit.packing.sample import Row


class Recorded:
    """Answers that were given with the rows, in place of an estimator."""

    def __init__(self, rows: list[Row], answers: dict[str, Array]) -> None:
        self._places = {id(row): place for place, row in enumerate(rows)}
        self._rows, self._answers = rows, answers  # the rows are kept, so that no other object gets their ids

    def tells(self, output: str) -> bool:
        """Whether the sample had this output's answers."""
        return ("predictions" if output in ("index", "values") else output) in self._answers

    def answers(self, rows: list[Row]) -> dict[str, Array]:
        """As `Oracle.answers`, of rows among those recorded."""
        places = [self._places[id(row)] for row in rows]
        return {name: answer[places] for name, answer in self._answers.items()}


def expected_answers(sample: pd.DataFrame, predictor: Predictor) -> dict[str, Array]:
    """Per output what the sample's columns tell, named as `flyweight predict` names them."""
    columns = {str(column): sample[column].tolist() for column in sample.columns}
    classes = predictor.signature.classes
    expected: dict[str, Array] = {}
    if classes is not None:
        probabilities = [f"probability_{label}" for label in classes[0]]
        if {*probabilities} <= {*columns}:
            expected["probabilities"] = np.array([columns[name] for name in probabilities], dtype=float).T
        if "prediction" in columns:
            by_word = {str(label): label for label in classes[0]}
            told = [by_word.get(str(value), value) for value in columns["prediction"]]
            expected["predictions"] = np.array([[label] for label in told], dtype=object)
        return expected
    names = (
        ["prediction"] if predictor.signature.outputs == 1 else [f"prediction_{p}" for p in range(predictor.signature.outputs)]
    )
    if {*names} <= {*columns}:
        expected["predictions"] = np.array([columns[name] for name in names], dtype=float).T
    return expected


def is_answer(column: str) -> bool:
    """Whether a column of a sample is named as `flyweight predict` names answers."""
    return column == "prediction" or column.startswith(("prediction_", "probability_"))
