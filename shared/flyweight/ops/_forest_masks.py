"""Find the leaves of many small trees at once, by whole numbers whose bits are leaves; made while a model is used.

The trees of a group share one number, in which each tree has `bits` bits, one for each of its leaves from left to right. A split
that a row passes to the right makes the leaves below its left child impossible. For each feature the thresholds of all trees
are sorted; the number at the row's place among them has the leaves that the feature leaves possible. The bitwise AND of one
number for each feature then has in each tree's bits, as the lowest one, the leaf that a walk would end in.

Source: QuickScorer (Lucchese and others, SIGIR 2015, https://doi.org/10.1145/2766462.2767733).
"""

from _bisect import bisect_left
from itertools import accumulate
from math import isfinite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flyweight.ops._forest import Forest

    Cut = tuple[float, int, int, bool]  # a split's threshold, its first leaf on the left, their count, whether missing goes left

GROUP_BITS = 4096  # of one number, at most: the memory for a split grows with them
MOST_BITS = 64  # of one tree; larger trees would need numbers that are mostly zeros
ONES = bytes([byte.bit_count() for byte in range(256)])
STEP_NODES = 384  # read in one step, 0.3 ms of a request on Python 3.13
# Measured on Python 3.13, in microseconds: to look up a feature in a group, what else a group takes, and a tree; and what a walk
# over tuples takes for a tree and for each level.
FEATURE, GROUP, TREE, WALK, LEVEL = 0.17, 2.5, 0.03, 0.05, 0.03


class Masks:
    """The trees of a forest as groups of masks.

    :param groups: in the order of the trees.
    :param numbers: for each tree the numbers of its leaves from left to right, after one that is not used.
    :param leaf_count: of the forest: its leaves are numbered from 0.
    """

    def __init__(self, groups: "list[_Group]", numbers: "list[list[int]]", leaf_count: int) -> None:
        self._groups, self.numbers, self.leaf_count = groups, numbers, leaf_count
        if len(groups) == 1:
            self.places, self.votes = groups[0].places, groups[0].votes  # type: ignore[method-assign]

    def places(self, x: "list[float]", finite: bool) -> bytes:
        """Return for each tree the place among its leaves, from 1, of the one that it ends in.

        :param finite: whether no value is missing.
        """
        return b"".join([group.places(x, finite) for group in self._groups])

    def votes(self, x: "list[float]", finite: bool) -> "list[int]":
        """Return for each leaf number how many trees end in it.

        :param finite: whether no value is missing.
        """
        return [*map(sum, zip(*[group.votes(x, finite) for group in self._groups], strict=True))]

    def leaves(self, x: "list[float]") -> "list[int]":
        """Return the number of the leaf that each tree ends in."""
        places = self.places(x, isfinite(sum(x)))  # an infinity only leads to the slower look-up
        return [numbers[place] for numbers, place in zip(self.numbers, places)]  # noqa: B905 - strict=True takes longer


class _Group:
    """Some trees, each of at most `bits` leaves.

    :param bits: of a tree, a power of two from 8 to MOST_BITS.
    :param start: the leaves that there are, one bit for each.
    :param cuts: for each feature that the trees split on, its distinct thresholds in order; for each number of thresholds below
        a value the leaves that this value leaves possible; and those that a missing value leaves possible.
    :param numbers: for each tree the numbers of its leaves from left to right, after one that is not used.
    :param leaf_count: of the forest: its leaves are numbered from 0.
    """

    def __init__(
        self,
        bits: int,
        start: int,
        cuts: "dict[int, tuple[list[float], list[int], int]]",
        numbers: "list[list[int]]",
        leaf_count: int,
    ) -> None:
        self._leaf_count = leaf_count
        self._start, self._each, self._bytes, self._numbers = start, bits // 8, bits * len(numbers) // 8, numbers
        self._cuts = [(feature, *cut) for feature, cut in cuts.items()]
        self._ones = int.from_bytes((b"\1" + bytes(self._each - 1)) * len(numbers), "little")
        self._sum = int.from_bytes(b"\1" * self._each, "little")
        self._by_number: list[int] = []

    def places(self, x: "list[float]", finite: bool) -> bytes:
        """Return for each tree the place among its leaves, from 1, of the one that it ends in; see `Masks.places`."""
        possible = self._possible(x, finite)
        # of each tree the lowest bit and all below it; each tree has a leaf, so that no subtraction borrows from the next tree
        lowest = (possible ^ (possible - self._ones)).to_bytes(self._bytes, "little").translate(ONES)
        if self._each == 1:
            return lowest
        # the product has in the last byte of each tree the sum of its bytes, 64 at most
        sums = (int.from_bytes(lowest, "little") * self._sum).to_bytes(self._bytes + self._each, "little")
        return sums[self._each - 1 : self._bytes : self._each]

    def votes(self, x: "list[float]", finite: bool) -> "list[int]":
        """Return for each leaf number how many trees end in it; see `Masks.votes`."""
        possible = self._possible(x, finite)
        lowest = possible & (possible ^ (possible - self._ones))
        return [(lowest & leaves).bit_count() for leaves in self._by_number or self._leaves_by_number()]

    def _possible(self, x: "list[float]", finite: bool) -> int:
        """Return the leaves that a row leaves possible."""
        possible = self._start
        if finite:
            for feature, thresholds, masks, _ in self._cuts:
                possible &= masks[bisect_left(thresholds, x[feature])]
            return possible
        for feature, thresholds, masks, missing in self._cuts:
            v = x[feature]
            possible &= masks[bisect_left(thresholds, v)] if v == v else missing
        return possible

    def _leaves_by_number(self) -> "list[int]":
        """Make for each leaf number the bits of the leaves that have it."""
        by_number = [0] * self._leaf_count
        for tree, numbers in enumerate(self._numbers):
            for place, number in enumerate(numbers[1:]):
                by_number[number] |= 1 << (8 * self._each * tree + place)
        self._by_number = by_number
        return by_number


