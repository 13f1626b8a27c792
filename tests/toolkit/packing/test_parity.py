"""Parity holds for generated estimators and rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler, Normalizer, PolynomialFeatures, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from flyweight.toolkit.packing.pack import pack

FIRST = [StandardScaler, MinMaxScaler, RobustScaler, Normalizer, lambda: PolynomialFeatures(2), lambda: KBinsDiscretizer(3)]
LAST = [
    Ridge,
    lambda: LogisticRegression(max_iter=50),
    lambda: DecisionTreeClassifier(random_state=0),
    lambda: RandomForestClassifier(3, random_state=0),
    lambda: GradientBoostingRegressor(n_estimators=3, random_state=0),
    lambda: HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=1),
]


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_any_pipeline_over_any_table_has_the_same_answers(data: Any) -> None:
    first, last = data.draw(st.sampled_from(FIRST)), data.draw(st.sampled_from(LAST))
    elements = st.one_of(st.integers(-5, 5).map(float), st.floats(-1e6, 1e6, width=32), st.sampled_from([1e-300, -1e-7, 0.1]))
    table = data.draw(hnp.arrays(float, (data.draw(st.integers(8, 20)), data.draw(st.integers(1, 4))), elements=elements))
    target = np.arange(len(table)) % 3
    pipeline: Any = make_pipeline(first(), last()) if "HistGradient" not in repr(last()) else last()
    packed = pack(pipeline.fit(table, target), sample=table, edge_count=60)
    assert packed.parity.holds


def test_the_proof_ends_when_its_time_is_up_and_tells_how_many_rows_it_compared() -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    fitted = LogisticRegression().fit(X, X[:, 0] > 0)
    parity = pack(fitted, sample=X, edge_count=900, budget=0.0).parity
    assert (parity.rows_sample, parity.rows_edge, parity.rows_made) == (40, 200, 900)
    parity = pack(fitted, sample=X, edge_count=900).parity
    assert (parity.rows_sample, parity.rows_edge, parity.rows_made) == (40, 900, 900)
    assert parity.document()["rows_made"] == 900
