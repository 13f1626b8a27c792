"""A name that no feature has is compared with the features it may mean, in a time that does not grow with their number."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import InvalidInput, MalformedRequest
from flyweight.models.names import FeatureNames
from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.settings import Limits


def names_of(*names: str, kind: str = "number") -> FeatureNames:
    return FeatureNames([Feature(name, kind, False) for name in names])


def hints(names: Any, features: FeatureNames, ignores: bool = False) -> list[tuple[Any, Any]]:
    return [(fault.feature, fault.hint) for fault in features.faults(names, ignores)]


WIDE = names_of(*[f"sensor_reading_{number:05d}" for number in range(800)])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("incme", "income"),
        ("Income", "income"),
        ("INCOME ", "income"),
        ("houseAge", "house_age"),
        ("house-age", "house_age"),
        ("house age (years)", "house_age"),
        ("zpi", "zip"),
        ("bill_lenght_mm", "bill_length_mm"),
        ("bill_depth_mm2", "bill_depth_mm"),
    ],
)
def test_a_misspelt_name_is_told_what_it_may_mean(name: str, meant: str) -> None:
    features = names_of("income", "house_age", "zip", "bill_length_mm", "bill_depth_mm", "longitude")
    others = [known for known in features.known if known != meant]
    assert hints([name, *others], features) == [(name.strip("'"), f"did you mean {meant!r}?")]


@pytest.mark.parametrize("name", ["zzzz", "x", "quantity of rainfall", "", "\0", "é" * 50, "a" * 1_000_000])
def test_a_name_that_resembles_none_lists_the_features(name: str) -> None:
    ((_, hint),) = hints(["income", "zip", name], names_of("income", "zip"))
    assert "features are income, zip" in hint or (not name and "without a name" in hint)


def test_a_name_among_hundreds_is_found_by_what_few_of_them_have() -> None:
    for number in (0, 555, 799):
        given_names = [name for name in WIDE.known if name != f"sensor_reading_{number:05d}"]
        wrong = f"plant_sensor_reading_{number:05d}"
        assert hints([*given_names, wrong], WIDE) == [(wrong, f"did you mean 'sensor_reading_{number:05d}'?")]


def test_a_name_means_one_that_is_missing() -> None:
    features = names_of("day_1", "day_2")
    assert hints(["day_1", "day_3"], features) == [("day_3", "did you mean 'day_2'?")]


def test_where_unknown_names_are_ignored_the_missing_feature_says_which_is_there() -> None:
    features = names_of("income", "zip")
    assert hints({"zip": 1, "incme": 1}, features, ignores=True) == [
        ("income", "there is 'incme', which this model does not know")
    ]
    assert hints({"zip": 1, "income": 1, "incme": 1}, features, ignores=True) == []


def test_few_faults_are_made_of_many_names() -> None:
    many = {f"f{number}": 1 for number in range(100_000)}
    assert len([*WIDE.faults(many)]) <= 60
    assert len([*WIDE.faults({})]) <= 40


class Counting(dict[str, int]):
    """An instance that counts the names that are looked at."""

    looked = 0

    def __contains__(self, name: object) -> bool:
        self.looked += 1
        return super().__contains__(name)


def test_an_empty_instance_costs_no_look_at_every_feature() -> None:
    empty = Counting()
    assert [*WIDE.faults(empty)] and empty.looked < 100


def test_names_times_features_is_not_the_work() -> None:
    """Twenty times the features and the names: the calls per name stay about the same."""

    def calls(width: int) -> int:
        features = names_of(*[f"sensor_reading_{number:05d}" for number in range(width)])
        instance = {f"plant_sensor_reading_{number:05d}": 1 for number in range(width)}
        [*features.faults(instance)]  # sorts the features by their pieces
        count = 0

        def on_call(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(on_call)
        try:
            [*features.faults(instance)]
        finally:
            sys.setprofile(None)
        return count

    assert calls(2000) < 2 * calls(100)


def test_four_times_the_features_take_about_four_times_the_time() -> None:
    def took(width: int) -> float:
        best = float("inf")
        for _ in range(3):
            validator = Validator(
                Signature("regression", [Feature(f"a{n:06d}b", "number", False) for n in range(width)], 1), Limits()
            )
            began = time.process_time()
            for read in (validator.rows, lambda rows, validator=validator: validator.places([*rows[0]])):
                with pytest.raises(InvalidInput):
                    read([{f"a{number:06d}": 0.5 for number in range(width)}])
            best = min(best, time.process_time() - began)
        return best

    assert took(2000) < 10 * took(500)


@given(
    st.lists(st.text(max_size=12), max_size=30), st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=30, unique=True)
)
def test_any_names_are_told_apart(names: list[str], known: list[str]) -> None:
    for ignores in (False, True):
        faults = [*names_of(*known).faults(names, ignores)]
        expected = {*known} - {*names} or (not ignores and {*names} - {*known})
        assert bool(faults) == bool(expected)


def test_a_column_that_is_there_twice_is_named_if_it_is_a_feature() -> None:
    features = [Feature("a", "number", False), Feature("b", "number", False)]
    validator = Validator(Signature("regression", features, 1), Limits())
    with pytest.raises(MalformedRequest, match="the column name twice: 'a'"):
        validator.places(["a", "b", " a "])
    with pytest.raises(InvalidInput, match="unknown feature"):
        validator.places(["a", "b", "c", "c"])
    ignoring = Validator(Signature("regression", features, 1), Limits(unknown_features="ignore"))
    assert ignoring.places(["c", "b", "c", "a"]) == [3, 1]