def bits_of(forest: "Forest") -> int:
    """Return the bits that each tree of a forest gets; 0 if masks would be too large, or no faster than walks."""
    most = max([(end - root + 1) // 2 for root, end in zip(forest.roots, forest.ends, strict=True)])
    bits = 8
    while bits < most:
        bits *= 2
    if bits > MOST_BITS or forest.split is not None:
        return 0
    groups = -(-forest.count * bits // GROUP_BITS)
    features = len({feature for feature in forest.feature.tolist() if feature >= 0})
    levels = (len(forest.feature) // forest.count).bit_length()
    return bits if groups * (FEATURE * features + GROUP) + TREE * forest.count < forest.count * (WALK + LEVEL * levels) else 0


def made(forest: "Forest", bits: int) -> "Iterator[Masks | None]":
    """Make the masks of a forest step by step, so that no request waits for long.

    The forest's nodes have been checked. A forest whose trees are not trees, because two nodes lead to one, gets no masks.

    :param bits: as `bits_of` says.
    :returns: None for each step, and at last the masks.
    """
    each = GROUP_BITS // bits
    groups, all_numbers = [], []
    for first in range(0, forest.count, each):
        cuts: dict[int, list[Cut]] = {}
        numbers: list[list[int]] = []
        start = read = 0
        for root, end in zip(forest.roots[first : first + each], forest.ends[first : first + each], strict=True):
            offset = bits * len(numbers)
            leaves = _read(forest, root, end, offset, cuts)
            if leaves is None:
                return
            start |= ((1 << len(leaves)) - 1) << offset
            numbers.append([0, *leaves])
            read += end - root
            if read > STEP_NODES:
                read = 0
                yield None
        sorted_cuts = {}
        for feature, cut in cuts.items():
            sorted_cuts[feature] = _masks(cut, start)
            read += 2 * len(cut)
            if read > STEP_NODES:
                read = 0
                yield None
        groups.append(_Group(bits, start, sorted_cuts, numbers, forest.leaf_count))
        all_numbers += numbers
    yield Masks(groups, all_numbers, forest.leaf_count)


def _read(forest: "Forest", root: int, end: int, offset: int, cuts: "dict[int, list[Cut]]") -> "list[int] | None":
    """Add the cuts of one tree to those of its group.

    :param offset: the tree's first bit.
    :returns: the numbers of its leaves from left to right; None if it is no tree, or if a threshold is no number.
    """
    features, over = forest.feature[root:end].tolist(), forest.over[root:end].tolist()
    thresholds = forest.threshold[root:end].tolist()
    missing = bytes(len(features)) if forest.missing is None else forest.missing[root:end].tobytes()
    before = [*accumulate([feature < 0 for feature in features], initial=0)]  # leaves to the left of a node
    ends = [0] * len(features)  # where the nodes below a node end
    for place in range(len(features) - 1, -1, -1):
        feature = features[place]
        if feature < 0:
            ends[place] = place + 1
            continue
        right, threshold = place + 1 + over[place], thresholds[place]
        if ends[place + 1] != right or threshold != threshold:
            return None
        ends[place] = ends[right]
        left = before[place]
        cuts.setdefault(feature, []).append((threshold, offset + left, before[right] - left, missing[place] != 0))
    return [~feature for feature in features if feature < 0] if ends[0] == len(features) else None


def _masks(cuts: "list[Cut]", start: int) -> "tuple[list[float], list[int], int]":
    """Return a feature's thresholds in order, the leaves that each place among them leaves possible, and a missing value."""
    thresholds: list[float] = []
    possible = absent = start
    masks = [start]
    for threshold, first, count, left_if_missing in sorted(cuts):
        cut = ((1 << count) - 1) << first
        possible ^= possible & cut
        if not left_if_missing:
            absent ^= absent & cut
        if thresholds and thresholds[-1] == threshold:
            masks[-1] = possible
        else:
            thresholds.append(threshold)
            masks.append(possible)
    return thresholds, masks, absent
