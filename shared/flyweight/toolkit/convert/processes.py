"""Convert Gaussian processes: the mean for regression, the probability for classes; the plan holds the training rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import convert, converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value

MATERN = {0.5: "matern_0.5", 1.5: "matern_1.5", 2.5: "matern_2.5", np.inf: "rbf"}
MAX_PRODUCTS = 1_000_000  # about a tenth of a second
JOINS = {"Sum": "sum", "Product": "product"}


@converts("sklearn.GaussianProcessRegressor")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of the posterior.

    :raises ConversionRefused: its kernel has no conversion, or it was not fitted on float64.
    """
    points = np.asarray(estimator.X_train_)
    if points.dtype.kind not in "fiu" or points.dtype == np.float32:
        raise ConversionRefused(draft.path, "GaussianProcessRegressor", "it was not fitted on float64; fit it on float64")
    words: list[str] = []
    numbers: list[float] = []
    _walk(estimator.kernel_, len(x.columns), words, numbers, draft)
    weights = np.asarray(estimator.alpha_, dtype=float).reshape(len(points), -1).T
    count = len(weights)
    arrays = {
        "weights": weights,
        "points": points.astype(float),
        "numbers": np.array(numbers, dtype=float),
        "multiply": np.broadcast_to(np.ravel(np.asarray(estimator._y_train_std, dtype=float)), (count,)),
        "add": np.broadcast_to(np.ravel(np.asarray(estimator._y_train_mean, dtype=float)), (count,)),
    }
    return {"values": draft.add("processes.mean", x, columns=count, arrays=arrays, kernel=words)}


@converts("sklearn.GaussianProcessClassifier")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one latent process, or to one a class or a pair of classes; an answer costs the square of the training rows.

    :raises ConversionRefused: it takes too many products to answer one row.
    """
    parts = getattr(estimator.base_estimator_, "estimators_", [estimator.base_estimator_])
    work = sum(len(getattr(part, "X_train_", ())) ** 2 for part in parts)
    if work > MAX_PRODUCTS:
        helps = f"it takes {work:,} products to answer one row, which is slow; fit it on fewer rows, or use an SVC"
        raise ConversionRefused(draft.path, "GaussianProcessClassifier", helps)
    with draft.step("base_estimator_"):
        return convert(estimator.base_estimator_, x, draft)


@converts("sklearn._BinaryGaussianProcessClassifierLaplace")
def binary(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the latent mean, and the terms whose squares reduce the variance (algorithm 3.2 of Rasmussen).

    :raises ConversionRefused: the kernel's value of a row with itself differs from row to row, or it was fitted on float32.
    """
    points = np.asarray(estimator.X_train_)
    diagonal = estimator.kernel_.diag(points)
    if points.dtype == np.float32 or np.ptp(diagonal):
        helps = "its kernel's value of a row with itself differs from row to row, or it was fitted on float32; use RBF or Matern"
        raise ConversionRefused(draft.path, "GaussianProcessClassifier", helps)
    words: list[str] = []
    numbers: list[float] = []
    _walk(estimator.kernel_, len(x.columns), words, numbers, draft)
    taken = np.linalg.solve(estimator.L_, np.diag(np.ravel(estimator.W_sr_)))
    weights = np.vstack([np.ravel(estimator.y_train_ - estimator.pi_), taken])
    count = len(weights)
    arrays = {"weights": weights, "points": points.astype(float), "numbers": np.array(numbers, dtype=float)}
    arrays |= {"multiply": np.ones(count), "add": np.zeros(count)}
    latent = draft.add("processes.mean", x, columns=count, arrays=arrays, kernel=words)
    index = draft.add("labels.above", draft.take(latent, [0]), columns=1, inclusive=False)
    return {"index": index, "probabilities": draft.add("latent.share", latent, columns=2, arrays={"diagonal": diagonal[:1]})}


def _walk(kernel: Any, width: int, words: list[str], numbers: list[float], draft: Draft) -> None:
    """Append the kernel's parts in postfix order, and their numbers.

    :raises ConversionRefused: a part has no conversion.
    """
    name = type(kernel).__name__
    own: list[float] = []
    if name in JOINS:
        _walk(kernel.k1, width, words, numbers, draft)
        _walk(kernel.k2, width, words, numbers, draft)
        word = JOINS[name]
    elif name == "Exponentiation":
        _walk(kernel.kernel, width, words, numbers, draft)
        word, own = "power", [kernel.exponent]
    elif name == "ConstantKernel":
        word, own = "constant", [kernel.constant_value]
    elif name == "WhiteKernel":
        word = "white"
    elif name == "DotProduct":
        word, own = "dot", [kernel.sigma_0]
    elif name == "RBF" or (name == "Matern" and kernel.nu in MATERN):
        word = "rbf" if name == "RBF" else MATERN[kernel.nu]
        own = list(np.broadcast_to(np.squeeze(kernel.length_scale), (width,)))
    elif name == "RationalQuadratic":
        word, own = "quadratic", [kernel.alpha, *[kernel.length_scale] * width]
    elif name == "ExpSineSquared":
        word, own = "periodic", [kernel.length_scale, kernel.periodicity]
    else:
        helps = f"its kernel {kernel} can't be converted; a Matern has nu 0.5, 1.5, 2.5 or infinity"
        raise ConversionRefused(draft.path, "GaussianProcessRegressor", helps)
    words.append(word)
    numbers += map(float, own)
