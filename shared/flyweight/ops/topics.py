"""Find the topics of a text from counts of its terms (`sklearn.decomposition._lda._update_doc_distribution`, 1.9)."""

from _operator import sub
from math import exp, fsum, inf, log

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops import LETTERS
from flyweight.ops._arithmetic import dot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node

EULER = 0.577215664901532860606512090082402431
EPSILON = 2.0**-52


class Allocate:
    """The topics' shares, found in at most `rounds` rounds, until they move by less than the tolerance.

    `weights` has shape (topics, terms); `parameters` are the prior and the tolerance.

    :raises ModelRefused: there is no topic or term, the prior is not above zero, or it takes too many rounds.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        tensor = node.array("weights", "F64", (None, width))
        topics, self._weights = tensor.shape[0], tensor.values
        node.expect(topics > 0 and width > 0, "has no topic, or no term")
        self._prior, self._tolerance = node.floats("parameters", 2)
        node.expect(0.0 < self._prior < inf, "its prior is not above zero")
        self._rounds = node.whole("rounds", 0, 10_000)
        # a round takes two products a topic for each term that the text has, and 20 steps for the term itself
        each = (2.5 * topics + 20.0) * max(1, self._rounds)
        if node.entries is None:
            node.takes(width * each)
        else:
            node.takes(min(width, node.entries * LETTERS) * each + width, letter_steps=node.entries * each)
        self._width = width
        self.kinds = "n" * topics

    def row(self, x: "list[float]") -> "list[float]":
        """Return one share a topic.

        :raises InvalidInput: a count is below zero, or their sum overflows.
        """
        if not min(x, default=0.0) >= 0.0:
            raise InvalidInput(Fault("counts that are not below 0", preview(min(x))))
        places = [place for place, v in enumerate(x) if v]
        counts = [x[place] for place in places]
        starts = range(0, self._width * len(self.kinds), self._width)
        by_topic = [[self._weights[start + place] for place in places] for start in starts]
        by_term = [list(term) for term in zip(*by_topic, strict=True)]
        shares = self._settled(counts, by_topic, by_term)
        whole = fsum(shares)
        return [v / whole for v in shares]

    def _settled(self, counts: "list[float]", by_topic: "list[list[float]]", by_term: "list[list[float]]") -> "list[float]":
        """Return the shares, not yet divided by their sum, from the weights of the text's terms by topic and by term."""
        prior, shares = self._prior, [1.0] * len(by_topic)
        strengths = _expectations(shares)
        for _ in range(self._rounds):
            before = shares
            norms = [dot(strengths, term) + EPSILON for term in by_term]
            parts = [count / norm if norm else inf for count, norm in zip(counts, norms, strict=True)]
            shares = [s * dot(parts, topic) + prior for s, topic in zip(strengths, by_topic, strict=True)]
            strengths = _expectations(shares)
            if fsum(map(abs, map(sub, before, shares))) / len(shares) < self._tolerance:
                break
        return shares


def _expectations(shares: "list[float]") -> "list[float]":
    """Return `exp(psi(share) - psi(sum))` of each share (`_dirichlet_expectation_1d`).

    :raises InvalidInput: a share, or their sum, is infinite or NaN.
    """
    try:
        whole = psi(fsum(shares))
        if min(shares) > 0.0 and whole < inf:
            return [exp(v) if v < 0.0 else 1.0 for v in [psi(share) - whole for share in shares]]
    except (OverflowError, ValueError):  # of fsum
        pass
    raise InvalidInput(Fault("counts that a sum can hold", "larger ones"))


def psi(x: float) -> float:
    """Return the digamma function of a positive number, as `_online_lda_fast.psi` (J. Bernardo's AS 103) computes it."""
    if x <= 1e-6:
        return -EULER - 1.0 / x
    result = 0.0
    while x < 6.0:  # numbers of one type, for which Python is faster
        result -= 1.0 / x
        x += 1.0
    r = 1.0 / x
    result += log(x) - 0.5 * r
    r = r * r
    return result - r * ((1.0 / 12.0) - r * ((1.0 / 120.0) - r * (1.0 / 252.0)))


OPS = {"allocate": Allocate}
