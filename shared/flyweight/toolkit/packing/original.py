"""The estimator's answers to the sample as the user gave it: what requests hold has to be answered alike.

Everything else is compared with the estimator's answers to tables that are built from requests. Here these tables are compared
with the user's own one, so that a column that was read as another kind, or lost its dtype, is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing.guard import STOPS, describe
from flyweight.toolkit.packing.oracle import Array, Oracle
from flyweight.toolkit.packing.sample import Row, SampleRefused, frame_of, part_of

DOUBLE, SINGLE = 1e-9, 1e-4  # of the answer's size: differences of sums in another order, or of tables of float32
ALONE = 50  # rows that are asked one by one
STEADY = "a model file answers the same always: fit an estimator that does, or set its random_state"
Answers = dict[str, Array]  # per output the values of one row


class SampleMisread(ToolkitError):
    """The estimator answers the sample and the requests that are made of it differently; no file was written."""


@dataclass(frozen=True)
class Original:
    """The estimator's answers to the rows of the sample, as the user gave them.

    :param answers: per row its answers; None for a row that was not asked, or that the estimator refuses.
    :param bound: the difference of numbers that is accepted, relative to the size of the answer.
    """

    answers: list[Answers | None]
    bound: float

    def alike(self, place: int, other: Answers) -> bool:
        """Check whether other answers are those of a row.

        :param place: of the row in the sample.
        :param other: per output the values; outputs that are not in it are not compared.
        """
        truth = self.answers[place]
        return truth is None or all(
            _alike(truth[output], values, self.bound) or _tied(truth, other, self.bound)
            for output, values in other.items()
            if output in truth
        )


def ask_original(oracle: Oracle, X: Any, rows: list[Row]) -> Original:
    """Ask the estimator for the user's own rows, and compare with its answers to the same rows as built from requests.

    :param X: the rows as the user gave them.
    :param rows: the same rows as instances.
    :raises SampleMisread: the answers differ, or the estimator refuses only what is built from requests.
    :raises SampleRefused: the estimator refuses every row.
    """
    if oracle.shape.form not in ("table", "texts") and hasattr(X, "columns"):
        X = oracle.shape.to_estimator(rows)  # a table of what the estimator takes as dictionaries
    elif oracle.shape.form == "table" and not oracle.shape.framed and isinstance(X, pd.DataFrame):
        X = X.to_numpy()  # the estimator was fitted on an array, as its steps of the user's own may need
    count = min(len(rows), ALONE) if oracle.alone else len(rows)
    given = _by_row(
        lambda positions: oracle.ask(X if len(positions) == len(rows) else part_of(X, positions)), count, oracle.alone
    )
    built = _by_row(lambda positions: oracle.answers([rows[position] for position in positions]), count, oracle.alone)
    if rows and not any(isinstance(one, dict) for one in given):
        assert isinstance(given[0], BaseException)
        message = f"the estimator refuses every row of the sample: {describe(given[0], oracle.estimator)}"
        raise SampleRefused(message, "give rows that the estimator accepts") from given[0]
    original = Original([one if isinstance(one, dict) else None for one in given], _bound(X))
    for place, (truth, other) in enumerate(zip(given, built, strict=True)):
        if not isinstance(truth, dict):
            continue
        if not isinstance(other, dict):
            raise _misread(oracle, X, rows, place, f"refuses it as a request: {describe(other, oracle.estimator)}")
        if not original.alike(place, other):
            again = _by_row(lambda positions: oracle.ask(part_of(X, positions)), 1, oracle.alone)[0] if place == 0 else None
            if isinstance(again, dict) and not original.alike(place, again):
                shown = f"{_shown(truth)}, then {_shown(again)}"
                raise SampleMisread(f"the estimator answers the same row differently at each call: {shown}", STEADY)
            shown = f"answers {_shown(truth)}, and to the same row as a request {_shown(other)}"
            raise _misread(oracle, X, rows, place, shown)
    return original


def _by_row(ask: Any, count: int, alone: bool) -> list[Answers | BaseException]:
    """Ask for rows at once; a batch that is refused is halved, until the rows that are refused stand alone.

    :param ask: a function from the positions of rows to their answers.
    :returns: per row its answers, or the error.
    """
    found: dict[int, Answers | BaseException] = {}
    waiting = [[position] for position in range(count)] if alone else [[*range(count)]]
    while waiting:
        batch = waiting.pop()
        if not batch:
            continue
        try:
            answers = ask(batch)
        except STOPS:
            raise
        except BaseException as error:
            if len(batch) == 1:
                found[batch[0]] = error
            else:
                waiting += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
        else:
            found.update((place, {name: part[n] for name, part in answers.items()}) for n, place in enumerate(batch))
    return [found[place] for place in range(count)]


def _bound(X: Any) -> float:
    dtypes = [*X.dtypes] if hasattr(X, "dtypes") and hasattr(X, "columns") else [getattr(X, "dtype", None)]
    single = any(isinstance(dtype, np.dtype) and dtype.kind == "f" and dtype.itemsize < 8 for dtype in dtypes)
    return SINGLE if single else DOUBLE


def _alike(one: Array, other: Any, bound: float) -> bool:
    """Compare two answers to a row: labels are equal, numbers are close."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    if one.dtype.kind != "f" or other.dtype.kind not in "fiu":
        return all(a == b or (a != a and b != b) for a, b in zip(one.ravel().tolist(), other.ravel().tolist(), strict=True))
    size = np.maximum(1.0, np.abs(np.nan_to_num(one)))
    with np.errstate(invalid="ignore"):
        close = (np.abs(one - other) <= bound * size) | (one == other)
    return bool((close | (np.isnan(one) & np.isnan(other))).all())


