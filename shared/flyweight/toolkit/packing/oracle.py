"""The oracle: the estimator's own answers, which engines are compared with."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController  # scikit-learn brings it

from flyweight.toolkit.convert import class_name
from flyweight.toolkit.packing.guard import STOPS
from flyweight.toolkit.packing.labels import classes_in_json, json_labels
from flyweight.toolkit.packing.sample import Row, Shape

Array = np.ndarray[Any, Any]
FEW_ROWS = 16

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
        self._jobs = _jobs_of(estimator)
        self._pools = ThreadpoolController()
        self._refused: dict[int, Row] = {}  # rows that it refused, by their id; kept, so that no other row gets the id

    def answers(self, rows: list[Row]) -> dict[str, Array]:
        """Ask for all outputs of these rows.

        :returns: per output an array of shape (rows, columns): `predictions`, and those of `METHODS` that were chosen.
        :raises Exception: the estimator's own error, on rows that it does not take.
        """
        if self.alone and len(rows) > 1:
            single = [self.answers([row]) for row in rows]
            return {output: np.concatenate([answers[output] for answers in single]) for output in single[0]}
        return self.ask(self.shape.to_estimator(rows), len(rows))

    def ask(self, X: Any, rows: int = FEW_ROWS + 1) -> dict[str, Array]:
        """Ask for all outputs of a table as the estimator takes it.

        :param rows: the number of its rows.
        :returns: as `answers`.
        :raises Exception: the estimator's own error.
        """
        with self._quiet(rows):
            answers = {"predictions": json_labels(_two_dimensional(getattr(self.estimator, self.method)(X)))}
            for output in self.outputs:
                answer = getattr(self.estimator, METHODS[output])(X)
                if output == "probabilities" and has_several_labels(self.estimator):
                    answer = np.stack([1.0 - answer, answer], axis=2).reshape(len(answer), -1)
                parts = answer if isinstance(answer, list) else [answer]
                answers[output] = np.hstack([_two_dimensional(part) for part in parts])
        return answers

    def sort(self, rows: list[Row], doubtful: Collection[int] = ()) -> tuple[list[tuple[list[Row], dict[str, Array]]], list[Row]]:
        """Ask for rows of which the estimator may refuse some.

        A batch that it refuses is halved, until the rows that it refuses stand alone; these are remembered, and not asked again.

        :param doubtful: the ids of rows that it probably refuses; they are asked apart, so that the others are answered at once.
        :returns: the batches of rows that it answers, each with the answers, and the rows that it refuses.
        """
        refused = [row for row in rows if id(row) in self._refused]
        sure = [row for row in rows if id(row) not in doubtful and id(row) not in self._refused]
        doubted = [row for row in rows if id(row) in doubtful and id(row) not in self._refused]
        batches: list[tuple[list[Row], dict[str, Array]]] = []
        waiting = [sure, doubted]
        while waiting:
            batch = waiting.pop(0)
            if not batch:
                continue
            try:
                batches.append((batch, self.answers(batch)))
            except STOPS:
                raise
            except BaseException:
                if len(batch) == 1:
                    refused.append(batch[0])
                elif batch is doubted:
                    waiting += [[row] for row in batch]
                else:
                    waiting[:0] = [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
        self._refused.update((id(row), row) for row in refused)
        return batches, refused

    def covers(self, output: str) -> bool:
        """Check whether the estimator answers this output of an engine."""
        return output in ("index", "values") or output in self.outputs

    def takes(self, row: Row) -> bool:
        """Check whether the estimator answers this row, with finite numbers."""
        return self.refusal(row) is None

    def refusal(self, row: Row) -> str | None:
        """Ask for one row, and say why it is not answered with finite numbers; None if it is."""
        try:
            answers = self.answers([row])
        except STOPS:
            raise
        except BaseException as error:
            return type(error).__name__
        # a transformer may hand on what is missing; a model that predicts NaN does not take the row
        finite = all(answer.dtype.kind != "f" or not np.isinf(answer).any() for answer in answers.values())
        if self.method != "transform":
            finite = finite and not any(answer.dtype.kind == "f" and np.isnan(answer).any() for answer in answers.values())
        return None if finite else "not finite"

    @contextmanager
    def _quiet(self, rows: int) -> Iterator[None]:
        """Silence warnings and set one job: with several jobs, a forest adds its trees in another order at each call.

        A few rows are computed on one thread: to wake the others takes longer than the rows.
        """
        threads = self._pools.limit(limits=1) if rows <= FEW_ROWS else nullcontext()
        with warnings.catch_warnings(), np.errstate(all="ignore"), threads:
            warnings.simplefilter("ignore")
            self.estimator.set_params(**dict.fromkeys(self._jobs, 1)) if self._jobs else None
            try:
                yield
            finally:
                self.estimator.set_params(**self._jobs) if self._jobs else None


def classes_of(estimator: Any) -> list[list[Any]] | None:
    """List the estimator's classes per output, as JSON can hold them; None if it has no classes.

    :raises ConversionRefused: JSON can't hold them.
    """
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return None
    if has_several_labels(estimator):
        return [[0, 1]] * len(classes)
    outputs = classes if isinstance(classes, list) else [classes]
    return [classes_in_json(labels, class_name(estimator)) for labels in outputs]


def has_several_labels(estimator: Any) -> bool:
    """Check whether a row may have several classes; then each class is an output of its own, 0 or 1."""
    if hasattr(estimator, "best_estimator_"):
        return has_several_labels(estimator.best_estimator_)
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    kind = getattr(getattr(last, "_label_binarizer", None), "y_type_", "")
    return bool(getattr(last, "multilabel_", False)) or kind.startswith("multilabel")


def _jobs_of(estimator: Any) -> dict[str, Any]:
    """Find the parameters that set a number of jobs, in the estimator and in its steps."""
    try:
        parameters: dict[str, Any] = estimator.get_params(deep=True)
    except AttributeError:  # a class that does not keep one of its parameters, as feature_engine's DatetimeOrdinal
        return {}
    return {key: value for key, value in parameters.items() if key.rpartition("__")[2] == "n_jobs" and value}


def _two_dimensional(answer: Any) -> Array:
    answer = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    table: Array = answer.reshape(-1, 1) if answer.ndim == 1 else answer
    return table
