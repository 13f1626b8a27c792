"""Convert results of statsmodels: a weighted sum, and the inverse of the model's link over it.

Sources: `RegressionModel.predict`, `GLM.predict`, `DiscreteModel.predict` and `genmod.families.links`, statsmodels 0.15.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value

LINEAR = ("OLS", "WLS", "GLS", "GLSAR")
# model -> the link of its mean
MEANS = {**dict.fromkeys(LINEAR, "Identity"), "Logit": "Logit", "Poisson": "Log"}
SUMS = {"Log": "log_linear.mean", "InversePower": "log_linear.reciprocal"}  # link -> the op of its inverse over a sum
# link -> the functions of its inverse, one after the other
INVERSES: dict[str, tuple[str, ...]] = {
    "Identity": (),
    "Logit": ("expit",),
    "Sqrt": ("square",),
    "CLogLog": ("exp", "negative", "exp", "one minus"),
    "LogLog": ("negative", "exp", "negative", "exp"),
    "LogC": ("exp", "one minus"),
}


@converts("statsmodels.Results")
def results(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean; results without one that a plan can hold were refused when they were adopted."""
    constant, link = np.array(estimator.constant_), _link(estimator)
    weights, intercept = estimator.params_[~constant], [estimator.params_[constant].sum()]
    values = draft.affine(x, [weights], intercept, op=SUMS.get(link, "linear.affine"))
    for function in INVERSES.get(link, ()):
        if function == "one minus":
            values = draft.affine(values, [[-1.0]], [1.0])
        else:
            values = draft.add("elementwise.apply", values, columns=1, function=function, takes="any", names=values.names)
    return {"values": values}


def refusal(estimator: Any) -> str | None:
    """Return why results can't be converted, and what would help; None if they can."""
    if estimator.model_ != "GLM" and estimator.model_ not in MEANS:
        models = ", ".join(["GLM", *MEANS])
        return f"its mean is no weighted sum of a row under a link; known are {models}; a GLM is often the same model"
    if estimator.formula_ is not None:
        return (
            f"the formula {estimator.formula_!r} is code that makes columns of others, and a model file holds no code; "
            "make these columns in the table, and fit on them"
        )
    known = [*SUMS, *INVERSES]
    if _link(estimator) not in known:
        return f"the inverse of the link {_link(estimator)} has no conversion; known are {', '.join(known)}"
    return None


def _link(estimator: Any) -> str:
    """Return the name of the link of the mean."""
    return type(estimator.results_.model.family.link).__name__ if estimator.model_ == "GLM" else MEANS[estimator.model_]
