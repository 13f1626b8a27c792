"""Each change of a signature that a caller would meet is named, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.models import file
from flyweight.toolkit.publishing.signature_changes import changes

FEATURES = [
    {"name": "zip", "kind": "string", "nullable": False, "categories": ["00125", "01067"]},
    {"name": "rooms", "kind": "number", "nullable": True, "range": [1.0, 5.0]},
]


def document(features: Any = FEATURES, classes: Any = (("a", "b"),), **entries: Any) -> dict[str, Any]:
    labels = [[*one] for one in classes]
    signature = {"task": "classification", "features": features, "outputs": len(labels), "classes": labels}
    bounds = {"index": "equal", "probabilities": "1e-12"}
    return {"name": "m", "version": "1", "signature": {**signature, **entries}, "parity": {"bounds": bounds}}


def with_feature(number: int, **entries: Any) -> dict[str, Any]:
    return document([{**feature, **entries} if place == number else feature for place, feature in enumerate(FEATURES)])


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (document(FEATURES[:1]), "features removed: rooms"),
        (
            document([*FEATURES, {"name": "age", "kind": "number", "nullable": True}]),
            "features added, which requests must have: age",
        ),
        (
            document([*FEATURES, {"name": "note", "kind": "unread", "nullable": True}]),
            "features added, which requests may leave out: note",
        ),
        (document(FEATURES[::-1]), "the order of the features, for requests of lists: rooms, zip"),
        (with_feature(0, kind="number", categories=None), "feature 'zip' was a string, and is a number"),
        (with_feature(0, nullable=True), "feature 'zip' may be null now"),
        (with_feature(1, nullable=False), "feature 'rooms' may not be null any more"),
        (document(classes=[["a", "b", "c"]]), "labels added: 'c'"),
        (document(classes=[["a"]]), "labels removed: 'b'"),
        (document(classes=[["b", "a"]]), "the order of the labels, by which probabilities are read: 'b', 'a'"),
        (document(classes=[["a", "b"], ["c", "d"]]), "an answer had 1 value, and has 2 values"),
        (document(unknown="ignore"), "features that the model does not have are ignored now"),
        ({**document(), "parity": {"bounds": {"index": "equal", "scores": "1e-12"}}}, "outputs removed: probabilities"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_is_named(after: dict[str, Any], said: str) -> None:
    assert said in changes(document(), after)


def test_numbers_and_booleans_are_other_labels_than_python_thinks() -> None:
    assert changes(document(classes=[[0, 1]]), document(classes=[[False, True]])) == [
        "labels removed: 0, 1",
        "labels added: False, True",
    ]


def test_a_zone_belongs_to_the_kind() -> None:
    naive = document([{"name": "at", "kind": "datetime", "nullable": False}])
    aware = document([{"name": "at", "kind": "datetime", "nullable": False, "zone": "UTC"}])
    assert changes(naive, aware) == ["feature 'at' was a datetime, and is a datetime in UTC"]


def test_what_was_seen_in_training_and_the_version_are_no_change() -> None:
    after = with_feature(0, categories=["99084"])
    after["signature"]["features"][1] = {**FEATURES[1], "range": [0.0, 9.0]}
    assert changes(document(), {**after, "version": "2"}) == []


def test_a_task_is_a_change() -> None:
    regression = {"task": "regression", "features": FEATURES, "outputs": 1}
    assert "it was a classification, and is a regression" in changes(document(), {**document(), "signature": regression})


names = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=5, unique=True)


@given(names, names, st.sampled_from(["number", "string", "boolean"]))
def test_a_model_never_differs_from_itself_and_two_differ_both_ways(one: list[str], other: list[str], kind: str) -> None:
    first, second = (document([{"name": name, "kind": kind, "nullable": False} for name in each]) for each in (one, other))
    assert changes(first, first) == []
    assert bool(changes(first, second)) == bool(changes(second, first)) == (one != other)


def test_a_packed_model_does_not_differ_from_its_next_version(penguins: Path) -> None:
    packed = file.read(str(penguins)).document
    assert changes(packed, json.loads(json.dumps({**packed, "version": "2.0.0"}))) == []
