"""The oracle: the estimator's own answers, which engines are compared with."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from flyweight.toolkit.convert.draft import plain
from flyweight.toolkit.packing.sample import Row, Shape

Array = np.ndarray[Any, Any]

# output of a plan -> the estimator's method that gives the same values
METHODS = {
    "probabilities": "predict_proba",
    "scores": "decision_function",
    "score_samples": "score_samples",
    "transformed": "transform",
}


class Oracle:
    """Asks a fitted estimator. The estimator is left as it was; its number of jobs is 1 only during a call.

    :param shape: how the estimator takes its input.
    :param outputs: the outputs of the plan; those of `METHODS` are asked for.
    :param alone: whether its answer to a row depends on the other rows of the call; then it is asked row by row.
    """

    def __init__(self, estimator: Any, shape: Shape, outputs: set[str], *, alone: bool = False) -> None:
        self.estimator = estimator
        self.shape = shape
        self.outputs = outputs & set(METHODS)
        self.alone = alone
        self.method = "predict" if hasattr(estimator, "predict") else "transform"

    def answers(self, rows: list[Row]) -> dict[str, Array]:
        """Ask for all outputs of these rows.

        :returns: per output an array of shape (rows, columns): `predictions`, and those of `METHODS` that were chosen.
        :raises Exception: the estimator's own error, on rows that it does not take.
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

    def covers(self, output: str) -> bool:
        """Check whether the estimator answers this output of an engine."""
        return output in ("index", "values") or output in self.outputs

    def takes(self, row: Row) -> bool:
        """Check whether the estimator answers this row, with finite numbers."""
        try:
            answers = self.answers([row])
        except Exception:
            return False
        return all(answer.dtype.kind != "f" or bool(np.isfinite(answer).all()) for answer in answers.values())

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Silence warnings and set one job: with several jobs, a forest adds its trees in another order at each call."""
        jobs = {key: value for key, value in _parameters(self.estimator).items() if key.rpartition("__")[2] == "n_jobs" and value}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            self.estimator.set_params(**dict.fromkeys(jobs, 1)) if jobs else None
            try:
                yield
            finally:
                self.estimator.set_params(**jobs) if jobs else None


def classes_of(estimator: Any) -> list[list[Any]] | None:
    """List the estimator's classes per output, as JSON can hold them; None if it has no classes."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return None
    if has_several_labels(estimator):
        return [[0, 1]] * len(classes)
    outputs = classes if isinstance(classes, list) else [classes]
    return [[_label(label) for label in np.asarray(labels).tolist()] for labels in outputs]


def has_several_labels(estimator: Any) -> bool:
    """Check whether a row may have several classes; then each class is an output of its own, 0 or 1."""
    if hasattr(estimator, "best_estimator_"):
        return has_several_labels(estimator.best_estimator_)
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    kind = getattr(getattr(last, "_label_binarizer", None), "y_type_", "")
    return bool(getattr(last, "multilabel_", False)) or kind.startswith("multilabel")


def _label(label: Any) -> Any:
    return label if isinstance(label, bool) else plain(label)


def _parameters(estimator: Any) -> dict[str, Any]:
    parameters: dict[str, Any] = estimator.get_params(deep=True)
    return parameters


def _two_dimensional(answer: Any) -> Array:
    answer = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    table: Array = answer.reshape(-1, 1) if answer.ndim == 1 else answer
    return table
