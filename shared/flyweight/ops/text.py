"""Count terms of texts and named values: one column a known term, or a column by hash (`sklearn.feature_extraction`, 1.9).

Each op gives a sparse value: its cost depends on the length of a text and not on the size of the vocabulary.
"""

from flyweight.errors import Fault, InvalidInput
from flyweight.ops import LETTERS, MAX_WIDTH
from flyweight.ops._sparse import RowByRow, wide
from flyweight.ops._words import Analyzer, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flyweight.ops import Node
    from flyweight.ops._sparse import Entries

PLACES, SHORT = 8192, 32  # terms whose columns are kept, and their letters at most
TERM_BYTES = 350  # of memory that such a term takes, at most


class _OfText(RowByRow):
    """An op that reads one string, which can't be missing.

    :raises ModelRefused: the input is not one string, or the analyzer's parameters are not valid.
    """

    exact = True
    # of a term that is looked up, and of a letter whose hash is computed
    _term_steps, _hash_steps = 10.0, 0.0

    def __init__(self, node: "Node") -> None:
        node.expect(node.only_input() == "s", "takes one string")
        self._analyze = Analyzer(node)
        self.entries = self._analyze.terms_per_letter
        letter = self._analyze.steps + self._term_steps * self.entries + self._hash_steps * self._analyze.letters_per_letter
        node.takes(letter * LETTERS, letter_steps=letter)
        (self._name,) = node.items("names", (str,), 1)

    def terms(self, x: "list[Any]") -> "Iterable[str]":
        """Return the terms of the text.

        :raises InvalidInput: the text is missing.
        """
        if x[0] is None:
            raise InvalidInput(Fault("a text", "null", feature=self._name))
        return self._analyze(x[0])


class Count(_OfText):
    """How often each of `terms` occurs in the text, or with `binary` whether it occurs (CountVectorizer).

    :raises ModelRefused: a term repeats, there are too many, or the analyzer's parameters are not valid.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self._columns = _columns(node)
        self._analyze.know(self._columns)
        self.kinds = wide(node, len(self._columns))
        self._binary = node.choice("binary", (True, False))

    def row(self, x: "list[Any]") -> "Entries":
        """Return the counts of known terms.

        :raises InvalidInput: the text is missing.
        """
        counts: Entries = {}
        for column in map(self._columns.get, self.terms(x)):
            if column is not None:
                counts[column] = counts.get(column, 0.0) + 1.0
        return dict.fromkeys(counts, 1.0) if self._binary else counts


class Hash(_OfText):
    """How often each term occurs in the text, in the column of its hash and with `signs` with its sign (HashingVectorizer).

    :raises ModelRefused: `width` is out of range, or the analyzer's parameters are not valid.
    """

    _term_steps, _hash_steps = 100.0, 15.0

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self._width = node.whole("width", 1, MAX_WIDTH)
        self.kinds = wide(node, self._width)
        self._signs, self._binary = (node.choice(name, (True, False)) for name in ("signs", "binary"))
        self._places: dict[str, tuple[int, float]] = {}  # of terms that were met; texts share most of theirs
        self.grows = PLACES * TERM_BYTES

    def row(self, x: "list[Any]") -> "Entries":
        """Return the counts of terms, added up where terms share a column.

        :raises InvalidInput: the text is missing, or holds half of a surrogate pair.
        """
        counts: Entries = {}
        known = self._places
        for term in self.terms(x):
            column, sign = known.get(term) or self._placed(term)
            counts[column] = counts.get(column, 0.0) + sign
        return dict.fromkeys(counts, 1.0) if self._binary else counts

    def _placed(self, term: str) -> "tuple[int, float]":
        """Return a term's column and its sign, and keep those of a short term.

        :raises InvalidInput: the term holds half of a surrogate pair.
        """
        found = place(_encoded(term, self._name), self._width, self._signs)
        if len(term) <= SHORT:
            if len(self._places) >= PLACES:
                self._places = {}
            self._places[term] = found
        return found


class Pick(RowByRow):
    """A number in the column of its feature's name; for a string 1 in the column of name, separator and string (DictVectorizer).

    :raises ModelRefused: a term repeats, or `names` does not have one name a column.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        kinds = node.only_input()
        columns = _columns(node)
        node.takes_usual(len(columns))
        node.takes(0.2 * LETTERS * kinds.count("s"), letter_steps=1)
        self.kinds = wide(node, len(columns))
        names = node.items("names", (str,), len(kinds))
        (separator,) = node.items("separator", (str,), 1)
        self._strings = [(at, names[at] + separator) for at, kind in enumerate(kinds) if kind == "s"]
        self._numbers = [(at, columns[names[at]]) for at, kind in enumerate(kinds) if kind == "n" and names[at] in columns]
        self._columns = columns

    def row(self, x: "list[Any]") -> "Entries":
        """Return the known entries; a missing value adds nothing."""
        entries = {column: x[at] for at, column in self._numbers if x[at] == x[at]}
        for at, prefix in self._strings:
            column = None if x[at] is None else self._columns.get(prefix + x[at])
            if column is not None:
                entries[column] = entries.get(column, 0.0) + 1.0
        return entries


