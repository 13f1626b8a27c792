"""The estimator itself, asked for its own answers: the truth by which engines are judged."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from flyweight.toolkit.convert.draft import plain
from flyweight.toolkit.packing.sample import Row, Shape

Array = np.ndarray[Any, Any]

# output of a plan -> the estimator's method that gives the same
METHODS = {
    "probabilities": "predict_proba",
    "scores": "decision_function",
    "score_samples": "score_samples",
    "transformed": "transform",
}


class Oracle:
    """A fitted estimator over rows of its shape. It is never changed: threads are limited only while it is asked.

    `alone`: its answer to a row hangs on the rows beside it, so that it is asked one by one.
    """

    def __init__(self, estimator: Any, shape: Shape, outputs: set[str], *, alone: bool = False) -> None:
        self.estimator = estimator
        self.shape = shape
        self.outputs = outputs & set(METHODS)
        self.alone = alone
        self.method = "predict" if hasattr(estimator, "predict") else "transform"

    def answers(self, rows: list[Row]) -> dict[str, Array]:
        """Per output an array of shape (rows, columns): `predictions`, and of `METHODS` what the plan has.

        :raises Exception: whatever the estimator raises on rows that it does not take.
        """
        if self.alone and len(rows) > 1:
            single = [self.answers([row]) for row in rows]
            return {output: np.concatenate([answers[output] for answers in single]) for output in single[0]}
        X = self.shape.to_estimator(rows)
        with self._quiet():
            answers = {"predictions": _two_dimensional(getattr(self.estimator, self.method)(X))}
            for output in self.outputs:
                answer = getattr(self.estimator, METHODS[output])(X)
                if output == "probabilities" and has_several_labels(self.estimator):
                    answer = np.stack([1.0 - answer, answer], axis=2).reshape(len(answer), -1)
                parts = answer if isinstance(answer, list) else [answer]
                answers[output] = np.hstack([_two_dimensional(part) for part in parts])
        return answers

    def tells(self, output: str) -> bool:
        """Whether an engine's output has an answer here to be compared with: all that was asked for."""
        return output in ("index", "values") or output in self.outputs

    def takes(self, row: Row) -> bool:
        """Whether the estimator answers this row at all."""
        try:
            answers = self.answers([row])
        except Exception:
            return False
        return all(answer.dtype.kind != "f" or bool(np.isfinite(answer).all()) for answer in answers.values())

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """No warnings, and one job: with several, a forest adds its trees in an order that changes from call to call."""
        jobs = {key: value for key, value in _parameters(self.estimator).items() if key.rpartition("__")[2] == "n_jobs" and value}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            self.estimator.set_params(**dict.fromkeys(jobs, 1)) if jobs else None
            try:
                yield
            finally:
                self.estimator.set_params(**jobs) if jobs else None


def classes_of(estimator: Any) -> list[list[Any]] | None:
    """Per output the list of the estimator's classes, as JSON can hold them; None where it does not classify."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return None
    if has_several_labels(estimator):
        return [[0, 1]] * len(classes)
    outputs = classes if isinstance(classes, list) else [classes]
    return [[_label(label) for label in np.asarray(labels).tolist()] for labels in outputs]


def has_several_labels(estimator: Any) -> bool:
    """Whether a row may have several of its classes: then each class is an output of its own, 0 or 1."""
    if hasattr(estimator, "best_estimator_"):
        return has_several_labels(estimator.best_estimator_)
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    kind = getattr(getattr(last, "_label_binarizer", None), "y_type_", "")
    return bool(getattr(last, "multilabel_", False)) or kind.startswith("multilabel")


def _label(label: Any) -> Any:
    return label if isinstance(label, bool) else plain(label)


def _parameters(estimator: Any) -> dict[str, Any]:
    found: dict[str, Any] = estimator.get_params(deep=True)
    return found


def _two_dimensional(answer: Any) -> Array:
    answer = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    table: Array = answer.reshape(-1, 1) if answer.ndim == 1 else answer
    return table
