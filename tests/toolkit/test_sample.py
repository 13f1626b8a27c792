"""A table goes to instances and back to what the estimator takes, dtypes and missing markers included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from flyweight.toolkit.sample import SampleRefused, frame_of, kind_of, names_of, shape_of


class Fitted:
    """An estimator, as far as its features go."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


FRAME = pd.DataFrame(
    {
        "whole": [1, 2, 3],
        "half": [0.5, np.nan, 1.5],
        "word": pd.Series(["a", None, "b"], dtype=object),
        "flag": [True, False, True],
        "kind": pd.Categorical(["x", "y", None]),
    }
)
NAMES = list(FRAME.columns)


def test_kinds_are_told_from_values() -> None:
    shape = shape_of(Fitted(feature_names_in_=NAMES), FRAME, NAMES, set())
    assert shape.kinds == ["number", "number", "string", "boolean", "string"]
    assert shape.markers[2] is None and shape.markers[4] != shape.markers[4]


def test_a_frame_survives_the_way_there_and_back() -> None:
    shape = shape_of(Fitted(feature_names_in_=NAMES), FRAME, NAMES, set())
    rows = shape.to_rows(FRAME)
    assert rows[0] == [1.0, 0.5, "a", 1.0, "x"] and rows[1][2] is None
    pd.testing.assert_frame_equal(shape.to_estimator(rows), FRAME)


def test_values_that_a_column_never_held_change_its_dtype_and_not_themselves() -> None:
    shape = shape_of(Fitted(feature_names_in_=NAMES), FRAME, NAMES, set())
    frame = shape.to_estimator([[1.5, 1.0, "zzz", float("nan"), "new"]])
    assert frame["whole"].tolist() == [1.5] and frame["flag"].isna().all()
    assert frame["kind"].tolist() == ["new"] and isinstance(frame["kind"].dtype, pd.CategoricalDtype)


def test_arrays_stay_arrays() -> None:
    X = np.array([[1.0, 2.0], [3.0, np.nan]])
    shape = shape_of(Fitted(n_features_in_=2), X, ["x0", "x1"], set())
    np.testing.assert_array_equal(shape.to_estimator(shape.to_rows(X)), X)
    mixed = np.array([["a", 1.0], [None, 2.0]], dtype=object)
    shape = shape_of(Fitted(n_features_in_=2), mixed, ["x0", "x1"], set())
    assert shape.kinds == ["string", "number"]
    assert shape.to_estimator(shape.to_rows(mixed)).tolist() == mixed.tolist()


def test_names_come_from_the_estimator_then_the_sample_then_nowhere() -> None:
    assert names_of(Fitted(feature_names_in_=["a"]), None) == ["a"]
    assert names_of(Fitted(n_features_in_=2), pd.DataFrame({"p": [1], "q": [2]})) == ["p", "q"]
    assert names_of(Fitted(n_features_in_=2), None) == ["x0", "x1"]
    assert names_of(Fitted(), [[1, 2, 3]]) == ["x0", "x1", "x2"]
    assert names_of(Fitted(steps=[("a", "passthrough"), ("b", Fitted(n_features_in_=4))]), None) == ["x0", "x1", "x2", "x3"]
    with pytest.raises(SampleRefused, match="give a sample"):
        names_of(Fitted(), None)
    with pytest.raises(SampleRefused, match=r"a table of rows and features, this one has shape \(3,\)"):
        names_of(Fitted(), [1, 2, 3])
    with pytest.raises(SampleRefused, match="fitted on 2 features, the sample has 1"):
        names_of(Fitted(n_features_in_=2), pd.DataFrame({"p": [1]}))


def test_sparse_tables_are_taken() -> None:
    from scipy.sparse import csr_array

    assert frame_of(csr_array([[1.0, 0.0]]), ["a", "b"]).to_numpy().tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("values", [[1, "x"], [True, 1], [b"x"], [pd.Timestamp("2020-01-01")]])
def test_a_column_of_several_or_other_kinds_is_refused(values: list[Any]) -> None:
    with pytest.raises(SampleRefused, match="one kind"):
        kind_of(pd.Series(values, dtype=object, name="c"))


def test_a_column_without_any_value_counts_as_numbers() -> None:
    assert kind_of(pd.Series([None, np.nan], dtype=object)) == "number"
