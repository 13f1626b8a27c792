"""From a text to its terms, as scikit-learn 1.9 finds them (`sklearn.feature_extraction.text._VectorizerMixin`).

What is a letter, and what its lower case, is the running Python's own Unicode table, as it is scikit-learn's.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flyweight.ops import Node

MAX_NGRAM = 32
SPACES = r"\s\s+"
USUAL = (r"(?u)\b\w\w+\b", r"(?u)\b\w+\b")  # known to be safe: most models need no check, which would have to be compiled
# One piece of a pattern: a word boundary, or a character or class of characters with how often it may stand there.
ONE = r"\\[wWdDsSntr]|\\[^A-Za-z0-9]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|"
PIECE = rf"(\\b|{ONE}\.|[^\\.^$*+?{{}}\[\]|()]|\[\^?(?:{ONE}[^\\\[\]&~|])+\])" r"([*+?]|\{\d\d?(?:,\d?\d?)?\})?"


def is_safe(pattern: str) -> bool:
    """Whether a token pattern is of the kind that a model file may bring: no text makes it run away.

    Up to eight alternatives of up to sixteen pieces each; no groups, no lookaround. One piece may have no upper bound, and
    there are few ways to divide a text among the others: what a match costs is their number times the text's length.
    """
    if pattern in USUAL:
        return True
    piece = re.compile(PIECE)
    body, at = pattern.removeprefix("(?u)"), 0
    endless, ways, pieces, alternatives = 0, 1, 0, 1
    while at < len(body) <= 200:
        if body[at] == "|":
            at, endless, ways, pieces, alternatives = at + 1, 0, 1, 0, alternatives + 1
            continue
        found = piece.match(body, at)
        if found is None or (found[1] == r"\b" and found[2]):
            return False
        often = found[2] or ""
        at, pieces = found.end(), pieces + 1
        endless += often in ("*", "+") or often.endswith(",}")
        ways *= _ways(often)
        if endless > 1 or ways > (4 if endless else 32) or pieces > 16 or alternatives > 8:
            return False
    return 0 < len(body) <= 200


def _ways(often: str) -> int:
    """How many lengths a piece with an upper bound may take."""
    least, comma, most = often.strip("{}").partition(",")
    return 2 if often == "?" else max(1, int(most) - int(least or 0) + 1) if comma and most else 1


class Analyzer:
    """A text to its terms; the parameters of the node are those of the vectorizers.

    `analyzer` (word, char, char_wb), `ngrams` [least, most], `lowercase`, `accents` (keep, ascii, unicode), for words also
    `pattern` and an array of stop words, `stops`.
    """

    def __init__(self, node: "Node") -> None:
        self._lower = node.choice("lowercase", (True, False))
        self._bare = ACCENTS[node.choice("accents", tuple(ACCENTS))]()
        self._least, self._most = node.items("ngrams", (int,), 2)
        node.expect(1 <= self._least <= self._most <= MAX_NGRAM, f"'ngrams' is not within 1..{MAX_NGRAM}")
        self._stops = frozenset(listed(node, "stops")) if node.has("stops") else frozenset()
        way = node.choice("analyzer", ("word", "char", "char_wb"))
        self._terms = self._words if way == "word" else self._characters if way == "char" else self._within_words
        if way == "word":
            (pattern,) = node.items("pattern", (str,), 1)
            node.expect(is_safe(pattern), "'pattern' is not of a kind that is safe to run")
            try:
                self._find = re.compile(pattern).findall
            except re.error:
                raise node.refuse("'pattern' is not a regular expression") from None

    def __call__(self, text: str) -> "Iterable[str]":
        """The terms in order, each as often as it stands there; one at a time, as a text has millions of long ngrams."""
        text = text.lower() if self._lower else text
        return self._terms(self._bare(text) if self._bare else text)

    def _words(self, text: str) -> "Iterable[str]":
        words: list[str] = self._find(text)
        if self._stops:
            words = [word for word in words if word not in self._stops]
        if self._most == 1:
            return words
        return (" ".join(words[i : i + n]) for n in self._lengths(len(words)) for i in range(len(words) - n + 1))

    def _characters(self, text: str) -> "Iterable[str]":
        text = re.sub(SPACES, " ", text)
        return (text[i : i + n] for n in self._lengths(len(text)) for i in range(len(text) - n + 1))

    def _within_words(self, text: str) -> "Iterable[str]":
        return (term for word in re.sub(SPACES, " ", text).split() for term in self._padded(f" {word} "))

    def _padded(self, word: str) -> "Iterator[str]":
        for n in range(self._least, self._most + 1):
            yield word[:n]
            if n >= len(word):  # a short word counts once, and no longer term of it
                return
            for i in range(1, len(word) - n + 1):
                yield word[i : i + n]

    def _lengths(self, count: int) -> range:
        return range(self._least, min(self._most, count) + 1)


def _unicode() -> "Callable[[str], str]":
    from unicodedata import combining, normalize  # an extension module, and few models ask for it

    def bare(text: str) -> str:
        return text if text.isascii() else "".join([c for c in normalize("NFKD", text) if not combining(c)])

    return bare


def _ascii() -> "Callable[[str], str]":
    from unicodedata import normalize

    return lambda text: normalize("NFKD", text).encode("ASCII", "ignore").decode("ASCII")


ACCENTS: "dict[str, Callable[[], Callable[[str], str] | None]]" = {"keep": lambda: None, "ascii": _ascii, "unicode": _unicode}


def listed(node: "Node", name: str) -> "list[str]":
    """The texts that an array holds: UTF-8, the first character the one that separates the others; empty for none.

    One array of bytes loads faster than a list in JSON: 2.3 ms against 3.1 for 20,000 terms.
    """
    try:
        text = str(node.array(name, "U8", (None,)).values, "utf-8")
    except UnicodeDecodeError:
        raise node.refuse(f"array {name!r} is not UTF-8") from None
    return text[1:].split(text[0]) if text else []
