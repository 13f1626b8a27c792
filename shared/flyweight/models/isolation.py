"""Predict groups of instances together, so that a bad group fails alone.

A group is what stands or falls together: the instances of one record, or one row of a file.
"""

from flyweight.errors import INPUT_ERRORS, FlyweightError
from flyweight.models.arrays import suspects
from flyweight.values import Value, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Protocol

    from flyweight.models.signature import Signature
    from flyweight.models.validation import Validator
    from flyweight.values import Prediction

    Rows = Any  # a list of rows, or an array
    Members = list[tuple[int, int]]  # of each group its number and how many rows it has

    class Model(Protocol):
        """What is needed of a predictor."""

        signature: Signature
        validator: Validator

        def answer(self, rows: Rows, outputs: list[str] | None = None) -> Prediction:
            """Answer validated rows."""
            ...

        def passes_self_test(self) -> bool:
            """Tell whether the model answers its own sample as recorded."""
            ...


NOTHING: "Mapping[int, Any]" = {}


@frozen
class GroupFault(Value):
    """Why a group has no answer; `final`: the group is to blame, so that a retry would fail as well."""

    group: int
    error: Exception
    final: bool


@frozen
class Answers(Value):
    """The prediction for some groups; `members`: the number of each, and how many of the prediction's instances are its own."""

    members: "Members"
    prediction: "Prediction"


def predict_each(
    model: "Model",
    instances: "Any",
    outputs: "list[str] | None" = None,
    sizes: "Sequence[int] | None" = None,
    exceptions_by_row: "Mapping[int, Any]" = NOTHING,
) -> "tuple[list[Answers], list[GroupFault]]":
    """Predict groups by one call for all that are valid; where that fails, by one for each half, until the bad are alone.

    :param instances: a list, an array of numbers, or columns; those of all groups after another.
    :param sizes: how many instances each group has; None: one.
    :param exceptions_by_row: instances with values that an array of numbers can't hold, by their row.
    :returns: answers in the order of the groups, and the faults of the others.
    """
    faults: list[GroupFault] = []
    members = [(group, 1 if sizes is None else sizes[group]) for group in range(len(instances) if sizes is None else len(sizes))]
    members, rows = _validated(model, instances, members, exceptions_by_row, faults)
    answers: list[Answers] = []
    if members:
        _predict(model, rows, members, outputs, answers, faults)
    return answers, judge(model, faults)


def _validated(
    model: "Model", instances: "Any", members: "Members", exceptions_by_row: "Mapping[int, Any]", faults: "list[GroupFault]"
) -> "tuple[Members, Rows]":
    """Validate all groups; a group with an invalid instance becomes a fault."""
    validator = model.validator
    most = validator.limits.max_instances
    whole = bool(members) and all([0 < size <= most for _, size in members]) and len(instances) <= most
    if whole and not exceptions_by_row:
        table = validator.table(instances)
        if table is not None:
            return members, table
    if hasattr(instances, "dtype"):
        return _validated_array(model, instances, members, exceptions_by_row, faults)
    instances = instances if isinstance(instances, list) else instances.tolist()
    if whole:
        try:
            return members, validator.rows(instances)
        except Exception:  # found again below, in its group
            pass
    valid, kept, begin = [], [], 0
    for group, size in members:
        own = instances[begin : begin + size]
        begin += size
        try:
            kept += _listed(validator.rows(own))
            valid.append((group, size))
        except Exception as error:
            faults.append(GroupFault(group, error, isinstance(error, INPUT_ERRORS)))
    table = validator.table(kept) if valid else None
    return valid, kept if table is None else table


def _validated_array(
    model: "Model", table: "Any", members: "Members", exceptions_by_row: "Mapping[int, Any]", faults: "list[GroupFault]"
) -> "tuple[Members, Rows]":
    """Validate an array of one row a group: suspect rows one by one, the rest as an array."""
    validator, wrong = model.validator, set()
    required = [not feature.nullable for feature in model.signature.features]
    for row in sorted({*suspects(table, required), *exceptions_by_row}):
        try:
            (table[row],) = validator.rows([exceptions_by_row.get(row) or table[row].tolist()])
        except INPUT_ERRORS as error:
            faults.append(GroupFault(row, error, True))
            wrong.add(row)
    valid = [member for member in members if member[0] not in wrong]
    if not valid:
        return [], []
    rows = table[[row for row, _ in valid]] if wrong else table
    whole = validator.table(rows)
    return valid, validator.rows(rows.tolist()) if whole is None else whole


def _predict(
    model: "Model", rows: "Rows", members: "Members", outputs: "Any", answers: "list[Answers]", faults: "list[GroupFault]"
) -> None:
    try:
        prediction = model.answer(rows, outputs)
    except Exception as error:
        if len(members) == 1:
            faults.append(GroupFault(members[0][0], error, isinstance(error, INPUT_ERRORS)))
            return
        half = len(members) // 2
        cut = sum([size for _, size in members[:half]])
        _predict(model, rows[:cut], members[:half], outputs, answers, faults)
        _predict(model, rows[cut:], members[half:], outputs, answers, faults)
    else:
        answers.append(Answers(members, prediction))


def judge(model: "Model", faults: "list[GroupFault]") -> "list[GroupFault]":
    """Blame a group for an unexpected error if the model still passes its self-test; else the model is to blame."""
    expected = (FlyweightError, MemoryError, OSError)
    if all([isinstance(fault.error, expected) for fault in faults]):
        return faults
    blamed = _passes(model)
    return [fault if isinstance(fault.error, expected) else GroupFault(fault.group, fault.error, blamed) for fault in faults]


def _passes(model: "Model") -> bool:
    try:
        return model.passes_self_test()
    except Exception:
        return False


def _listed(rows: "Rows") -> "list[list[Any]]":
    listed: list[list[Any]] = rows if isinstance(rows, list) else rows.tolist()
    return listed
