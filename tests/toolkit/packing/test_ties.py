"""A KNNImputer's row whose nearest training rows are chosen by rounding is a tie: counted, and not a difference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.impute import KNNImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.packing import magnitudes
from flyweight.toolkit.packing.pack import Packed, pack
from flyweight.toolkit.packing.selection import ParityFailed

# all are at the same distance from a row whose first number is 2, and differ in the second
TRAINING = np.array([[1.0, 10.0], [3.0, 20.0], [1.0, 30.0], [3.0, 40.0], [9.0, 50.0], [8.0, 60.0]])
TIED, SETTLED = [2.0, math.nan], [8.6, math.nan]


@pytest.fixture(scope="module")
def packed() -> Packed:
    imputer = KNNImputer(n_neighbors=2).fit(TRAINING)
    return pack(imputer, sample=np.array([TIED, SETTLED, [1.0, 1.0]]), engine="pure", edge_count=200)


def op_of(packed: Packed) -> object:
    return Predictor(model_file.parse(packed.data)).engine.plan.ops[0]


def test_of_rows_equally_near_the_first_in_training_count(packed: Packed) -> None:
    predictor = Predictor(model_file.parse(packed.data))
    assert predictor.answer([TIED]).predictions == predictor.answer([SETTLED, TIED]).predictions[1:] == [[2.0, 15.0]]
    assert packed.parity.holds


def test_a_tie_has_an_infinite_scale_and_another_row_does_not(packed: Packed) -> None:
    nearest = magnitudes.find("imputers.nearest")
    assert nearest is not None
    assert nearest(op_of(packed), TIED) == [math.inf]
    assert nearest(op_of(packed), SETTLED) == [55.0]
    assert nearest(op_of(packed), [1.0, 1.0]) == []


def test_training_rows_with_the_same_value_are_no_tie() -> None:
    same = np.column_stack([TRAINING[:, 0], np.full(6, 7.0)])
    packed = pack(KNNImputer(n_neighbors=2).fit(same), sample=same, engine="pure", edge_count=100)
    nearest = magnitudes.find("imputers.nearest")
    assert nearest is not None and nearest(op_of(packed), TIED) == [7.0]


def test_a_tie_excuses_no_other_row() -> None:
    """A model that answers another way fails, whatever ties its imputer has."""
    model = make_pipeline(KNNImputer(n_neighbors=2), LinearRegression()).fit(TRAINING, TRAINING[:, 0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LinearRegression, "predict", lambda self, X: np.asarray(X)[:, 0] + 1e-6)
        with pytest.raises(ParityFailed):
            pack(model, sample=TRAINING, engine="pure", edge_count=50)
