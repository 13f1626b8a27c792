"""The Python API: `flyweight.load(path).predict(...)`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import flyweight
from tests import fitted
from tests.ops.hostile import predictor


def test_a_loaded_model_answers_tables_lists_and_objects_alike(penguins: Path) -> None:
    estimator, X = fitted.penguins()
    model = flyweight.load(str(penguins))
    whole = model.predict(X)
    assert whole.predictions == estimator.predict(X).tolist()
    np.testing.assert_allclose(whole.probabilities, estimator.predict_proba(X), rtol=0, atol=1e-12)
    lists = [[None if cell != cell else cell for cell in row] for row in X.head(20).astype(object).to_numpy().tolist()]
    assert model.predict(lists).predictions == whole.predictions[:20]
    assert model.predict(X.head(20).to_dict("records")).predictions == whole.predictions[:20]
    assert "penguins 1.0.0, classification, 7 features" in repr(model)


def test_a_program_may_ask_for_more_rows_than_a_request(penguins: Path) -> None:
    _, X = fitted.penguins()
    assert len(flyweight.load(str(penguins)).predict(X.to_dict("records") * 40).predictions) == 344 * 40


def test_numpy_arrays_are_instances() -> None:
    take = {"op": "columns.take", "inputs": ["input"], "output": "y", "positions": [1]}
    assert predictor([take], "y").predict(np.array([[1.0, 2.0], [3.0, 4.0]])).predictions == [2.0, 4.0]


def test_a_wrong_instance_is_an_invalid_input(penguins: Path) -> None:
    with pytest.raises(flyweight.InvalidInput, match="instance 0"):
        flyweight.load(str(penguins)).predict([[1, 2]])


def test_an_absent_file_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        flyweight.load("absent.safetensors")


def test_public_names_exist() -> None:
    for name in flyweight.__all__:
        assert getattr(flyweight, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = flyweight.nothing