class HashPick(RowByRow):
    """The values of `text.pick`, in the columns of hashes (FeatureHasher); the columns of numbers are computed once.

    :raises ModelRefused: `width` is out of range, or `names` does not have one name a column.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        kinds = node.only_input()
        self._width = node.whole("width", 1, MAX_WIDTH)
        self.kinds = wide(node, self._width)
        self._signs = node.choice("signs", (True, False))
        node.takes(200 * len(kinds))
        node.takes(30 * LETTERS * kinds.count("s"), letter_steps=100)
        self._names = node.items("names", (str,), len(kinds))
        self._known = [
            None if kind == "s" else place(name.encode("utf-8", "replace"), self._width, self._signs)
            for kind, name in zip(kinds, self._names, strict=True)
        ]

    def row(self, x: "list[Any]") -> "Entries":
        """Return the sum of each column.

        :raises InvalidInput: a string holds half of a surrogate pair.
        """
        entries: Entries = {}
        for value, name, known in zip(x, self._names, self._known, strict=True):
            if value is None or value != value:
                continue
            if known is None:
                (column, sign), value = place(_encoded(f"{name}={value}", name), self._width, self._signs), 1.0
            else:
                column, sign = known
            entries[column] = entries.get(column, 0.0) + value * sign
        return entries


def _columns(node: "Node") -> "dict[str, int]":
    """Return the column of each of `terms`.

    :raises ModelRefused: a term repeats.
    """
    terms = listed(node, "terms")
    columns = dict(zip(terms, range(len(terms)), strict=True))
    node.expect(len(columns) == len(terms), "a term is listed twice in 'terms'")
    return columns


def _encoded(term: str, name: str) -> bytes:
    """Return a term as UTF-8.

    :raises InvalidInput: it holds half of a surrogate pair; `name` is the feature.
    """
    try:
        return term.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold and UTF-8 can't
        raise InvalidInput(Fault("a text of whole characters", "half of a surrogate pair", feature=name)) from None


def place(key: bytes, width: int, signs: bool) -> "tuple[int, float]":
    """Return a key's column and its sign, 1 or -1 (`sklearn.feature_extraction._hashing_fast.transform`)."""
    h = murmur3(key)
    if h < 0x80000000:
        return h % width, 1.0
    return (0x100000000 - h) % width, -1.0 if signs else 1.0


def murmur3(key: bytes) -> int:
    """Hash a key by MurmurHash3_x86_32 with seed 0, without a sign (Austin Appleby, in the public domain)."""
    h, whole = 0, len(key) & ~3
    for start in range(0, whole, 4):
        h ^= _scrambled(int.from_bytes(key[start : start + 4], "little"))
        h = (((h << 13) | (h >> 19)) * 5 + 0xE6546B64) & 0xFFFFFFFF
    if whole < len(key):
        h ^= _scrambled(int.from_bytes(key[whole:], "little"))
    h ^= len(key)
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return h ^ (h >> 16)


def _scrambled(k: int) -> int:
    k = (k * 0xCC9E2D51) & 0xFFFFFFFF
    k = ((k << 15) | (k >> 17)) & 0xFFFFFFFF
    return (k * 0x1B873593) & 0xFFFFFFFF


OPS = {"count": Count, "hash": Hash, "pick": Pick, "hash_pick": HashPick}
