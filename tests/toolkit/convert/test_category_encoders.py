"""Encoders over random tables answer as category_encoders does, alone and in any company, whatever they do with odd values."""

from __future__ import annotations

import warnings
from typing import Any

import category_encoders
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyweight.toolkit.convert.draft import ConversionRefused
from flyweight.toolkit.packing.pack import pack

NAMES = [
    "BaseN",
    "Binary",
    "CatBoost",
    "Count",
    "Helmert",
    "JamesStein",
    "LeaveOneOut",
    "OneHot",
    "Ordinal",
    "RankHot",
    "Sum",
    "Target",
]
WORDS = st.sampled_from(["", " ", "a", "b", "NA", "None", "nan", "1", "1.0", "Ü", "-1", "-2"])


@st.composite
def fitted(draw: Any) -> Any:
    """Make an encoder in random options, fitted to a random table of words, numbers and truth values."""
    count = draw(st.integers(4, 25))
    words = draw(st.lists(WORDS, min_size=count, max_size=count))
    if draw(st.booleans()):
        words = [np.nan if word == "b" else word for word in words]
    sizes = draw(st.lists(st.sampled_from([1, 2, -1, -2, 40]), min_size=count, max_size=count))
    x = [float(place) for place in range(count)]
    frame = pd.DataFrame({"x": x, "word": pd.Series(words, dtype=object), "z": x[::-1], "size": sizes})
    name = draw(st.sampled_from(NAMES))
    options: dict[str, Any] = {"cols": draw(st.sampled_from([["word"], ["word", "size"], ["size"]]))}
    if draw(st.booleans()):
        options |= {"handle_unknown": "return_nan", "handle_missing": "return_nan"}
    options |= {"drop_invariant": draw(st.booleans())}
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=count, max_size=count)), dtype=float) + np.arange(count) / 7
    encoder = getattr(category_encoders, f"{name}Encoder")(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return encoder.fit(frame, pd.Series(y)), frame


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fitted())
def test_random_encoders_over_random_tables(case: Any) -> None:
    encoder, frame = case
    packed = pack(encoder, sample=frame, edge_count=60, engine="pure")
    assert packed.parity.holds


def frame_of(words: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"word": pd.Series(words, dtype=object)})


REFUSED: dict[str, tuple[Any, str]] = {
    "columns together": (category_encoders.TargetEncoder(composite_cols=[("word", "other")]), "composite_cols"),
    "a function": (category_encoders.OrdinalEncoder(handle_unknown=lambda value, mapping: -5), "handle_unknown is a function"),
    "hashes": (category_encoders.HashingEncoder(max_process=1), "BinaryEncoder"),
    "items": (category_encoders.MultiHotEncoder(), "CountVectorizer"),
}


@pytest.mark.parametrize(("encoder", "helps"), REFUSED.values(), ids=REFUSED.keys())
def test_what_no_table_holds_is_refused_with_what_helps(encoder: Any, helps: str) -> None:
    frame = frame_of(["a", "b", "a", "c"]).assign(other=["u", "v", "u", "u"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an option of pandas that the encoders still set
        encoder.fit(frame, pd.Series([0.0, 1.0, 1.0, 0.0]))
    with pytest.raises(ConversionRefused, match=helps):
        pack(encoder, sample=frame, engine="pure")


def test_a_missing_value_that_is_answered_by_its_company_is_refused() -> None:
    """LeaveOneOutEncoder gives NaN for a lone None, and the mean for one among others."""
    frame = frame_of(["a", "b", None, "a", None])
    encoder = category_encoders.LeaveOneOutEncoder().fit(frame, pd.Series([0.0, 1.0, 1.0, 0.0, 1.0]))
    with pytest.raises(ConversionRefused, match=r"a lone None in 'word'.*give it NaN"):
        pack(encoder, sample=frame, engine="pure")
    assert pack(encoder, sample=frame.fillna(np.nan), engine="pure", edge_count=50).parity.holds
