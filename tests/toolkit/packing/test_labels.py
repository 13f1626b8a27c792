"""Labels that JSON can't hold are answered as text, or refused by name."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.convert.draft import ConversionRefused
from flyweight.toolkit.packing.labels import classes_in_json, json_labels
from flyweight.toolkit.packing.pack import pack

X = np.arange(40.0).reshape(20, 2)
SECOND = (X[:, 0] > 20).astype(int)


def packed(labels: Any) -> Any:
    return pack(DecisionTreeClassifier().fit(X, np.asarray(labels)[SECOND]), sample=X, edge_count=50)


@pytest.mark.parametrize(
    ("labels", "texts"),
    [
        (np.array(["2020-01-01", "2021-06-30"], dtype="datetime64[D]"), ["2020-01-01", "2021-06-30"]),
        (np.array(["2020-01-01T10:30", "2021-01-01"], dtype="datetime64[s]"), ["2020-01-01T10:30:00", "2021-01-01T00:00:00"]),
        (np.array(["2020-01-01T00:00:00.25", "2021-01-01"], dtype="datetime64[ms]"), ["2020-01-01T00:00:00.250"]),
    ],
)
def test_datetimes_are_answered_as_iso_text(labels: Any, texts: list[str]) -> None:
    model = Predictor(model_file.parse(packed(labels).data))
    assert model.signature.classes is not None and model.signature.classes[0][: len(texts)] == texts
    assert model.predict([[0.0, 1.0]]).predictions == [texts[0]]


@pytest.mark.parametrize(
    ("labels", "helps"),
    [
        (np.array([b"no", b"yes"]), r"type bytes \(b'no'\).*numpy.char.decode"),
        (np.array([1, 2], dtype="timedelta64[D]"), r"type timedelta.*total_seconds"),
    ],
)
def test_other_labels_are_refused_by_their_type_with_what_helps(labels: Any, helps: str) -> None:
    with pytest.raises(ConversionRefused, match=helps):
        packed(labels)


@given(st.lists(st.one_of(st.datetimes(), st.dates()), min_size=1, max_size=5))
def test_text_of_a_datetime_is_read_back_as_the_same_moment(days: list[Any]) -> None:
    kinds = {type(day) for day in days}
    if len(kinds) > 1:
        days = [datetime(day.year, day.month, day.day) if type(day) is date else day for day in days]
    read = date.fromisoformat if type(days[0]) is date else datetime.fromisoformat
    assert [read(text) for text in json_labels(np.array(days, dtype=object)).tolist()] == days


@given(st.lists(st.one_of(st.text(), st.integers(-(2**60), 2**60), st.booleans()), max_size=5))
def test_labels_that_json_holds_stay_as_they_are(labels: list[Any]) -> None:
    assert classes_in_json(np.array(labels, dtype=object), "Model") == labels


def test_a_label_with_half_of_a_surrogate_pair_is_refused_by_name() -> None:
    with pytest.raises(ConversionRefused, match=r"its label '\\ud800' is no text of Unicode"):
        packed(["\ud800", "b"])
