"""Convert products of features (PolynomialFeatures)."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value


@converts("sklearn.PolynomialFeatures")
def polynomial(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to terms in the order of `powers_`: each is its first feature times the term of the rest, as in scikit-learn."""
    powers = [tuple(int(feature) for feature in np.repeat(np.arange(len(row)), row)) for row in estimator.powers_]
    # a lowest degree above one leaves out terms from which the higher ones are built: they are computed, then dropped
    needed = sorted({c[start:] for c in powers for start in range(len(c))}, key=lambda c: (len(c), c))
    place = {combination: position for position, combination in enumerate(needed, start=int(estimator.include_bias))}
    arrays = {
        "parent": np.array([place[c[1:]] if len(c) > 1 else -1 for c in needed], dtype=np.int32),
        "factor": np.array([c[0] for c in needed], dtype=np.int32),
    }
    bias = bool(estimator.include_bias)
    y = draft.add("polynomial.expand", x, columns=len(needed) + int(bias), arrays=arrays, bias=bias)
    return {"transform": draft.take(y, [place[c] if c else 0 for c in powers])}
