"""Groups of instances are predicted together, and each is answered or refused as if it were alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import INPUT_ERRORS, Fault, FlyweightError, InvalidInput, ModelUnavailable
from flyweight.models import file as model_file
from flyweight.models.isolation import Answers, GroupFault
from flyweight.predictor import Predictor
from flyweight.settings import Limits
from flyweight.values import Prediction
from tests.ops.hostile import document, f64, raw

LIMIT = 40  # instances of a group; a call may have more
FIRST = {"op": "columns.take", "inputs": ["input"], "output": "y", "positions": [0]}
SAMPLE = {"instances": [[2.0, 1.0]], "predictions": [2.0]}


def predictor(engines: list[str], required: bool = True) -> Predictor:
    """A model that answers its first number; the second may not be missing if it is `required`."""
    made = document([FIRST], "y", sample=SAMPLE) | {"engines": engines}
    made["signature"]["features"][1]["nullable"] = not required
    return Predictor(model_file.parse(raw(made)), Limits(max_instances=LIMIT))


MODELS = {"rows": predictor(["pure"]), "arrays": predictor(["pure", "numpy"])}
either = st.sampled_from([*MODELS])

numbers = st.integers(-5, 5).map(float)
good = st.tuples(numbers | st.none(), numbers).map(list)
bad = st.sampled_from([[1.0], [1.0, 2.0, 3.0], [1.0, "x"], [1.0, None], ["x", 1.0], "x", None, 7, {"a": 1.0}, [True, 1.0]])
named = good.map(lambda values: dict(zip("ab", values, strict=True)))
groups_of_lists = st.lists(st.lists(good | good | named | bad, max_size=6) | st.lists(good, max_size=LIMIT + 2), max_size=12)


def alone(model: Predictor, instances: list[Any], outputs: Any = None) -> Prediction | Exception:
    """Predict one group by itself, as a request does."""
    try:
        return model.answer(model.validator.rows(instances), outputs)
    except FlyweightError as error:
        return error


def results(parts: list[Answers], faults: list[GroupFault]) -> dict[int, Any]:
    """Collect each group's own prediction, or its fault, by its number."""
    collected: dict[int, Any] = {}
    for part in parts:
        ends = [*accumulate([size for _, size in part.members])]
        for (group, size), end in zip(part.members, ends, strict=True):
            own = [values[end - size : end] if isinstance(values, list) else values for values in part.prediction[:5]]
            assert group not in collected
            collected[group] = Prediction(*own, part.prediction.classes)
    for fault in faults:
        assert fault.group not in collected
        collected[fault.group] = fault
    return collected


def check(model: Predictor, groups: list[list[Any]], parts: list[Answers], faults: list[GroupFault], outputs: Any = None) -> None:
    """Compare each group's result with that of the group alone."""
    order = [group for part in parts for group, _ in part.members]
    assert order == sorted(order)
    collected = results(parts, faults)
    assert [*sorted(collected)] == [*range(len(groups))]
    for number, instances in enumerate(groups):
        expected, actual = alone(model, instances, outputs), collected[number]
        if isinstance(expected, Prediction):
            assert repr(actual) == repr(expected)  # NaN equals NaN
        else:
            assert actual.final and isinstance(actual.error, INPUT_ERRORS)
            assert (type(actual.error), str(actual.error)) == (type(expected), str(expected))


@given(either, groups_of_lists, st.sampled_from([None, ["predictions"], ["scores"], []]))
def test_groups_of_any_sizes_are_answered_as_if_alone(name: str, groups: list[list[Any]], outputs: Any) -> None:
    model = MODELS[name]
    together = [instance for group in groups for instance in group]
    parts, faults = model.predict_each(together, outputs, [len(group) for group in groups])
    check(model, groups, parts, faults, outputs)


@given(either, st.lists(good | named | bad, max_size=LIMIT + 5))
def test_without_sizes_each_instance_is_a_group(name: str, instances: list[Any]) -> None:
    parts, faults = MODELS[name].predict_each(instances)
    check(MODELS[name], [[instance] for instance in instances], parts, faults)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Any, dict[int, Any], list[int] | None]:
    """Draw an array, the instances that replace some of its rows, and the sizes of its groups or None."""
    sizes = draw(st.none() | st.lists(st.sampled_from([0, 1, 1, 2, 5, 33, LIMIT + 1]), max_size=8))
    rows = sum(sizes) if sizes is not None else draw(st.integers(0, LIMIT + 5))
    dtype = draw(st.sampled_from([np.float64, np.float32, np.int64]))
    table = np.arange(2 * rows, dtype=dtype).reshape(-1, 2) % 11
    if not rows:
        return table, {}, sizes
    if dtype is not np.int64:
        for row in draw(st.lists(st.integers(0, rows - 1), max_size=4)):
            table[row, draw(st.integers(0, 1))] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    exceptions = draw(st.dictionaries(st.integers(0, rows - 1), good | bad | st.just([0.5, 0.25]), max_size=4))
    return table, exceptions, sizes


@given(either, tables())
def test_arrays_with_exceptions_are_answered_as_lists_are(name: str, drawn: tuple[Any, dict[int, Any], list[int] | None]) -> None:
    table, exceptions, sizes = drawn
    before = table.copy()
    model = MODELS[name]
    parts, faults = model.predict_each(table, sizes=sizes, exceptions_by_row=exceptions)
    np.testing.assert_array_equal(table, before)  # it is the caller's
    instances = [exceptions.get(row, values) for row, values in enumerate(table.astype(float).tolist())]
    ends = [*accumulate(sizes)] if sizes is not None else [*range(1, len(instances) + 1)]
    groups = [instances[end - size : end] for size, end in zip(sizes or [1] * len(ends), ends, strict=True)]
    check(model, groups, parts, faults)


