"""Convert transformers that place a row in the graph of the training rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.neighbors import search
from flyweight.toolkit.convert.pairwise import projected


@converts("sklearn.KNeighborsTransformer", "sklearn.RadiusNeighborsTransformer")
def edges(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a column a training row, zero unless it is a neighbor; with distances there is one neighbor more.

    :raises ConversionRefused: its metric can't be followed.
    """
    lengths = estimator.mode == "distance"
    order, arrays, parameters = search(estimator, draft, "distance" if lengths else "order")
    if "k" in parameters:
        parameters["k"] += int(lengths)
    columns = [Column("edge")] * len(order)
    arrays["places"] = order
    return {"transform": draft.add("graphs.edges", x, columns=columns, arrays=arrays, lengths=lengths, **parameters)}


@converts("sklearn.Isomap")
def isomap(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to shortest paths to all training rows, projected.

    :raises ConversionRefused: it searches within a radius, was fitted on float32, or its metric can't be followed.
    """
    if estimator.n_neighbors is None or estimator.dist_matrix_.dtype != np.float64:
        helps = "it seeks neighbors within a radius, or was fitted on float32; fit it with n_neighbors on float64"
        raise ConversionRefused(draft.path, "Isomap", helps)
    order, arrays, parameters = search(estimator.nbrs_, draft, "distance")
    arrays |= {"places": order, "ways": np.asarray(estimator.dist_matrix_)}
    values = draft.add("graphs.paths", x, columns=len(order), arrays=arrays, **parameters)
    return {"transform": projected(estimator.kernel_pca_, values, draft)}


@converts("sklearn.LocallyLinearEmbedding")
def locally_linear(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the neighbors' mean place, by the weights that best rebuild the row from its neighbors.

    :raises ConversionRefused: its metric can't be followed.
    """
    order, arrays, parameters = search(estimator.nbrs_, draft, "distance")
    parameters["k"] = int(estimator.n_neighbors)
    arrays |= {
        "places": order,
        "embedding": np.asarray(estimator.embedding_, dtype=float)[order],
        "ridge": [float(estimator.reg)],
    }
    width = estimator.embedding_.shape[1]
    return {"transform": draft.add("graphs.barycenter", x, columns=width, arrays=arrays, **parameters)}
