"""Probabilities of a support vector machine, from the decision values of all pairs of classes.

Source: `sigmoid_predict`, `multiclass_probability` and `svm_predict_probability` of libsvm as scikit-learn 1.9 carries it
(`sklearn/svm/src/libsvm/svm.cpp`): the method of Wu, Lin and Weng.
"""

from math import exp, inf, nan

from flyweight.ops.kernels import OfPairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node

MIN_SHARE = 1e-7


class Coupled(OfPairs):
    """Each value `v` becomes the share `1 / (1 + exp(slope v + offset))` of its pair; the shares are coupled by iteration."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self._slopes = list(zip(node.floats("slopes", len(self._pairs)), node.floats("offsets", len(self._pairs)), strict=True))

    def row(self, x: "list[float]") -> "list[float]":
        """The probabilities."""
        count = self._classes
        shares = [[0.0] * count for _ in range(count)]
        for v, (slope, offset), (i, j) in zip(x, self._slopes, self._pairs, strict=True):
            shares[i][j] = min(max(_share(v * slope + offset), MIN_SHARE), 1.0 - MIN_SHARE)
            shares[j][i] = 1.0 - shares[i][j]
        try:
            return _coupled(shares, count)
        except ZeroDivisionError:
            return [nan] * count


def _share(v: float) -> float:
    e = exp(-abs(v)) if abs(v) < inf else (0.0 if v == v else nan)
    return e / (1.0 + e) if v >= 0.0 else 1.0 / (1.0 + e)


def _coupled(r: "list[list[float]]", k: int) -> "list[float]":
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
    """One after the other, as libsvm adds: whether another iteration follows can hang on the last bit."""
    whole = 0.0
    for v, w in zip(a, b, strict=True):
        whole += v * w
    return whole


OPS = {"shares": Coupled}
