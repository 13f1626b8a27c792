"""Ops of CatBoost: trees that ask one question a level, and statistics of the target by category.

Sources: CatBoost 1.2 (`catboost/libs/model/cpu/evaluator_impl.cpp`, `ctr_value_table.h`, `ctr_provider.h`,
`static_ctr_provider.cpp`, `hash.h`). Leaves are added in double precision, in the order of the trees.
"""

from _operator import add, getitem, itemgetter
from functools import reduce
from itertools import accumulate, pairwise
from math import inf

from flyweight.ops._singles import rounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    from flyweight.ops import Node

    Array = np.ndarray[Any, Any]

MAX_DEPTH = 20
BLOCK = 256  # trees of a batch at a time: all at once, 20,000 of them took 1.4 GB
MASK = (1 << 64) - 1
HASH_FACTOR = 0x4906BA494954CB65  # `CalcHash`


class _Questions:
    """Questions of a row: is `x[feature] > border`, or `x[feature] == border` where `equal` is 1; `missing` answers for NaN.

    :raises ModelRefused: the arrays differ in length, or a feature is out of range.
    """

    def __init__(self, node: "Node", width: int) -> None:
        features = node.indices("feature", width, None)
        self.count = count = len(features)
        borders = node.floats("border", count)
        equal, missing = node.flags("equal", count), node.flags("missing", count)
        self._all = list(zip(features, borders, strict=True))
        self._equal = [place for place in range(count) if equal[place]]
        self._missing = [place for place in range(count) if missing[place]]

    def answers(self, x: "list[float]") -> "list[bool]":
        """Return one answer a question."""
        answers = [x[feature] > border for feature, border in self._all]
        for place in self._equal:
            feature, border = self._all[place]
            answers[place] = x[feature] == border
        for place in self._missing:
            v = x[self._all[place][0]]
            answers[place] = answers[place] or v != v
        return answers

    def batch(self, x: "Array") -> "Array":
        """Answer all rows of an array, as truth values of shape (rows, questions)."""
        import numpy as np

        features, borders = np.array(self._all).reshape(-1, 2).T
        v = x[:, features.astype(int)]
        answers: Array = v > borders
        answers[:, self._equal] = v[:, self._equal] == borders[self._equal]
        answers[:, self._missing] |= np.isnan(v[:, self._missing])
        return answers


class Oblivious:
    """Trees with one question a level: the answers, lowest bit first, are the number of the leaf.

    Tree i asks the questions `asked[starts[i]:starts[i + 1]]`; the leaves of all trees lie one tree after the other. The sum
    is multiplied by `scale`, then `bias` is added.

    :raises ModelRefused: the arrays do not fit each other, or a tree is deeper than MAX_DEPTH.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self._questions = _Questions(node, node.numbers())
        asked = node.indices("asked", self._questions.count, None)
        starts = node.indices("starts", len(asked) + 1, None)
        node.expect(len(starts) > 1 and starts[0] == 0 and starts[-1] == len(asked), "'starts' does not cover 'asked'")
        depths = [b - a for a, b in pairwise(starts)]
        node.expect(min(depths) >= 0 and max(depths) <= MAX_DEPTH, f"a tree is deeper than {MAX_DEPTH} levels")
        self.bias = node.floats("bias", None)
        self.scale = node.floats("scale", 1)[0]
        outputs = len(self.bias)
        self.kinds = "n" * outputs
        node.expect(outputs > 0, "it gives nothing")
        count = sum([1 << depth for depth in depths])
        rows: list[Any] = node.floats("leaves", count, 1) if outputs == 1 else node.rows("leaves", count, outputs)
        self._firsts = [0, *accumulate([1 << depth for depth in depths])]
        self._leaves = [rows[start:end] for start, end in pairwise(self._firsts)]
        never = self._questions.count  # a question whose answer is False: a tree that ends earlier asks it on further levels
        self._levels = [
            [asked[start + level] if level < depth else never for start, depth in zip(starts, depths, strict=False)]
            for level in range(max(depths))
        ]
        self._takes = [itemgetter(*level, never) for level in self._levels]  # with one place only it would return no tuple

    def row(self, x: "list[float]") -> "list[float]":
        """Return one sum an output."""
        return [reduce(add, v, 0.0) * self.scale + bias for v, bias in zip(self.terms(x), self.bias, strict=True)]

    def batch(self, x: "Array") -> "Array":
        """Answer all rows of an array; the terms are added in the same order."""
        from flyweight.ops._distances import in_blocks

        y: Array = in_blocks(x, self._questions.count // 128 + len(self.bias), self._block)
        return y

    def _block(self, x: "Array") -> "Array":
        import numpy as np

        answers = np.column_stack([self._questions.batch(x), np.zeros(len(x), dtype=bool)])
        table = np.concatenate([np.array(leaves) for leaves in self._leaves]).reshape(-1, len(self.bias))
        y = np.zeros((len(x), len(self.bias)))
        for first in range(0, len(self._leaves), BLOCK):
            trees = slice(first, first + BLOCK)
            leaves = np.repeat([self._firsts[:-1][trees]], len(x), axis=0)
            for level, asked in enumerate(self._levels):
                leaves += answers[:, asked[trees]].astype(int) << level
            for tree in leaves.T:
                y += table[tree]
        return y * self.scale + self.bias

    def terms(self, x: "list[float]") -> "list[Sequence[float]]":
        """Return for each output one leaf's value a tree; the leaves are found level by level for all trees at once."""
        bits = [1 if answer else 0 for answer in (*self._questions.answers(x), False)]
        numbers = [0] * len(self._leaves)
        for take in self._takes:
            numbers = list(map(add, numbers, take(bits)))
            bits = list(map(add, bits, bits))
        leaves = list(map(getitem, self._leaves, numbers))
        return [leaves] if len(self.bias) == 1 else list(zip(*leaves, strict=True))


