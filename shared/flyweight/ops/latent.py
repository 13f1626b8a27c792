"""Turn a latent Gaussian into a probability (`_BinaryGaussianProcessClassifierLaplace.predict_proba`, scikit-learn 1.9)."""

from math import erf, nan, pi, sqrt

from flyweight.ops._arithmetic import dot, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node

# the logistic function as five error functions (Williams and Barber, "Bayesian Classification with Gaussian Processes", A)
PARTS = ((0.41, -1854.8214151), (0.4, 3516.89893646), (0.37, 221.29346712), (0.44, 128.12323805), (0.39, -2010.49422654))
HALF = 0.5 * total([c for _, c in PARTS])


class Share:
    """The probabilities of two classes.

    The first number is the mean. The variance is `diagonal` less the squares of the others.

    :raises ModelRefused: the input has no column, or `diagonal` is not one number.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        node.expect(node.numbers() > 0, "takes a mean")
        (self._diagonal,) = node.floats("diagonal", 1)
        self.kinds = "nn"

    def terms(self, x: "list[float]") -> "list[float]":
        """Return the terms of the second class's probability; thousands nearly cancel, and add up to less than one."""
        mean, *rest = x
        variance = self._diagonal - dot(rest, rest)
        if not 0.0 < variance < 1e300:
            return [nan]
        alpha = 1.0 / (2.0 * variance)
        front = sqrt(pi / alpha) / (2.0 * sqrt(variance * 2.0 * pi))
        return [c * front * erf(scale * mean * sqrt(alpha / (alpha + scale * scale))) for scale, c in PARTS]

    def row(self, x: "list[float]") -> "list[float]":
        """Return the two probabilities."""
        share = total(self.terms(x)) + HALF
        return [1.0 - share, share]


OPS = {"share": Share}
