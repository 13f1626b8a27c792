"""Results of statsmodels are packed as the sums that they are; a formula that is code is refused."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.convert.draft import ConversionRefused
from flyweight.toolkit.packing.pack import pack

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": RNG.normal(size=80), "b": RNG.normal(size=80), "c": RNG.choice(["u", "v"], 80)})
Y = FRAME["a"] * 2 - FRAME["b"] + RNG.normal(0, 0.1, 80)
NUMBERS = FRAME[["a", "b"]]


def names_of(packed: Any) -> list[str]:
    return [feature["name"] for feature in model_file.parse(packed.data).document["signature"]["features"]]


@pytest.mark.parametrize("sample", [NUMBERS, sm.add_constant(NUMBERS), None], ids=["without", "with", "no sample"])
def test_a_named_constant_is_no_feature_whether_the_sample_has_it_or_not(sample: Any) -> None:
    results = sm.OLS(Y, sm.add_constant(NUMBERS)).fit()
    packed = pack(results, sample=sample, edge_count=50)
    assert names_of(packed) == ["a", "b"]
    answer = Predictor(model_file.parse(packed.data)).predict([{"a": 1.0, "b": 0.5}]).predictions[0]
    assert answer == pytest.approx(results.predict([[1.0, 1.0, 0.5]])[0], rel=1e-12)


def test_results_without_a_constant_and_of_arrays_take_every_column() -> None:
    assert names_of(pack(sm.OLS(Y, NUMBERS).fit(), sample=NUMBERS, edge_count=50)) == ["a", "b"]
    exog = sm.add_constant(NUMBERS.to_numpy())
    assert len(names_of(pack(sm.WLS(Y.to_numpy(), exog).fit(), sample=exog, edge_count=50))) == 3


def test_results_that_were_pickled_without_their_data_take_the_columns_of_the_sample() -> None:
    exog = sm.add_constant(NUMBERS)
    results = sm.GLM(Y, exog).fit()
    results.remove_data()
    assert names_of(pack(pickle.loads(pickle.dumps(results)), sample=exog, edge_count=50)) == ["const", "a", "b"]


def test_a_formula_of_numeric_columns_is_packed() -> None:
    assert names_of(pack(smf.ols("y ~ b + a", FRAME.assign(y=Y)).fit(), sample=FRAME, edge_count=50)) == ["b", "a"]


@pytest.mark.parametrize("formula", ["y ~ a * b", "y ~ C(c)", "y ~ c + a", "y ~ np.exp(a)", "y ~ I(a > 0)"])
def test_a_formula_that_makes_columns_is_refused(formula: str) -> None:
    with pytest.raises(ConversionRefused, match=r"is code that makes columns.*in the table"):
        pack(smf.ols(formula, FRAME.assign(y=Y)).fit(), sample=FRAME)


def test_other_results_are_refused_by_the_name_of_their_model() -> None:
    classes = np.digitize(Y, [-1.0, 1.0])
    with pytest.raises(ConversionRefused, match=r"statsmodels\.MNLogit: .*known are GLM, OLS"):
        pack(sm.MNLogit(classes, NUMBERS[["b"]]).fit(disp=0), sample=NUMBERS[["b"]])
    with pytest.raises(ConversionRefused, match="link Probit has no conversion"):
        family = sm.families.Binomial(sm.families.links.Probit())
        pack(sm.GLM((Y > 0).astype(float), RNG.normal(size=(80, 1)), family=family).fit(), sample=NUMBERS[["b"]])
