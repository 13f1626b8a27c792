"""Predict groups of instances together, so that a bad group fails alone.

A group is answered or refused as a whole: the instances of one record, or one row of a file.
"""

from itertools import accumulate, chain, repeat
from math import nan

from flyweight.errors import INPUT_ERRORS, FlyweightError
from flyweight.models.arrays import suspects
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Protocol

    from flyweight.models.signature import Signature
    from flyweight.models.validation import Validator
    from flyweight.values import Prediction

    Rows = Any  # validated instances: a list of rows, or an array
    Groups = list[tuple[int, int]]  # for each group its number and its count of instances

    class Model(Protocol):
        """The part of a predictor that is used here."""

        signature: Signature
        validator: Validator

        def answer(self, rows: Rows, outputs: list[str] | None = None) -> Prediction:
            """Answer validated rows."""
            ...

        def passes_self_test(self) -> bool:
            """Tell whether the model answers its own sample as recorded."""
            ...


NO_EXCEPTIONS: "Mapping[int, Any]" = {}


class GroupFault(Value):
    """The error of a group that has no answer; `final`: the group is to blame, so that a retry would fail as well."""

    group: int
    error: Exception
    final: bool


class Answers(Value):
    """The prediction for some groups; `members`: the number of each group, and its count of the prediction's instances."""

    members: "Groups"
    prediction: "Prediction"


def predict_each(
    model: "Model",
    instances: "Any",
    outputs: "list[str] | None" = None,
    sizes: "Sequence[int] | None" = None,
    exceptions_by_row: "Mapping[int, Any]" = NO_EXCEPTIONS,
) -> "tuple[list[Answers], list[GroupFault]]":
    """Predict all valid groups by one call; if it fails, predict each half by itself, until a bad group is alone.

    :param instances: the instances of all groups one after another: a list, an array of numbers of shape (instances, features),
        or an object with columns and `tolist`.
    :param outputs: the names of outputs; None: the default ones.
    :param sizes: the number of instances of each group; None: each instance is a group.
    :param exceptions_by_row: instances with values that an array of numbers can't hold, by their row.
    :returns: answers in the order of the groups, and the faults of the other groups.
    """
    faults: list[GroupFault] = []
    groups = [*enumerate(repeat(1, len(instances)) if sizes is None else sizes)]
    groups, rows = _validated(model, instances, groups, exceptions_by_row, faults)
    answers: list[Answers] = []
    if groups:
        _predict(model, rows, groups, outputs, answers, faults)
    return answers, judge(model, faults)


def judge(model: "Model", faults: "list[GroupFault]") -> "list[GroupFault]":
    """Blame the groups for unexpected errors if the model still passes its self-test; else the model is to blame.

    :returns: the faults, with `final` set for unexpected errors. MemoryError and OSError are never a group's own fault.
    """
    expected = (FlyweightError, MemoryError, OSError)
    if all([isinstance(fault.error, expected) for fault in faults]):
        return faults
    blamed = _passes(model)
    return [fault if isinstance(fault.error, expected) else GroupFault(fault.group, fault.error, blamed) for fault in faults]


def _validated(
    model: "Model", instances: "Any", groups: "Groups", exceptions_by_row: "Mapping[int, Any]", faults: "list[GroupFault]"
) -> "tuple[Groups, Rows]":
    """Validate all groups; a group with an invalid instance becomes a fault.

    :returns: the valid groups and their rows.
    """
    validator = model.validator
    limit = validator.limits.max_instances
    whole = bool(groups) and all([0 < size <= limit for _, size in groups]) and len(instances) <= limit
    if whole and not exceptions_by_row:
        table = validator.table(instances)
        if table is not None:
            return groups, table
    if _is_numeric(instances, model.signature):
        return _validated_array(model, instances, groups, exceptions_by_row, faults)
    instances = instances if isinstance(instances, list) else instances.tolist()
    if exceptions_by_row:
        instances = [exceptions_by_row.get(row, instance) for row, instance in enumerate(instances)]
    if whole:
        try:
            return groups, validator.rows(instances)
        except Exception:  # raised again below, when its group is validated alone
            pass
    valid, rows, begin = [], [], 0
    for group, size in groups:
        own = instances[begin : begin + size]
        begin += size
        try:
            rows += _to_list(validator.rows(own))
            valid.append((group, size))
        except Exception as error:
            faults.append(GroupFault(group, error, isinstance(error, INPUT_ERRORS)))
    table = validator.table(rows) if valid else None
    return valid, rows if table is None else table