def _tied(truth: Answers, other: Answers, bound: float) -> bool:
    """Check whether two labels are as likely as each other, so that the last bits of the sums choose between them."""
    for output in ("scores", "probabilities"):
        if output in truth and output in other and _alike(truth[output], other[output], bound):
            leads = np.sort(np.asarray(truth[output], dtype=float).ravel())
            lead = abs(leads[0]) if len(leads) == 1 else leads[-1] - leads[-2]
            return bool(lead <= 2 * bound)
    return False


def _shown(answers: Answers) -> str:
    values = np.asarray(answers["predictions"]).ravel().tolist()
    likely = answers.get("probabilities", answers.get("scores"))
    text = ", ".join(repr(value) for value in values[:3])
    return text if likely is None else f"{text} ({', '.join(f'{value:.6g}' for value in np.ravel(likely)[:3].tolist())})"


def _misread(oracle: Oracle, X: Any, rows: list[Row], place: int, said: str) -> SampleMisread:
    """Build the error of a row that is answered differently; the first column that differs is named."""
    where = f"row {place + 1} of the sample"
    try:
        given = frame_of(X, oracle.shape.names, oracle.shape.unread)
        built = frame_of(oracle.shape.to_estimator(rows), oracle.shape.names)
        different = next((name for name in oracle.shape.names if not _same_column(given[name], built[name], place)), None)
    except STOPS:
        raise
    except Exception:  # a sample that is no table
        different = None
    cure = "give the sample as the estimator was fitted, with the same dtypes, or say a column's kind with --types"
    if different is None:
        return SampleMisread(f"the estimator {said}; {where}", cure)
    dtypes = f"{given[different].dtype} in the sample, {built[different].dtype} as a request holds it"
    return SampleMisread(f"the estimator {said}; {where}; column {different!r} is {dtypes}", cure)


def _same_column(given: pd.Series[Any], built: pd.Series[Any], place: int) -> bool:
    return str(given.dtype) == str(built.dtype) and (
        given.iloc[place] is built.iloc[place] or bool(given.iloc[place] == built.iloc[place]) or bool(pd.isna(given.iloc[place]))
    )
