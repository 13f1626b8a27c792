"""Convert nearest neighbors: the plan holds the training rows, and the tree in which scikit-learn searches them."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.outliers import judged

Array = np.ndarray[Any, Any]
METRICS = (
    *("euclidean", "sqeuclidean", "manhattan", "chebyshev", "minkowski", "seuclidean", "mahalanobis", "haversine"),
    *("canberra", "braycurtis", "hamming", "cosine", "correlation", "nan_euclidean"),
    *("jaccard", "dice", "rogerstanimoto", "russellrao", "sokalmichener", "sokalsneath", "yule"),
)
ALSO = {"l1": "manhattan", "cityblock": "manhattan", "l2": "euclidean", "infinity": "chebyshev", "p": "minkowski"}


@converts("sklearn.KNeighborsClassifier", "sklearn.RadiusNeighborsClassifier")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the classes' shares among the neighbors.

    :raises ConversionRefused: its outlier_label is not a class, its weights are a function, or its metric can't be followed.
    """
    order, arrays, parameters = search(estimator, draft, "inverse" if estimator.weights == "distance" else "order")
    classes = estimator.classes_ if estimator.outputs_2d_ else [estimator.classes_]
    widths = [len(of_output) for of_output in classes]
    labels = np.asarray(estimator._y).reshape(len(order), len(widths)) + np.cumsum([0, *widths[:-1]])
    arrays["labels"] = labels[order]
    if "radius" in arrays and estimator.outlier_label_ is not None:
        known = zip(classes, estimator.outlier_label_, strict=True)
        lonely = np.concatenate([np.asarray(of_output == label, dtype=float) for of_output, label in known])
        if lonely.sum() != len(widths):
            helps = "its outlier_label is not one of its classes; give it the label of a class"
            raise ConversionRefused(draft.path, type(estimator).__name__, helps)
        arrays["lonely"] = lonely
    parameters["weights"] = _weights(estimator, draft)
    shares = draft.add("neighbors.votes", x, columns=sum(widths), arrays=arrays, widths=widths, **parameters)
    return {"index": draft.argmax(shares, widths), "probabilities": shares}


@converts("sklearn.KNeighborsRegressor", "sklearn.RadiusNeighborsRegressor")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of the neighbors' targets.

    :raises ConversionRefused: its weights are a function, or its metric can't be followed.
    """
    order, arrays, parameters = search(estimator, draft, "inverse" if estimator.weights == "distance" else "order")
    arrays["targets"] = np.asarray(estimator._y, dtype=float).reshape(len(order), -1)[order]
    if "radius" in arrays:  # if the targets are whole numbers, NaN becomes one of them, and the estimator answers with it
        with np.errstate(invalid="ignore"):
            arrays["lonely"] = np.full_like(np.asarray(estimator._y).reshape(len(order), -1)[0], np.nan).astype(float)
    parameters["weights"] = _weights(estimator, draft)
    return {"values": draft.add("neighbors.mean", x, columns=arrays["targets"].shape[1], arrays=arrays, **parameters)}


@converts("sklearn.LocalOutlierFactor")
def outlier_factor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to -1 where training rows are denser among themselves than around the row, else 1.

    :raises ConversionRefused: it answers no new rows, or its metric can't be followed.
    """
    if not estimator.novelty:
        raise ConversionRefused(draft.path, "LocalOutlierFactor", "it answers no new rows; fit it with novelty=True")
    order, arrays, parameters = search(estimator, draft, "distance")
    arrays["reach"] = np.asarray(estimator._distances_fit_X_, dtype=float)[:, estimator.n_neighbors_ - 1][order]
    arrays["density"] = np.asarray(estimator._lrd, dtype=float)[order]
    arrays["offset"] = np.zeros(1)
    parameters["k"] = estimator.n_neighbors_
    return judged(draft.add("neighbors.outlier_factor", x, columns=1, arrays=arrays, **parameters), estimator, draft)


