"""Change strings, measure them, or name numbers by strings."""

import re

from flyweight.ops import LETTERS, MAX_WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.ops import Node


class _Strings:
    """An op whose columns are all strings.

    :raises ModelRefused: a column is of numbers.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        kinds = node.only_input()
        node.expect({*kinds} <= {"s"}, "takes strings, got numbers or a sparse value")
        self.kinds = kinds


class Keep(_Strings):
    """Each string among its column's `known`, and `other` of the column for any other.

    A missing string stays missing where `nulls` of its column is true, else it is `other` too.

    :raises ModelRefused: a column is of numbers, or the lists differ in length or hold something else.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        width = len(self.kinds)
        known = node.items("known", (list,), width)
        node.expect(all(type(word) is str for words in known for word in words), "'known' has something that is no string")
        other = node.items("other", (str, type(None)), width)
        nulls = node.items("nulls", (bool,), width)
        words = [{word: word for word in column} for column in known]
        self._columns = [(column, end, None if null else end) for column, end, null in zip(words, other, nulls, strict=True)]

    def row(self, x: "list[Any]") -> "list[Any]":
        """Return the strings that are kept."""
        pairs = zip(x, self._columns, strict=True)
        return [missing if v is None or v != v else known.get(v, other) for v, (known, other, missing) in pairs]


class Name:
    """The string of `words` that each number counts, from 0; `missing` of its column where none exists.

    :raises ModelRefused: a column is of strings, or the lists differ in length or hold something else.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        words = node.items("words", (list,), width)
        node.expect(all(type(word) is str for column in words for word in column), "'words' has something that is no string")
        missing = node.items("missing", (str, type(None)), width)
        self._columns = [(dict(enumerate(column)), other) for column, other in zip(words, missing, strict=True)]
        self.kinds = "s" * width

    def row(self, x: "list[float]") -> "list[Any]":
        """Return the strings."""
        return [words.get(v, other) for v, (words, other) in zip(x, self._columns, strict=True)]  # type: ignore[call-overload]


class Clear(_Strings):
    """Each string, but a missing one in place of one of `words`, or of one that is white space only.

    :raises ModelRefused: a column is of numbers, or `words` has something else than strings.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self._words = frozenset(node.items("words", (str,)))
        node.takes(0.2 * LETTERS * len(self.kinds), letter_steps=1)  # white space is looked through

    def row(self, x: "list[Any]") -> "list[Any]":
        """Return the strings that mean something."""
        return [None if v is None or v != v or v in self._words or not v.strip() else v for v in x]


def _share(part: float, whole: float) -> float:
    """Return a share; 0 where the whole is nothing, which feature_engine fills so."""
    return part / whole if whole else 0.0


def _count(pattern: str) -> "Callable[[str, int], float]":
    """Return a function that counts how often a pattern is found."""
    return lambda text, flags: float(len(re.findall(pattern, text, flags)))


def _chars(text: str, flags: int) -> int:
    """Return the number of characters that are no white space."""
    return len(re.sub(r"\s+", "", text, flags=flags))


# name -> the function of a text and of `re.ASCII` or 0 (feature_engine.text)
MEASURES: "dict[str, Callable[[str, int], float]]" = {
    "char_count": _chars,
    "word_count": lambda text, flags: len(text.split()),
    "sentence_count": _count(r"[.!?]+"),
    "avg_word_length": lambda text, flags: _share(len(text.strip()), len(text.split())),
    "digit_count": _count(r"\d"),
    "letter_count": _count(r"[a-zA-Z]"),
    "uppercase_count": _count(r"[A-Z]"),
    "lowercase_count": _count(r"[a-z]"),
    "special_char_count": _count(r"[^a-zA-Z0-9\s]"),
    "whitespace_count": _count(r"\s"),
    "whitespace_ratio": lambda text, flags: len(re.findall(r"\s", text, flags)) / (len(text) or 1),
    "digit_ratio": lambda text, flags: len(re.findall(r"\d", text, flags)) / (_chars(text, flags) or 1),
    "uppercase_ratio": lambda text, flags: len(re.findall(r"[A-Z]", text)) / (_chars(text, flags) or 1),
    "has_digits": lambda text, flags: re.search(r"\d", text, flags) is not None,
    "has_uppercase": lambda text, flags: re.search(r"[A-Z]", text) is not None,
    "is_empty": lambda text, flags: not text,
    "starts_with_uppercase": lambda text, flags: re.match(r"[A-Z]", text) is not None,
    "ends_with_punctuation": lambda text, flags: re.match(r".*[.!?]$" if not flags else r".*[.!?]\Z", text) is not None,
    "unique_word_count": lambda text, flags: len({*text.lower().split()}),
    "lexical_diversity": lambda text, flags: _share(len(text.split()), len({*text.lower().split()})),
}


