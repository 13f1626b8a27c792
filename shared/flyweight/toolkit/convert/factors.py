"""Convert factorizations into parts that are not negative (NMF)."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value


@converts("sklearn.NMF", "sklearn.MiniBatchNMF")
def factors(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the shares of the parts, as the estimator finds them for one row alone.

    :raises ConversionRefused: it was fitted on float32, or shuffles differently each time.
    """
    cls, parts = type(estimator).__name__, np.asarray(estimator.components_)
    draft.expect_double(estimator, parts)
    draft.alone = True
    draft.positive = draft.positive or (cls == "MiniBatchNMF" and x is draft.input)
    alpha, lasso = parts.shape[1] * float(estimator.alpha_W), float(estimator.l1_ratio)
    arrays: dict[str, Any] = {"parts": parts, "limits": [float(estimator.tol), alpha * lasso, alpha * (1.0 - lasso)]}
    parameters: dict[str, Any] = {"rounds": int(getattr(estimator, "_transform_max_iter", estimator.max_iter))}
    if cls == "NMF" and estimator.solver == "cd":
        if estimator.shuffle:
            arrays["orders"] = _orders(estimator, len(parts), draft)
        return {"transform": draft.add("factors.descent", x, columns=len(parts), arrays=arrays, **parameters)}
    beta = float(estimator._beta_loss)
    gamma = 1.0 / (2.0 - beta) if beta < 1.0 else 1.0 / (beta - 1.0) if beta > 2.0 else 1.0
    arrays["powers"] = [beta, gamma]
    parameters["errors"] = cls == "NMF"
    return {"transform": draft.add("factors.scaling", x, columns=len(parts), arrays=arrays, **parameters)}


def _orders(estimator: Any, count: int, draft: Draft) -> np.ndarray[Any, Any]:
    """Return the order of the parts in each round; the estimator shuffles them anew for each call.

    :raises ConversionRefused: it shuffles differently each time.
    """
    if not isinstance(estimator.random_state, (int, np.integer)):
        helps = "it shuffles differently each time; use shuffle=False, or a whole number as random_state"
        raise ConversionRefused(draft.path, "NMF", helps)
    rng = np.random.RandomState(estimator.random_state)
    return np.array([rng.permutation(count) for _ in range(estimator.max_iter)])