def _is_numeric(instances: "Any", signature: "Signature") -> bool:
    """Tell whether the instances are an array of numbers, and the model takes numbers only and as many."""
    if getattr(instances, "ndim", 0) != 2 or instances.dtype.kind not in "fiu":
        return False
    kinds = {feature.kind for feature in signature.features}
    return instances.shape[1] == len(signature.features) and kinds <= {"number", "unread"}


def _validated_array(
    model: "Model", instances: "Any", groups: "Groups", exceptions_by_row: "Mapping[int, Any]", faults: "list[GroupFault]"
) -> "tuple[Groups, Rows]":
    """Validate an array of numbers; only groups that hold a suspect row are validated by themselves.

    :returns: the valid groups and their rows.
    """
    validator, limit = model.validator, model.validator.limits.max_instances
    table = instances.astype(float)  # a copy, which takes the values of the exceptions
    table[:, [feature.kind == "unread" for feature in model.signature.features]] = nan
    sizes = [size for _, size in groups]
    ends: Sequence[int] = range(1, len(sizes) + 1)
    group_of: Sequence[int] = range(len(sizes))
    unsure = set()
    if sizes.count(1) < len(sizes):  # else each row is a group, as in files
        ends = [*accumulate(sizes)]
        group_of = [*chain.from_iterable(map(repeat, group_of, sizes))]
        unsure = {group for group, size in groups if not 0 < size <= limit}
    required = [not feature.nullable for feature in model.signature.features]
    unsure |= {group_of[row] for row in chain(suspects(table, required), exceptions_by_row)}
    wrong = set()
    for group in sorted(unsure):
        begin, end = ends[group] - sizes[group], ends[group]
        own = [exceptions_by_row.get(row, instance) for row, instance in enumerate(table[begin:end].tolist(), begin)]
        try:
            table[begin:end] = validator.rows(own)
        except Exception as error:
            faults.append(GroupFault(group, error, isinstance(error, INPUT_ERRORS)))
            wrong.add(group)
    valid = [member for member in groups if member[0] not in wrong] if wrong else groups
    rows = table[[group not in wrong for group in group_of]] if wrong else table
    return valid, rows if validator.prefers_array(len(rows)) else rows.tolist()


def _predict(
    model: "Model", rows: "Rows", groups: "Groups", outputs: "Any", answers: "list[Answers]", faults: "list[GroupFault]"
) -> None:
    """Predict groups together; if that fails, predict each half by itself."""
    try:
        prediction = model.answer(rows, outputs)
    except Exception as error:
        if len(groups) == 1:
            faults.append(GroupFault(groups[0][0], error, isinstance(error, INPUT_ERRORS)))
            return
        half = len(groups) // 2
        cut = sum([size for _, size in groups[:half]])
        _predict(model, rows[:cut], groups[:half], outputs, answers, faults)
        _predict(model, rows[cut:], groups[half:], outputs, answers, faults)
    else:
        answers.append(Answers(groups, prediction))


def _passes(model: "Model") -> bool:
    """Run the model's self-test; one that raises has failed."""
    try:
        return model.passes_self_test()
    except Exception:
        return False


def _to_list(rows: "Rows") -> "list[list[Any]]":
    """Convert validated rows to a list, which they are already unless the engine prefers arrays."""
    listed: list[list[Any]] = rows if isinstance(rows, list) else rows.tolist()
    return listed
