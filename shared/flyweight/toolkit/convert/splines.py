"""Convert splines (SplineTransformer)."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value


@converts("sklearn.SplineTransformer")
def spline(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the basis functions of every feature; without `include_bias` the last of each is left out.

    :raises ConversionRefused: its degree is too low for its extrapolation.
    """
    splines = estimator.bsplines_
    degree = int(estimator.degree)
    if degree < {"constant": 1, "linear": 2}.get(estimator.extrapolation, 0):
        helps = f"scikit-learn's own {estimator.extrapolation} extrapolation goes wrong at degree {degree}; use a higher one"
        raise ConversionRefused(draft.path, "SplineTransformer", helps)
    width = splines[0].c.shape[1]
    arrays: dict[str, Any] = {"knots": np.array([spline.t for spline in splines], dtype=float)}
    if estimator.extrapolation == "linear":
        ends = [(s.t[degree], s.t[-degree - 1]) for s in splines]
        arrays["slopes"] = np.array(
            [[s(low, nu=1), s(high, nu=1)] for s, (low, high) in zip(splines, ends, strict=True)], dtype=float
        )
    parameters = {
        "degree": degree,
        "outside": estimator.extrapolation,
        "missing": "zeros" if getattr(estimator, "handle_missing", "error") == "zeros" else "refuse",
        "names": x.names,
    }
    for position, spline in enumerate(splines):
        draft.note_edges(x, position, np.unique(spline.t[degree : len(spline.t) - degree]))
    values = draft.add("splines.basis", x, columns=len(splines) * width, arrays=arrays, **parameters)
    kept = [place for place in range(len(splines) * width) if estimator.include_bias or (place + 1) % width]
    return {"transform": draft.take(values, kept)}
