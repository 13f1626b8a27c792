"""Couple the decision values of all pairs of classes into the probabilities of a support vector machine.

Source: `sigmoid_predict`, `multiclass_probability` and `svm_predict_probability` of libsvm as scikit-learn 1.9 carries it
(`sklearn/svm/src/libsvm/svm.cpp`): the method of Wu, Lin and Weng.
"""

from _operator import add
from functools import reduce
from math import exp, inf, nan

from flyweight.ops.kernels import OfPairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

MIN_SHARE = 1e-7


class Coupled(OfPairs):
    """Probabilities of the classes: each value `v` gives its pair's share `1 / (1 + exp(slope v + offset))`.

    An iteration couples the shares of all pairs.

    :raises ModelRefused: `slopes` or `offsets` does not have one number a pair of classes.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        node.takes(10 * self._classes**2 + max(100, self._classes) * self._classes**2 * 4)
        self._slopes = list(zip(node.floats("slopes", len(self._pairs)), node.floats("offsets", len(self._pairs)), strict=True))

    def row(self, x: "list[float]") -> "list[float]":
        """Return one probability a class."""
        count = self._classes
        shares = [[0.0] * count for _ in range(count)]
        for v, (slope, offset), (i, j) in zip(x, self._slopes, self._pairs, strict=True):
            shares[i][j] = min(max(_share(v * slope + offset), MIN_SHARE), 1.0 - MIN_SHARE)
            shares[j][i] = 1.0 - shares[i][j]
        try:
            return _coupled(shares, count)
        except ZeroDivisionError:
            return [nan] * count

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        from flyweight.ops._distances import in_blocks

        # of many classes more than fits in the cache: of a single row each operation would take the time of many
        return in_blocks(x, min(self._classes**2, 1024), self._block)

    def _block(self, x: "Any") -> "Any":
        import numpy as np

        shares = np.zeros((self._classes, self._classes, len(x)))
        for v, (slope, offset), (i, j) in zip(x.T, self._slopes, self._pairs, strict=True):
            v = v * slope + offset
            e = np.exp(-np.abs(v))
            shares[i, j] = np.clip(np.where(v >= 0.0, e, 1.0) / (1.0 + e), MIN_SHARE, 1.0 - MIN_SHARE)
            shares[j, i] = 1.0 - shares[i, j]
        return _all_coupled(shares, self._classes).T


def _share(v: float) -> float:
    e = exp(-abs(v)) if abs(v) < inf else (0.0 if v == v else nan)
    return e / (1.0 + e) if v >= 0.0 else 1.0 / (1.0 + e)


def _coupled(r: "list[list[float]]", k: int) -> "list[float]":
    """Couple shares into probabilities: `r[i][j]` is the share of class i of k against class j."""
    p = [1.0 / k] * k
    q = [[-r[j][t] * r[t][j] for j in range(k)] for t in range(k)]
    for t in range(k):
        q[t][t] = 0.0
        for j in range(k):
            if j != t:
                q[t][t] += r[j][t] * r[j][t]
    for _ in range(max(100, k)):
        qp = [_dot(row, p) for row in q]
        pqp = _dot(p, qp)
        if not max(abs(v - pqp) for v in qp) >= 0.005 / k:
            break
        for t in range(k):
            diff = (-qp[t] + pqp) / q[t][t]
            p[t] += diff
            pqp = (pqp + diff * (diff * q[t][t] + 2 * qp[t])) / (1 + diff) / (1 + diff)
            for j in range(k):
                qp[j] = (qp[j] + diff * q[t][j]) / (1 + diff)
                p[j] /= 1 + diff
    return p


def _dot(a: "list[float]", b: "list[float]") -> float:
    """Add the products one after the other, as libsvm does: the last bit can decide whether another iteration follows."""
    whole = 0.0
    for v, w in zip(a, b, strict=True):
        whole += v * w
    return whole


def _all_coupled(r: "Any", k: int) -> "Any":
    """Couple the shares of many rows, the last axis, in the same order of operations; each row stops when it is near enough."""
    import numpy as np

    shares = np.full((k, r.shape[2]), 1.0 / k)
    q = -np.swapaxes(r, 0, 1) * r
    for t in range(k):
        q[t, t] = reduce(add, [r[j, t] * r[j, t] for j in range(k) if j != t])
    live = np.arange(r.shape[2])
    for _ in range(max(100, k)):
        p = shares[:, live]
        qp = reduce(add, [q[:, j] * p[j] for j in range(k)])
        pqp = reduce(add, [p[t] * qp[t] for t in range(k)])
        going = np.abs(qp - pqp).max(axis=0) >= 0.005 / k
        if not going.any():
            break
        live, p, q, qp, pqp = live[going], p[:, going], q[:, :, going], qp[:, going], pqp[going]
        for t in range(k):
            diff = (-qp[t] + pqp) / q[t, t]
            p[t] += diff
            pqp = (pqp + diff * (diff * q[t, t] + 2 * qp[t])) / (1 + diff) / (1 + diff)
            qp = (qp + diff * q[t]) / (1 + diff)
            p /= 1 + diff
        shares[:, live] = p
    return shares


OPS = {"shares": Coupled}
