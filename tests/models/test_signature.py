"""The signature of a model file: what it says of each feature, also in files of before, and hostile ones are refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import ModelRefused
from flyweight.models.signature import UNRECORDED, Signature


def signature(feature: dict[str, Any] | None = None, **more: Any) -> Signature:
    features = [{"name": "a", "kind": "string", "nullable": True, **(feature or {})}]
    return Signature.of({"signature": {"task": "regression", "features": features, "outputs": 1, **more}})


def test_a_file_of_before_reads_the_words_that_its_reader_knew() -> None:
    read = signature()
    assert read.features[0].missing == UNRECORDED == {"", "NA", "NaN", "nan", "null", "None"}
    assert read.unknown == "error" and read.features[0].zone == "none"


def test_a_feature_has_its_own_missing_texts_or_those_of_the_signature() -> None:
    assert signature(missing=["?"]).features[0].missing == {"?"}
    assert signature({"missing": ["-"]}, missing=["?"]).features[0].missing == {"-"}
    assert signature({"missing": []}, missing=["?"]).features[0].missing == frozenset()


def test_datetimes_and_unread_features_are_numbers_to_a_plan() -> None:
    assert signature({"kind": "datetime", "zone": "UTC"}).kinds == "n"
    unread = signature({"kind": "unread", "nullable": False})
    assert unread.kinds == "n" and unread.features[0].nullable


HOSTILE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": "date"}, {}),
    ({"kind": ["datetime"]}, {}),
    ({"kind": "datetime", "zone": "Europe/Berlin"}, {}),
    ({"kind": "datetime", "zone": None}, {}),
    ({"kind": "datetime", "zone": ["UTC"]}, {}),
    ({"zone": "UTC"}, {}),
    ({"missing": "NA"}, {}),
    ({"missing": [1]}, {}),
    ({"missing": ["x"] * 1001}, {}),
    ({"missing": {"NA": 1}}, {}),
    ({}, {"missing": [None]}),
    ({}, {"missing": False}),
    ({}, {"unknown": "drop"}),
    ({}, {"unknown": None}),
    ({}, {"unknown": ["ignore"]}),
]


@pytest.mark.parametrize(("feature", "more"), HOSTILE)
def test_hostile_values_are_refused(feature: dict[str, Any], more: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        signature(feature, **more)


ANY = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3))


@given(feature=st.dictionaries(st.sampled_from(["kind", "zone", "missing", "nullable"]), ANY), unknown=ANY, missing=ANY)
def test_any_values_are_a_signature_or_refused(feature: dict[str, Any], unknown: Any, missing: Any) -> None:
    try:
        read = signature(feature, unknown=unknown, missing=missing)
    except ModelRefused:
        return
    assert read.unknown in ("error", "ignore") and all(type(word) is str for word in read.features[0].missing)
