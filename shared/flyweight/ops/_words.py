"""Divide a text into its terms, as scikit-learn 1.9 does (`sklearn.feature_extraction.text._VectorizerMixin`).

Letters and their lower case come from the running Python's own Unicode table, as they do in scikit-learn.
"""

import re

from flyweight.errors import preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flyweight.ops import Node

MAX_NGRAM = 32
SPACES = r"\s\s+"
DECOMPOSED = 4  # letters that one becomes without its accents; of Hangul three, of some signs many more
LETTERS_A_WORD = {r"(?u)\b\w\w+\b": 3, r"(?u)\b\w+\b": 2}  # at least, the space between two words among them
USUAL = {r"(?u)\b\w\w+\b": 4, r"(?u)\b\w+\b": 3}  # the patterns of most models, whose proof need not be imported


def pattern_steps(pattern: str) -> int:
    """Return the steps that a token pattern takes for each character of a text, at most.

    :raises ValueError: the pattern is not a regular expression, or some texts could take it very long; the message continues a
        sentence that names the pattern.
    """
    if pattern in USUAL:
        return USUAL[pattern]
    from flyweight.ops._patterns import steps_of

    return steps_of(pattern)


class Analyzer:
    """A function from a text to its terms; the node has the parameters of scikit-learn's vectorizers.

    They are `analyzer` (word, char, char_wb), `ngrams` [least, most], `lowercase`, `accents` (keep, ascii, unicode), and for
    words `pattern` and an array of stop words, `stops`. `steps` and `terms_per_letter`: of each letter of a text, at most.

    :raises ModelRefused: a parameter is not valid, or the pattern is not safe.
    """

    def __init__(self, node: "Node") -> None:
        self._lower = node.choice("lowercase", (True, False))
        self._without_accents = ACCENTS[node.choice("accents", tuple(ACCENTS))]()
        self._shortest, self._longest = node.items("ngrams", (int,), 2)
        node.expect(1 <= self._shortest <= self._longest <= MAX_NGRAM, f"'ngrams' is not within 1..{MAX_NGRAM}")
        self._stops = frozenset(listed(node, "stops")) if node.has("stops") else frozenset()
        way = node.choice("analyzer", ("word", "char", "char_wb"))
        self._longer = 1 if self._without_accents is None else DECOMPOSED
        self.terms_per_letter = float(self._longer * (self._longest - self._shortest + 1))
        self.steps = 20.0 + 16.0 * (self.terms_per_letter + 2.0 * self._longer)
        self._terms = self._words if way == "word" else self._characters if way == "char" else self._within_words
        if way == "word":
            (pattern,) = node.items("pattern", (str,), 1)
            try:
                self.steps += self._longer * pattern_steps(pattern) / 5.0
                self._find = re.compile(pattern).findall
            except (ValueError, re.error) as error:
                raise node.refuse(f"its pattern {preview(pattern)} {error}") from None
            self.terms_per_letter /= LETTERS_A_WORD.get(pattern, 1)
            self.steps += 3.0 * self.letters_per_letter

    @property
    def letters_per_letter(self) -> float:
        """The letters of all terms for each letter of a text; a term of n words or letters holds n of a text's."""
        return self._longer * sum(range(self._shortest, self._longest + 1))

    def know(self, terms: "Iterable[str]") -> None:
        """Leave out character ngrams that are longer than all known terms, where the plan asks for long ones."""
        if self._longest > 8 and self._terms != self._words:
            self._longest = min(self._longest, max(map(len, terms), default=1))

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