class Answers:
    """The answers to questions as numbers, 0 and 1.

    :raises ModelRefused: the arrays of the questions differ in length, or a feature is out of range.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self._questions = _Questions(node, node.numbers())
        self.kinds = "n" * self._questions.count

    def row(self, x: "list[float]") -> "list[float]":
        """Return one answer a question."""
        return [float(answer) for answer in self._questions.answers(x)]


class Statistic:
    """A statistic of the target in training for one category, or for several together: `(seen + prior) / (of + weight)`.

    It is computed in float32. The key of the category is a hash over the columns `hashed` and the answers `answered`, one after
    the other: `keys` has the hashes, each as two halves, and `counts` the counts of each in training. `seen` is the sum of the
    counts from `first` to `last`; `of` is the sum of all counts, or `total` if the array is there.

    :raises ModelRefused: keys and counts differ in number, a count is too large, or a position is out of range.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._hashed, self._answered = node.positions("hashed", width), node.positions("answered", width)
        halves: list[int] = node.array("keys", "I32", (None, 2)).values.tolist()
        rows, columns = node.array("counts", "F64", (None, None)).shape
        node.expect(len(halves) == 2 * rows, "keys and counts differ in number")
        flat = node.floats("counts", rows, columns)
        node.expect(all(abs(count) < 1e15 for count in flat), "a count is larger than 1e15")
        first = node.whole("first", 0, columns)
        last = node.whole("last", first, columns)
        total = node.floats("total", 1) if node.has("total") else None
        pairs = {}
        for row in range(rows):
            key = (halves[2 * row] & 0xFFFFFFFF) << 32 | halves[2 * row + 1] & 0xFFFFFFFF
            own = flat[row * columns : (row + 1) * columns]
            pairs[key] = (sum(own[first:last]), total[0] if total else sum(own))
        # prior, weight, shift and scale are applied here: a row only looks its answer up
        self._shape = node.floats("shape", 4)
        self._known = {key: self._value(*pair) for key, pair in pairs.items()}
        self._unknown = self._value(0.0, total[0] if total else 0.0)
        self.kinds = "n"

    def _value(self, seen: float, of: float) -> float:
        prior, weight, shift, scale = self._shape
        above, below = rounded([seen + prior, of + weight])
        (share,) = rounded([above / below if below else inf])
        (moved,) = rounded([share + shift])
        return rounded([moved * scale])[0]

    def row(self, x: "list[float]") -> "list[float]":
        """Return the one statistic."""
        key = 0
        for position in self._hashed:
            key = _mixed(key, _whole(x[position]))
        for position in self._answered:
            key = _mixed(key, 1 if x[position] else 0)
        return [self._known.get(key, self._unknown)]


def _mixed(a: int, b: int) -> int:
    return HASH_FACTOR * (a + HASH_FACTOR * b) & MASK


def _whole(v: "Any") -> int:
    return int(v) & MASK if -1e18 < v < 1e18 else 0  # in a valid plan it is a hash


OPS = {"oblivious": Oblivious, "answers": Answers, "statistic": Statistic}
