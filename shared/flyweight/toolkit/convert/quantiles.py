"""Convert quantile transformers (QuantileTransformer)."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.ops.quantiles import NEAR, normal
from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Column, Draft, Outputs, Value


@converts("sklearn.QuantileTransformer")
def quantile(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the rank of each value, as a share or as the normal number of that share."""
    quantiles = np.asarray(estimator.quantiles_, dtype=float).T
    arrays = {"quantiles": quantiles, "references": np.asarray(estimator.references_, dtype=float)}
    if estimator.output_distribution == "normal":
        end = NEAR - np.spacing(1)
        arrays["limits"] = np.array([normal(float(end)), normal(float(1 - end))])
    for position, edges in enumerate(quantiles):
        draft.note_edges(x, position, np.unique(edges))
    columns = [Column(f"rank of {name}") for name in x.names]
    return {"transform": draft.add("quantiles.rank", x, columns=columns, arrays=arrays)}
