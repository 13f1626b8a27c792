"""Divide a text into its terms, as scikit-learn 1.9 does (`sklearn.feature_extraction.text._VectorizerMixin`).

Letters and their lower case come from the running Python's own Unicode table, as they do in scikit-learn.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flyweight.ops import Node

MAX_NGRAM = 32
SPACES = r"\s\s+"
USUAL = (r"(?u)\b\w\w+\b", r"(?u)\b\w+\b")  # known to be safe; the check would compile a pattern, and most models have these
# One piece of a pattern: a word boundary, or a character or class of characters with the number of its repetitions.
ONE = r"\\[wWdDsSntr]|\\[^A-Za-z0-9]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|"
PIECE = rf"(\\b|{ONE}\.|[^\\.^$*+?{{}}\[\]|()]|\[\^?(?:{ONE}[^\\\[\]&~|])+\])" r"([*+?]|\{\d\d?(?:,\d?\d?)?\})?"


def is_safe(pattern: str) -> bool:
    """Say whether a model file may have this token pattern: no text can make its search take very long.

    A safe pattern has up to eight alternatives of up to sixteen pieces each, no groups and no lookaround. One piece may have no
    upper bound, and there are few ways to divide a text among the others: a match costs their number times the text's length.
    """
    if pattern in USUAL:
        return True
    piece = re.compile(PIECE)
    body, at = pattern.removeprefix("(?u)"), 0
    unbounded, ways, pieces, alternatives = 0, 1, 0, 1
    while at < len(body) <= 200:
        if body[at] == "|":
            at, unbounded, ways, pieces, alternatives = at + 1, 0, 1, 0, alternatives + 1
            continue
        match = piece.match(body, at)
        if match is None or (match[1] == r"\b" and match[2]):
            return False
        repeats = match[2] or ""
        at, pieces = match.end(), pieces + 1
        unbounded += repeats in ("*", "+") or repeats.endswith(",}")
        ways *= _lengths(repeats)
        if unbounded > 1 or ways > (4 if unbounded else 32) or pieces > 16 or alternatives > 8:
            return False
    return 0 < len(body) <= 200


def _lengths(repeats: str) -> int:
    """Return the number of lengths that a piece with an upper bound may have."""
    low, comma, high = repeats.strip("{}").partition(",")
    return 2 if repeats == "?" else max(1, int(high) - int(low or 0) + 1) if comma and high else 1


class Analyzer:
    """A function from a text to its terms; the node has the parameters of scikit-learn's vectorizers.

    They are `analyzer` (word, char, char_wb), `ngrams` [least, most], `lowercase`, `accents` (keep, ascii, unicode), and for
    words `pattern` and an array of stop words, `stops`.

    :raises ModelRefused: a parameter is not valid, or the pattern is not safe.
    """

    def __init__(self, node: "Node") -> None:
        self._lower = node.choice("lowercase", (True, False))
        self._without_accents = ACCENTS[node.choice("accents", tuple(ACCENTS))]()
        self._shortest, self._longest = node.items("ngrams", (int,), 2)
        node.expect(1 <= self._shortest <= self._longest <= MAX_NGRAM, f"'ngrams' is not within 1..{MAX_NGRAM}")
        self._stops = frozenset(listed(node, "stops")) if node.has("stops") else frozenset()
        way = node.choice("analyzer", ("word", "char", "char_wb"))
        self._terms = self._words if way == "word" else self._characters if way == "char" else self._within_words
        if way == "word":
            (pattern,) = node.items("pattern", (str,), 1)
            node.expect(is_safe(pattern), "'pattern' is not safe to run")
            try:
                self._find = re.compile(pattern).findall
            except re.error:
                raise node.refuse("'pattern' is not a regular expression") from None

    def __call__(self, text: str) -> "Iterable[str]":
        """Yield the terms in order, each as often as it occurs; one at a time, since a text has millions of long ngrams."""
        text = text.lower() if self._lower else text
        return self._terms(self._without_accents(text) if self._without_accents else text)

    def _words(self, text: str) -> "Iterable[str]":
        words: list[str] = self._find(text)
        if self._stops:
            words = [word for word in words if word not in self._stops]
        if self._longest == 1:
            return words
        return (" ".join(words[i : i + n]) for n in self._lengths(len(words)) for i in range(len(words) - n + 1))

    def _characters(self, text: str) -> "Iterable[str]":
        text = re.sub(SPACES, " ", text)
        return (text[i : i + n] for n in self._lengths(len(text)) for i in range(len(text) - n + 1))

    def _within_words(self, text: str) -> "Iterable[str]":
        return (term for word in re.sub(SPACES, " ", text).split() for term in self._padded(f" {word} "))

    def _padded(self, word: str) -> "Iterator[str]":
        for n in range(self._shortest, self._longest + 1):
            yield word[:n]
            if n >= len(word):  # a short word counts once, and has no longer term
                return
            for i in range(1, len(word) - n + 1):
                yield word[i : i + n]

    def _lengths(self, count: int) -> range:
        return range(self._shortest, min(self._longest, count) + 1)


def _unicode() -> "Callable[[str], str]":
    from unicodedata import combining, normalize  # an extension module that few models need

    def bare(text: str) -> str:
        return text if text.isascii() else "".join([c for c in normalize("NFKD", text) if not combining(c)])

    return bare


def _ascii() -> "Callable[[str], str]":
    from unicodedata import normalize

    return lambda text: normalize("NFKD", text).encode("ASCII", "ignore").decode("ASCII")


ACCENTS: "dict[str, Callable[[], Callable[[str], str] | None]]" = {"keep": lambda: None, "ascii": _ascii, "unicode": _unicode}


def listed(node: "Node", name: str) -> "list[str]":
    """Return the texts that an array of bytes holds: UTF-8, whose first character separates the texts; empty for no text.

    One array of bytes loads faster than a list in JSON: 2.3 ms against 3.1 for 20,000 terms.

    :raises ModelRefused: the array is missing or not UTF-8.
    """
    try:
        text = str(node.array(name, "U8", (None,)).values, "utf-8")
    except UnicodeDecodeError:
        raise node.refuse(f"array {name!r} is not UTF-8") from None
    return text[1:].split(text[0]) if text else []
