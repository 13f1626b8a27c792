"""The rows that a model is called with are its own, in JSON as in CSV; without a sample they are made from the signature."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flyweight.formats import csv
from flyweight.models.signature import Signature
from flyweight.models.validation import Validator
from flyweight.settings import Limits
from flyweight.toolkit.events import instances

FEATURES = [
    {"name": "zip", "kind": "string", "nullable": False, "missing": []},
    {"name": "note", "kind": "string", "nullable": True, "missing": ["NULL", "n/a"]},
    {"name": "area", "kind": "number", "nullable": True, "range": [10.0, 20.0]},
    {"name": "new", "kind": "boolean", "nullable": True},
    {"name": "heating", "kind": "string", "nullable": True, "categories": ["gas", "heat pump"]},
    {"name": "at", "kind": "datetime", "nullable": True},
    {"name": "seen", "kind": "datetime", "nullable": False, "zone": "UTC"},
    {"name": "remark", "kind": "unread", "nullable": True},
]
DOCUMENT: dict[str, Any] = {"signature": {"task": "regression", "features": FEATURES, "outputs": 1}}
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)
rows = st.fixed_dictionaries(
    {
        "zip": words | st.just(""),
        "note": st.none() | words.filter(lambda text: text.strip() not in ("NULL", "n/a", "")),
        "area": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "new": st.none() | st.booleans(),
        "heating": st.none() | st.sampled_from(["gas", "heat pump"]),
        "at": st.none() | st.datetimes().map(lambda moment: moment.replace(year=2024, day=1).isoformat()),
        "seen": st.just("2024-02-29T12:00:00Z"),
        "remark": st.none(),
    }
)


def validated(given: list[Any]) -> Any:
    return Validator(Signature.of(DOCUMENT), Limits()).rows(given)


@given(st.lists(rows, min_size=1, max_size=3))
def test_the_csv_is_read_as_the_values_of_the_sample(kept: list[dict[str, Any]]) -> None:
    document = {**DOCUMENT, "sample": {"instances": kept}}
    read = csv.parse(instances.text(document, 9), Validator(Signature.of(DOCUMENT), Limits()))
    assert json.dumps(validated(read)) == json.dumps(validated(kept))


def test_an_instance_that_is_made_fits_the_signature() -> None:
    (made,) = instances.instances(DOCUMENT, 5)
    assert made["heating"] == "gas" and made["area"] == 15.0
    assert len(validated([made])[0]) == len(FEATURES)
    assert json.loads(instances.body(DOCUMENT)) == {"instances": [made]}


def test_lists_of_a_sample_become_objects_by_name() -> None:
    document = {
        "signature": {**DOCUMENT["signature"], "features": FEATURES[2:4]},
        "sample": {"instances": [[1.0, True], [2.0, None]]},
    }
    assert instances.instances(document, 2) == [{"area": 1.0, "new": True}, {"area": 2.0, "new": None}]
    assert len(instances.instances(document)) == 1