@pytest.mark.parametrize("table", [np.ones((3, 3)), np.ones((3, 2), dtype=object), np.ones(3), np.ones((3, 2), dtype=bool)])
def test_another_array_is_answered_or_refused_as_a_list_is(table: Any) -> None:
    model = MODELS["rows"]
    check(model, [[instance] for instance in table.tolist()], *model.predict_each(table))


def test_one_of_the_models_takes_arrays_and_the_other_does_not() -> None:
    many = [[1.0, 2.0]] * LIMIT
    assert {name: model.validator.table(many) is not None for name, model in MODELS.items()} == {"rows": False, "arrays": True}


def test_columns_are_instances() -> None:
    class Columns:
        def __len__(self) -> int:
            return 2

        def tolist(self) -> list[Any]:
            return [[1.0, 2.0], [None, "x"]]

    check(MODELS["rows"], [[[1.0, 2.0]], [[None, "x"]]], *MODELS["rows"].predict_each(Columns()))


@pytest.mark.parametrize("instances", [[], np.empty((0, 2)), np.empty((0, 2), dtype=object)])
@pytest.mark.parametrize("sizes", [None, []])
def test_no_instances_have_no_answers_and_no_faults(instances: Any, sizes: Any) -> None:
    for model in MODELS.values():
        assert model.predict_each(instances, sizes=sizes) == ([], [])


class Failing(Predictor):
    """A model that raises `error` if one of the instances begins with a number of `hated`."""

    hated: frozenset[float] = frozenset()
    error: Exception = ZeroDivisionError("of ours")
    sound: bool | Exception = True
    calls = 0
    self_tests = 0

    def answer(self, rows: Any, outputs: Any = None) -> Prediction:
        self.calls += 1
        if any(row[0] in self.hated for row in rows):
            raise self.error
        return super().answer(rows, outputs)

    def passes_self_test(self) -> bool:
        self.self_tests += 1
        if isinstance(self.sound, Exception):
            raise self.sound
        return self.sound


@pytest.fixture
def failing() -> Callable[..., Failing]:
    """Make a failing model with these attributes."""

    def make(**attributes: Any) -> Failing:
        model = Failing(model_file.parse(raw(document([FIRST], "y", sample=SAMPLE))), Limits(max_instances=1000))
        for name, value in attributes.items():
            setattr(model, name, value)
        return model

    return make


@given(st.sets(st.integers(0, 63), max_size=5))
def test_bad_groups_are_found_by_halves(bad_groups: set[int]) -> None:
    model = Failing(model_file.parse(raw(document([FIRST], "y"))), Limits(max_instances=1000))
    model.hated = frozenset(map(float, bad_groups))
    model.error = InvalidInput(Fault("a number that the model takes", "another one"))
    parts, faults = model.predict_each([[float(number), 0.0] for number in range(64)])
    assert sorted([fault.group for fault in faults]) == sorted(bad_groups)
    assert [group for part in parts for group, _ in part.members] == sorted({*range(64)} - bad_groups)
    assert [value for part in parts for value in part.prediction.predictions or []] == sorted({*range(64)} - bad_groups)
    assert model.calls <= 1 + 12 * len(bad_groups), "one call, and two for each halving"


@pytest.mark.parametrize(
    ("error", "sound", "final", "self_tests"),
    [
        (ZeroDivisionError(), True, True, 1),
        (ZeroDivisionError(), False, False, 1),
        (ZeroDivisionError(), RuntimeError("the self-test"), False, 1),
        (InvalidInput(Fault("a row that the model takes", "another")), False, True, 0),
        (ModelUnavailable("busy"), True, False, 0),
        (MemoryError(), True, False, 0),
        (OSError(28, "No space left on device"), True, False, 0),
    ],
)
def test_an_error_is_final_if_the_group_is_to_blame(
    failing: Callable[..., Failing], error: Exception, sound: Any, final: bool, self_tests: int
) -> None:
    model = failing(hated={1.0, 2.0}, error=error, sound=sound)
    parts, faults = model.predict_each([[float(number), 0.0] for number in range(4)])
    assert [(fault.group, fault.error, fault.final) for fault in faults] == [(1, error, final), (2, error, final)]
    assert [part.members for part in parts] == [[(0, 1)], [(3, 1)]]
    assert model.self_tests == self_tests, "one self-test judges all unexpected errors"


def test_an_unexpected_error_of_the_validation_is_judged_as_well(
    failing: Callable[..., Failing], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = failing()
    rows = model.validator.rows

    def validate(instances: Any) -> Any:
        if [5.0, 5.0] in instances:
            raise ZeroDivisionError
        return rows(instances)

    monkeypatch.setattr(model.validator, "rows", validate)
    for instances in ([[1.0, 1.0], [5.0, 5.0]], f64(1, 1, 5, 5).reshape(2, 2)):
        parts, faults = model.predict_each(instances, exceptions_by_row={1: [5.0, 5.0]})
        assert [part.members for part in parts] == [[(0, 1)]]
        assert [(fault.group, type(fault.error), fault.final) for fault in faults] == [(1, ZeroDivisionError, True)]