class Measure(_Strings):
    """Each of `measures` of each string, the columns one after the other; a missing string counts as an empty one.

    :raises ModelRefused: a column is of numbers, a measure is unknown, `ascii` is not a boolean, or the result is too wide.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        words = node.items("measures", (str,))
        node.expect({*words} <= {*MEASURES}, f"'measures' has one that is not among {', '.join(MEASURES)}")
        node.expect(len(words) * len(self.kinds) <= MAX_WIDTH, f"wider than {MAX_WIDTH} columns")
        each = 10 * len(words)  # a step or ten a letter
        node.takes(each * LETTERS * len(self.kinds), letter_steps=each)
        self._flags = re.ASCII if node.choice("ascii", (True, False)) else 0
        self._measures = [MEASURES[word] for word in words]
        self.kinds = "n" * (len(words) * len(self.kinds))

    def row(self, x: "list[Any]") -> "list[float]":
        """Return the measures."""
        texts = [v if isinstance(v, str) else "" for v in x]
        return [float(measure(text, self._flags)) for text in texts for measure in self._measures]


LONGEST = 10_000  # characters of a string that is compared


class Similarity(_Strings):
    """How much each string resembles each of its column's `known`, by the characters that both have (`difflib.quick_ratio`).

    `missing` says what a missing string is: an empty one ("empty"), or one whose numbers are all missing ("nan").

    :raises ModelRefused: a column is of numbers, the lists are not of strings or differ in length, or the result is too wide.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        listed = node.items("known", (list,), len(self.kinds))
        node.expect(all(type(word) is str for words in listed for word in words), "'known' has something that is no string")
        node.expect(all(len(word) <= LONGEST for words in listed for word in words), "a known string is too long")
        self._empty = node.choice("missing", ("empty", "nan")) == "empty"
        width = sum(map(len, listed))
        node.expect(width <= MAX_WIDTH, f"wider than {MAX_WIDTH} columns")
        letters = sum([len(word) for words in listed for word in words])
        node.takes(50 * width + 10 * letters + 10 * LETTERS * len(listed), values=4 * width)
        self._known = [[(len(word), _counts(word)) for word in words] for words in listed]
        self.kinds = "n" * width

    def row(self, x: "list[Any]") -> "list[float]":
        """Return the numbers from 0 to 1."""
        y: list[float] = []
        for value, known in zip(x, self._known, strict=True):
            if isinstance(value, str) or self._empty:
                text = value if isinstance(value, str) else ""
                counts = _counts(text)
                y += [_likeness(len(text), counts, length, own) for length, own in known]
            else:
                y += [float("nan")] * len(known)
        return y


def _counts(text: str) -> "dict[str, int]":
    """Return how often each character occurs."""
    counts: dict[str, int] = {}
    for character in text:
        counts[character] = counts.get(character, 0) + 1
    return counts


def _likeness(length: int, counts: "dict[str, int]", other_length: int, others: "dict[str, int]") -> float:
    """Return `difflib.quick_ratio` of two texts, of which only the lengths and the counts of their characters matter."""
    both = sum([min(count, counts[character]) for character, count in others.items() if character in counts])
    return 2.0 * both / (length + other_length) if length + other_length else 1.0


OPS = {"keep": Keep, "clear": Clear, "name": Name, "measure": Measure, "similarity": Similarity}
