"""From raw scores to probabilities and means, by scikit-learn's formulas.

Sources: `LinearClassifierMixin._predict_proba_lr`, `SGDClassifier.predict_proba`, `sklearn.utils.extmath.softmax` and
`sklearn._loss.loss`, scikit-learn 1.9.
"""

from math import exp, fsum, inf, isfinite, log

from flyweight.ops._sums import total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


def _sigmoid(v: float) -> float:
    return 1.0 / (1.0 + _exp(-v))


def _exp(v: float) -> float:
    try:
        return exp(v)
    except OverflowError:  # C's exp gives infinity where Python's raises
        return inf


def _shares(parts: "list[float]") -> "list[float]":
    """Parts over their sum; all zero becomes uniform, as scikit-learn does for one-vs-rest."""
    whole = total(parts)
    return [part / whole for part in parts] if whole else [1.0 / len(parts)] * len(parts)


def _all_shares(parts: "Any") -> "Any":
    """The same of each row of an array."""
    import numpy as np

    whole = parts.sum(axis=1, keepdims=True)
    return np.where(whole == 0.0, 1.0 / parts.shape[1], parts / whole)


class _Each:
    """An op from n scores to n numbers."""

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        node.expect(self.kinds != "", "takes at least one score")


class Sigmoid:
    """One score to the probabilities of two classes, `1 - p` and `p = 1 / (1 + exp(-factor * score))`."""

    exact = False

    def __init__(self, node: "Node") -> None:
        node.expect(node.numbers() == 1, "takes one score")
        self._factor = float(node.choice("factor", (1, 2)))
        self.kinds = "nn"

    def row(self, x: "list[float]") -> "list[float]":
        """The two probabilities."""
        try:
            p = 1.0 / (1.0 + exp(-self._factor * x[0]))
        except OverflowError:  # C's exp gives infinity where Python's raises
            p = 0.0
        return [1.0 - p, p]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        p = 1.0 / (1.0 + np.exp(-(self._factor * x)))
        return np.concatenate([1.0 - p, p], axis=1)


class Softmax(_Each):
    """`exp(score)` over its sum, shifted by the largest score."""

    def row(self, x: "list[float]") -> "list[float]":
        """The probabilities."""
        top = max(x)
        parts = [exp(v - top) for v in x]  # none is above 1, so that neither this nor their sum overflows
        whole = fsum(parts)
        return [part / whole for part in parts]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        parts = np.exp(x - x.max(axis=1, keepdims=True))
        return parts / parts.sum(axis=1, keepdims=True)


class OneVsRest(_Each):
    """Each score's sigmoid, over their sum (LIBLINEAR's and SGD's multi-class probabilities)."""

    def row(self, x: "list[float]") -> "list[float]":
        """The probabilities."""
        return _shares([_sigmoid(v) for v in x])

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        return _all_shares(1.0 / (1.0 + np.exp(-x)))


class ModifiedHuber(_Each):
    """`(clip(score, -1, 1) + 1) / 2`, one score to two classes, or several over their sum."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self._binary = len(self.kinds) == 1
        self.kinds = "nn" if self._binary else self.kinds

    def row(self, x: "list[float]") -> "list[float]":
        """The probabilities."""
        parts = [(min(max(v, -1.0), 1.0) + 1.0) / 2.0 for v in x]
        return [1.0 - parts[0], parts[0]] if self._binary else _shares(parts)

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        parts = (np.clip(x, -1.0, 1.0) + 1.0) / 2.0
        return np.concatenate([1.0 - parts, parts], axis=1) if self._binary else _all_shares(parts)


class Exp(_Each):
    """`exp(score)`: the mean under a log link."""

    def row(self, x: "list[float]") -> "list[float]":
        """The means."""
        return [_exp(v) for v in x]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        return np.exp(x)


class LogSum(_Each):
    """`log(sum(exp(score)))` of all scores, shifted by the largest (`scipy.special.logsumexp`)."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[float]":
        """The logarithm."""
        top = max(x)
        return [top + log(total([_exp(v - top) for v in x])) if isfinite(top) else top]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        top = x.max(axis=1, keepdims=True)
        return np.where(np.isfinite(top), top + np.log(np.exp(x - top).sum(axis=1, keepdims=True)), top)


OPS = {
    "sigmoid": Sigmoid,
    "softmax": Softmax,
    "one_vs_rest": OneVsRest,
    "modified_huber": ModifiedHuber,
    "exp": Exp,
    "log_sum": LogSum,
}
