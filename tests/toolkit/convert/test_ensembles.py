"""Bagged trees are one forest, whose answers are those of the ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from flyweight import pack
from flyweight.models import file as model_file
from flyweight.predictor import Predictor

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 6))
LABELS = RANDOM.choice(["a", "b", "rare"], 300, p=[0.6, 0.38, 0.02])
VALUES = X[:, 0] * 3 + X[:, 1] ** 2
BAGS: dict[str, tuple[Any, Any]] = {
    "some features of each": (
        BaggingClassifier(ExtraTreeClassifier(), 20, max_features=0.5, bootstrap_features=True, random_state=0),
        LABELS,
    ),
    "members without the rare class": (BaggingClassifier(DecisionTreeClassifier(), 9, max_samples=0.05, random_state=0), LABELS),
    "values": (BaggingRegressor(n_estimators=9, max_features=3, random_state=0), VALUES),
}


def packed(estimator: Any) -> Predictor:
    return Predictor(model_file.parse(pack(estimator, sample=X[:50], edge_count=30, name="bag").data))


@pytest.mark.parametrize("name", BAGS)
def test_bagged_trees_are_one_forest(name: str) -> None:
    bag, y = BAGS[name]
    bag.fit(X, y)
    model = packed(bag)
    nodes = model.file.document["plan"]["nodes"]
    assert [node["op"] for node in nodes].count("trees.sum") == 1
    found = model.predict(X)
    assert found.predictions == bag.predict(X).tolist()
    if found.probabilities is not None:
        assert found.probabilities == bag.predict_proba(X).tolist()


def test_bagged_trees_that_leave_out_a_column_keep_their_own_columns() -> None:
    bag = BaggingRegressor(n_estimators=2, max_features=1, random_state=0).fit(X, VALUES)
    model = packed(bag)
    assert [node["op"] for node in model.file.document["plan"]["nodes"]].count("trees.sum") == 2
    assert model.predict(X).predictions == bag.predict(X).tolist()
