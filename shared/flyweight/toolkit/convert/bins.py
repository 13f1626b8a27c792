"""Convert discretizers (KBinsDiscretizer)."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import convert, converts
from flyweight.toolkit.convert.draft import Column, Draft, Outputs, Value


@converts("sklearn.KBinsDiscretizer")
def k_bins(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the interval of each value among the inner edges, one-hot if it encodes so."""
    inner = [np.asarray(edges, dtype=float)[1:-1] for edges in estimator.bin_edges_]
    for position, edges in enumerate(inner):
        draft.note_edges(x, position, edges)
    starts = np.cumsum([0, *map(len, inner)]).astype(np.int32)
    arrays = {"edges": np.concatenate(inner), "starts": starts}
    columns = [Column(f"bin of {name}") for name in x.names]
    y = draft.add("bins.digitize", x, columns=columns, arrays=arrays)
    return {"transform": y} if estimator.encode == "ordinal" else convert(estimator._encoder, y, draft)
