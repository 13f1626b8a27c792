"""Results of statsmodels: linear models and generalized ones, of tables and arrays, with a constant, without, and by formulas."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import statsmodels.api as sm
import statsmodels.formula.api as smf

from flyweight.toolkit.packing.natives import adopt
from tests.parity.cases import Case
from tests.parity.tables import Table, regression

FAMILY = sm.families
LINK = sm.families.links


def frame() -> Table:
    """Three numeric columns, and a target above zero."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return X[["bmi", "bp", "s5"]] * 10, y / 100.0


def of(model: Callable[..., Any], target: Callable[[Any], Any] = lambda y: y, **options: Any) -> Callable[[], Case]:
    def made() -> Case:
        X, y = frame()
        X = sm.add_constant(X)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a link that does not keep to its family's domain
            return adopt(model(target(y), X, **options).fit()), X

    return made


def glm(family: Any, target: Callable[[Any], Any] = lambda y: y) -> Callable[[], Case]:
    return of(sm.GLM, target, family=family)


def above(y: Any) -> Any:
    return (y > 1.4).astype(float)


def counts(y: Any) -> Any:
    return np.floor(y)


def of_array(constant: bool) -> Callable[[], Case]:
    def made() -> Case:
        X, y = regression()
        X = X[:, 1:4]
        X = sm.add_constant(X) if constant else X
        return adopt(sm.OLS(y, X).fit()), X

    return made


def by_formula() -> Case:
    X, y = frame()
    return adopt(smf.glm("y ~ bmi + bp + s5", X.assign(y=y), family=FAMILY.Poisson()).fit()), X


def regularized() -> Case:
    X, y = frame()
    return adopt(sm.OLS(y, X).fit_regularized(alpha=0.01)), X


FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "statsmodels": {
        "ols": of(sm.OLS),
        "ols-array": of_array(constant=False),
        "ols-array-constant": of_array(constant=True),
        "ols-regularized": regularized,
        "wls": of(sm.WLS, weights=np.linspace(1.0, 2.0, 442)),
        "gls": of(sm.GLS),
        "glsar": of(sm.GLSAR, rho=1),
        "logit": of(sm.Logit, above),
        "poisson": of(sm.Poisson, counts),
        "glm-gaussian": glm(FAMILY.Gaussian()),
        "glm-binomial": glm(FAMILY.Binomial(), above),
        "glm-cloglog": glm(FAMILY.Binomial(LINK.CLogLog()), above),
        "glm-loglog": glm(FAMILY.Binomial(LINK.LogLog()), above),
        "glm-poisson": glm(FAMILY.Poisson()),
        "glm-poisson-sqrt": glm(FAMILY.Poisson(LINK.Sqrt())),
        "glm-gamma": glm(FAMILY.Gamma()),
        "glm-gamma-log": glm(FAMILY.Gamma(LINK.Log())),
        "glm-tweedie": glm(FAMILY.Tweedie(var_power=1.5)),
        "glm-formula": by_formula,
    }
}
