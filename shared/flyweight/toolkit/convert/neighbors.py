"""Nearest neighbors: the training rows travel with the model, with the tree in which scikit-learn seeks."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.outliers import judged

Array = np.ndarray[Any, Any]
METRICS = ("euclidean", "manhattan", "chebyshev", "minkowski")
ALSO = {"l1": "manhattan", "cityblock": "manhattan", "l2": "euclidean", "infinity": "chebyshev", "p": "minkowski"}


@converts("sklearn.KNeighborsClassifier", "sklearn.RadiusNeighborsClassifier")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The classes' shares among the neighbors."""
    order, arrays, parameters = _search(estimator, draft, exact=estimator.weights == "distance")
    classes = estimator.classes_ if estimator.outputs_2d_ else [estimator.classes_]
    widths = [len(of_output) for of_output in classes]
    labels = np.asarray(estimator._y).reshape(len(order), len(widths)) + np.cumsum([0, *widths[:-1]])
    arrays["labels"] = labels[order]
    if "radius" in arrays and estimator.outlier_label_ is not None:
        known = zip(classes, estimator.outlier_label_, strict=True)
        lonely = np.concatenate([np.asarray(of_output == label, dtype=float) for of_output, label in known])
        if lonely.sum() != len(widths):
            helps = "its outlier_label is none of its classes; give it the label of a class"
            raise ConversionRefused(draft.path, type(estimator).__name__, helps)
        arrays["lonely"] = lonely
    parameters["weights"] = _weights(estimator, draft)
    shares = draft.add("neighbors.votes", x, columns=sum(widths), arrays=arrays, widths=widths, **parameters)
    return {"index": draft.add("labels.argmax", shares, columns=len(widths), widths=widths), "probabilities": shares}


@converts("sklearn.KNeighborsRegressor", "sklearn.RadiusNeighborsRegressor")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The mean of the neighbors' targets."""
    order, arrays, parameters = _search(estimator, draft, exact=estimator.weights == "distance")
    arrays["targets"] = np.asarray(estimator._y, dtype=float).reshape(len(order), -1)[order]
    if "radius" in arrays:  # among whole numbers NaN becomes one of them, and the estimator answers that
        with np.errstate(invalid="ignore"):
            arrays["lonely"] = np.full_like(np.asarray(estimator._y).reshape(len(order), -1)[0], np.nan).astype(float)
    parameters["weights"] = _weights(estimator, draft)
    return {"values": draft.add("neighbors.mean", x, columns=arrays["targets"].shape[1], arrays=arrays, **parameters)}


@converts("sklearn.LocalOutlierFactor")
def outlier_factor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """-1 where training rows lie denser among themselves than around the row."""
    if not estimator.novelty:
        raise ConversionRefused(draft.path, "LocalOutlierFactor", "it judges no new rows; fit it with novelty=True")
    order, arrays, parameters = _search(estimator, draft, exact=True)
    arrays["reach"] = np.asarray(estimator._distances_fit_X_, dtype=float)[:, estimator.n_neighbors_ - 1][order]
    arrays["density"] = np.asarray(estimator._lrd, dtype=float)[order]
    arrays["offset"] = np.zeros(1)
    parameters["k"] = estimator.n_neighbors_
    return judged(draft.add("neighbors.outlier_factor", x, columns=1, arrays=arrays, **parameters), estimator, draft)


def _weights(estimator: Any, draft: Draft) -> str:
    if estimator.weights not in ("uniform", "distance", None):
        raise ConversionRefused(draft.path, type(estimator).__name__, "its weights are a function; use 'uniform' or 'distance'")
    return estimator.weights or "uniform"


def _search(estimator: Any, draft: Draft, *, exact: bool) -> tuple[Array, dict[str, Any], dict[str, Any]]:
    """The order of the points, and the arrays and parameters of the search; `exact` where distances enter the answer."""
    cls, metric, way = type(estimator).__name__, estimator.effective_metric_, estimator._fit_method
    metric = ALSO.get(metric, metric)
    points = np.asarray(estimator._fit_X.toarray() if hasattr(estimator._fit_X, "toarray") else estimator._fit_X)
    if metric not in METRICS or (estimator.effective_metric_params_ or {}).get("w") is not None:
        raise ConversionRefused(draft.path, cls, f"its metric is none of {', '.join(METRICS)} without weights")
    if way == "ball_tree" or (way == "brute" and exact) or points.dtype != np.float64:
        helps = "its distances can't be followed to the last bit; fit it on float64 with algorithm='kd_tree'"
        raise ConversionRefused(draft.path, cls, helps)
    order, arrays = np.arange(len(points)), {}
    if way == "kd_tree":
        _, order, nodes, bounds = (np.asarray(part) for part in estimator._tree.get_arrays())
        arrays = {
            "leaf": nodes["is_leaf"].astype(np.uint8),
            "begins": nodes["idx_start"],
            "ends": nodes["idx_end"],
            "lower": bounds[0],
            "upper": bounds[1],
        }
    arrays["points"] = points[order]
    if metric == "minkowski":
        arrays["power"] = np.array([float(estimator.effective_metric_params_.get("p", 2.0))])
    if cls.startswith("Radius"):
        arrays["radius"] = np.array([float(estimator.radius)])
        return order, arrays, {"metric": metric}
    return order, arrays, {"metric": metric, "k": int(estimator.n_neighbors)}