def _weights(estimator: Any, draft: Draft) -> str:
    """Return the weights' name.

    :raises ConversionRefused: they are a function.
    """
    if estimator.weights not in ("uniform", "distance", None):
        raise ConversionRefused(draft.path, type(estimator).__name__, "its weights are a function; use 'uniform' or 'distance'")
    return estimator.weights or "uniform"


def search(estimator: Any, draft: Draft, asks: str = "order") -> tuple[Array, dict[str, Any], dict[str, Any]]:
    """Return the order of the points, and the arrays and parameters of the search.

    :param asks: what the answer depends on: the neighbors' "order" alone, their "distance", or one over it, the "inverse".
    :raises ConversionRefused: the metric is a function or a matrix, or its distances can't be followed.
    """
    cls, way, parameters = type(estimator).__name__, estimator._fit_method, estimator.effective_metric_params_ or {}
    metric = estimator.effective_metric_
    metric = ALSO.get(metric, metric) if isinstance(metric, str) else None
    points = np.asarray(estimator._fit_X.toarray() if hasattr(estimator._fit_X, "toarray") else estimator._fit_X)
    if metric not in METRICS:
        raise ConversionRefused(draft.path, cls, f"its metric is a function or a matrix; use one of {', '.join(METRICS)}")
    _expect_followed(metric, way, points, asks, cls, draft)
    order, arrays = np.arange(len(points)), _arrays_of(metric, parameters)
    if way != "brute":
        _, order, nodes, bounds = (np.asarray(part) for part in estimator._tree.get_arrays())
        arrays |= {"leaf": nodes["is_leaf"].astype(np.uint8), "begins": nodes["idx_start"], "ends": nodes["idx_end"]}
        ball = {"centers": bounds[0], "radii": nodes["radius"]}
        arrays |= ball if way == "ball_tree" else {"lower": bounds[0], "upper": bounds[1]}
    arrays["points"] = points[order].astype(float)
    if cls.startswith("Radius"):
        arrays["radius"] = np.array([float(estimator.radius)])
        return order, arrays, {"metric": metric}
    return order, arrays, {"metric": metric, "k": int(estimator.n_neighbors)}


def _expect_followed(metric: str, way: str, points: Array, asks: str, cls: str, draft: Draft) -> None:
    """Check that a last bit of the distances makes no other answer, where they are rounded as matrix products are.

    :raises ConversionRefused: it does.
    """
    if way != "brute":
        return
    if points.dtype == np.float32:
        helps = "it compares float32 by brute force; fit it on float64, or with algorithm='kd_tree'"
        raise ConversionRefused(draft.path, cls, helps)
    if metric in ("euclidean", "sqeuclidean", "nan_euclidean"):
        helps = "algorithm='kd_tree' on metric='euclidean' is followed to the last bit"
        draft.hints.append(f"rounding chose among rows at the same distance, by matrix products; {helps}")
    rooted = metric in ("euclidean", "nan_euclidean") and asks != "order"
    if rooted or (asks == "inverse" and metric in ("sqeuclidean", "cosine", "correlation")):
        helps = f"its distances by metric={metric!r} and brute force are differences of matrix products, whose last bits"
        helps += " differ from machine to machine, and change the answer; "
        helps += "use weights='uniform'" if asks == "inverse" else "fit it with algorithm='kd_tree'"
        raise ConversionRefused(draft.path, cls, helps)


def _arrays_of(metric: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the arrays of a metric's parameters."""
    if metric == "minkowski":
        weight = parameters.get("w")
        weights = {} if weight is None else {"weight": np.asarray(weight, dtype=float)}
        return {"power": [float(parameters.get("p", 2.0))], **weights}
    if metric == "seuclidean":
        return {"variances": np.asarray(parameters["V"], dtype=float)}
    if metric == "mahalanobis":
        inverse = parameters.get("VI")
        return {"inverse": np.asarray(np.linalg.inv(parameters["V"]) if inverse is None else inverse, dtype=float)}
    return {}
