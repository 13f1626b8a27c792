"""Turn raw scores into probabilities and means by scikit-learn's formulas.

Sources: `LinearClassifierMixin._predict_proba_lr`, `SGDClassifier.predict_proba`, `sklearn.utils.extmath.softmax` and
`sklearn._loss.loss`, scikit-learn 1.9.
"""

from math import exp, fsum, isfinite, log

from flyweight.ops import Over
from flyweight.ops._arithmetic import exp as exp_or_inf
from flyweight.ops._arithmetic import exps, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


def _shares(parts: "list[float]") -> "list[float]":
    """Return the parts over their sum, or equal shares where all are zero, as scikit-learn does for one-vs-rest."""
    whole = total(parts)
    return [part / whole for part in parts] if whole else [1.0 / len(parts)] * len(parts)


def _all_shares(xp: "Any", parts: "Any") -> "Any":
    """Return the shares of each row of an array."""
    whole = xp.sum(parts, axis=1, keepdims=True)
    return xp.where(whole == 0.0, 1.0 / parts.shape[1], parts / whole)


class _Each(Over):
    """An op from n scores to n numbers.

    :raises ModelRefused: there is no score.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        node.expect(self.kinds != "", "takes at least one score")
        node.takes(50 * len(self.kinds) + 50)


class Sigmoid(Over):
    """The probabilities of two classes from one score: `1 - p` and `p = 1 / (1 + exp(-factor * score))`.

    :raises ModelRefused: the input has several columns, or `factor` is neither 1 nor 2.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        node.expect(node.numbers() == 1, "takes one score")
        self._factor = float(node.choice("factor", (1, 2)))
        self.kinds = "nn"

    def row(self, x: "list[float]") -> "list[float]":
        """Return the two probabilities."""
        try:
            p = 1.0 / (1.0 + exp(-self._factor * x[0]))
        except OverflowError:  # C's exp gives infinity where Python's raises
            p = 0.0
        return [1.0 - p, p]

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        p = 1.0 / (1.0 + xp.exp(-(self._factor * x[:, 0])))
        return xp.stack([1.0 - p, p], axis=1)


class Softmax(_Each):
    """`exp(score)` over its sum, shifted by the largest score."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one probability a class."""
        top = max(x)
        parts = [exp(v - top) for v in x]  # at most 1 each, so that neither they nor their sum overflow
        whole = fsum(parts)
        return [part / whole for part in parts]

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        parts = xp.exp(x - xp.max(x, axis=1, keepdims=True))
        return parts / xp.sum(parts, axis=1, keepdims=True)


class OneVsRest(_Each):
    """Each score's sigmoid, over their sum (LIBLINEAR's and SGD's multi-class probabilities)."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one probability a class."""
        return _shares([1.0 / (1.0 + exp_or_inf(-v)) for v in x])

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return _all_shares(xp, 1.0 / (1.0 + xp.exp(-x)))


class ModifiedHuber(_Each):
    """`(clip(score, -1, 1) + 1) / 2`: of one score the probabilities of two classes, of several each over their sum."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self._binary = len(self.kinds) == 1
        self.kinds = "nn" if self._binary else self.kinds

    def row(self, x: "list[float]") -> "list[float]":
        """Return one probability a class."""
        parts = [(min(max(v, -1.0), 1.0) + 1.0) / 2.0 for v in x]
        return [1.0 - parts[0], parts[0]] if self._binary else _shares(parts)

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        parts = (xp.clip(x, -1.0, 1.0) + 1.0) / 2.0
        return xp.stack([1.0 - parts[:, 0], parts[:, 0]], axis=1) if self._binary else _all_shares(xp, parts)


class Exp(_Each):
    """`exp(score)`: the mean under a log link."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one mean a column."""
        return exps(x)

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return xp.exp(x)


class LogSum(_Each):
    """`log(sum(exp(score)))` of all scores, shifted by the largest (`scipy.special.logsumexp`)."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[float]":
        """Return the one logarithm."""
        top = max(x)
        return [top + log(total([exp_or_inf(v - top) for v in x])) if isfinite(top) else top]

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        top = xp.max(x, axis=1, keepdims=True)
        return xp.where(xp.isfinite(top), top + xp.log(xp.sum(xp.exp(x - top), axis=1, keepdims=True)), top)


OPS = {
    "sigmoid": Sigmoid,
    "softmax": Softmax,
    "one_vs_rest": OneVsRest,
    "modified_huber": ModifiedHuber,
    "exp": Exp,
    "log_sum": LogSum,
}
