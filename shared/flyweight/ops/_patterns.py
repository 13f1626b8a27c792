r"""Prove that a token pattern finds its tokens in time proportional to any text.

Python's `re` goes back when a match fails, and `findall` then begins again one character later. So `\w+!` reads a long word
once from each of its characters, and `(a+)+$` takes exponential time. A pattern is accepted where this can't happen:

- bounded: it reads at most LONGEST characters before it fails, in at most WAYS ways; or
- sure: once it has passed an unbounded repetition, all that follows may be absent, so that the match can't fail any more; or
- guarded: it begins with `\b` and reads word characters only, so that each word is read from its first character alone (or it
  begins with `^`, and is tried once); or
- between words: as `\b[\w-]+\b`, where the repetition goes back to the last end of a word. No text that it went back over
  has another such end, so that it is read again only once.

Reference of the parsed form: https://github.com/python/cpython/blob/3.13/Lib/re/_parser.py
"""

import re
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Items = list[tuple[Any, Any]]

MAX_PATTERN = 512  # characters
LONGEST = 100  # characters read before a match fails
WAYS = 32  # of dividing these characters among the pieces of a pattern

# a class of characters: a bit for each ASCII character, and above them one for each kind of other characters
ASCII = (1 << 128) - 1
DIGIT, LETTER, SPACE, OTHER = (1 << 128 + kind for kind in range(4))
ALL = ASCII | DIGIT | LETTER | SPACE | OTHER


def _of(word: str) -> int:
    """Return the bits of the ASCII characters that a pattern of one character matches."""
    return sum(1 << code for code in range(128) if re.match(word, chr(code)))


WORD = _of(r"\w") | DIGIT | LETTER
CATEGORIES = {
    c.CATEGORY_DIGIT: _of(r"\d") | DIGIT,
    c.CATEGORY_SPACE: _of(r"\s") | SPACE,
    c.CATEGORY_WORD: WORD,
    c.CATEGORY_NOT_DIGIT: ALL & ~(_of(r"\d") | DIGIT),
    c.CATEGORY_NOT_SPACE: ALL & ~(_of(r"\s") | SPACE),
    c.CATEGORY_NOT_WORD: ALL & ~WORD,
}
CHARACTERS = (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN)
REPEATS = (c.MAX_REPEAT, c.POSSESSIVE_REPEAT, c.MIN_REPEAT)
GUARDS = (c.AT_BOUNDARY, c.AT_BEGINNING, c.AT_BEGINNING_STRING)


class _Part:
    """What is known of a part of a pattern.

    `longest`: the characters that it reads at most, None without a bound; `ways`: of reading them; `empty`: whether it can match
    nothing, and so can't fail; `edge`: whether it ends where a word ends; `first`: the characters with which it begins, 0 where
    that is not one class; `loops`: the characters of its unbounded repetitions.
    """

    __slots__ = ("edge", "empty", "first", "longest", "loops", "ways")

    def __init__(
        self, longest: "int | None", ways: int = 1, empty: bool = False, edge: bool = False, first: int = 0, loops: int = 0
    ) -> None:
        if ways > WAYS:
            raise ValueError("has too many ways to match the same text")
        if (longest or 0) > LONGEST:
            raise ValueError(f"may read more than {LONGEST} characters before it fails")
        self.longest = longest
        self.ways = ways
        self.empty = empty
        self.edge = edge
        self.first = first
        self.loops = loops


def steps_of(pattern: str) -> int:
    """Return the steps that a search takes for each character of a text, at most.

    :raises ValueError: the pattern is not a regular expression, or can't be proved linear.
    """
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"is longer than {MAX_PATTERN} characters")
    try:
        parsed = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        raise ValueError("is not a regular expression") from None
    if parsed.state.flags & ~(re.UNICODE | re.DOTALL | re.VERBOSE):
        raise ValueError("has a flag other than u, s and x")
    if parsed.state.groups > 2:
        raise ValueError("has more than one capturing group")
    if not parsed.data:
        raise ValueError("matches nothing")
    return sum([_steps(items) for items in _alternatives(_flat(parsed.data))])


def _steps(items: "Items") -> int:
    """Return the steps for each character of one alternative.

    :raises ValueError: it can't be proved linear.
    """
    part = _guarded(items) or _between_words(items) or _sequence(items)
    return part.ways * (LONGEST if part.longest is None else part.longest + 1)


def _flat(items: "Items") -> "Items":
    """Return items without groups around them that change nothing."""
    flat: Items = []
    for op, value in items:
        if op is c.SUBPATTERN and not (value[1] or value[2]):
            flat += _flat(value[3].data)
        else:
            flat.append((op, value))
    return flat


def _alternatives(items: "Items") -> "list[Items]":
    """Return the alternatives of a whole pattern; the parser moves what they begin with alike out of them."""
    if items[-1][0] is not c.BRANCH or any(op is not c.AT for op, _ in items[:-1]):
        return [items]
    return [_flat([*items[:-1], *alternative.data]) for alternative in items[-1][1][1]]


def _guarded(items: "Items") -> "_Part | None":
    """Return what is known of a pattern that is tried once for each word, or once for a text; None if this is not sure."""
    if items[0][0] is not c.AT or items[0][1] not in GUARDS:
        return None
    allowed = WORD if items[0][1] is c.AT_BOUNDARY else ALL
    ways, unbounded = 1, 0
    for op, value in items[1:]:
        if op is c.AT:
            continue
        low, high = 1, 1
        if op in (c.MAX_REPEAT, c.POSSESSIVE_REPEAT) and len(value[2]) == 1:
            low, high, ((op, value),) = value[0], value[1], value[2].data
        if op not in CHARACTERS or _characters(op, value) & ~allowed or low > LONGEST:
            return None
        if high is c.MAXREPEAT:
            unbounded += 1
        else:
            ways *= high - low + 1
    return _Part(None, ways) if unbounded <= 1 and ways <= WAYS else None


def _between_words(items: "Items") -> "_Part | None":
    """Return what is known of fixed characters, then a repetition of word characters and others that ends at the edge of a word.

    :returns: None for a pattern of another form.
    """
    if items[-1] != (c.AT, c.AT_BOUNDARY) or len(items) > LONGEST:
        return None
    *fixed, (op, value) = items[:-1]
    starts_at_edge = bool(fixed) and fixed[0] == items[-1]
    fixed = fixed[starts_at_edge:]
    if op is not c.MAX_REPEAT or value[1] is not c.MAXREPEAT or value[0] > LONGEST or len(value[2]) != 1:
        return None
    if any(kind not in CHARACTERS for kind, _ in [*fixed, value[2][0]]) or WORD & ~_characters(*value[2][0]):
        return None
    first = _characters(*(fixed[0] if fixed else value[2][0]))
    return _Part(None) if starts_at_edge or not first & ~WORD else None


def _sequence(items: "Items") -> _Part:
    """Return what is known of parts that follow each other.

    :raises ValueError: after an unbounded repetition something follows that can fail, or there are too many ways.
    """
    longest, ways, loops, first = 0, 1, 0, 0
    empty, edge, unbounded = True, False, False
    for op, value in items:
        if op in (c.AT, c.ASSERT, c.ASSERT_NOT):
            if unbounded and not (value is c.AT_BOUNDARY and edge):
                raise ValueError("has an assertion after a repetition without a bound")
            if op is not c.AT and _sequence(value[1].data).longest is None:
                raise ValueError("has a repetition without a bound in an assertion")
            continue
        part = _part(op, value)
        if unbounded and not part.empty:
            raise ValueError("can fail after a repetition without a bound")
        if empty:
            first = 0 if part.empty else part.first
        unbounded = unbounded or part.longest is None
        longest, ways, loops = longest + (part.longest or 0), ways * part.ways, loops | part.loops
        edge = part.edge and (edge or not part.empty)
        empty = empty and part.empty
        if longest > LONGEST or ways > WAYS:
            raise ValueError("has too many ways to match the same text, or reads too much before it fails")
    return _Part(None if unbounded else longest, ways, empty, edge, first, loops)


def _part(op: "Any", value: "Any") -> _Part:
    """Return what is known of one part.

    :raises ValueError: it can't be proved linear.
    """
    if op in CHARACTERS:
        return _Part(1, first=_characters(op, value))
    if op in REPEATS:
        return _repeat(op, *value)
    if op is c.SUBPATTERN and not (value[1] or value[2]):
        return _sequence(value[3].data)
    if op is c.ATOMIC_GROUP:
        return _sequence(value.data)
    if op is c.BRANCH:
        return _branch([_sequence(alternative.data) for alternative in value[1]])
    raise ValueError(f"has a part that is not allowed: {str(op).lower()}")


def _branch(parts: "list[_Part]") -> _Part:
    """Return what is known of alternatives."""
    lengths, first, loops = [part.longest for part in parts], 0, 0
    for part in parts:
        first, loops = first | part.first, loops | part.loops
    return _Part(
        None if None in lengths else max([length or 0 for length in lengths]),
        sum([part.ways for part in parts]),
        any(part.empty for part in parts),
        all(part.edge for part in parts),
        first if all(part.first for part in parts) else 0,
        loops,
    )


def _repeat(op: "Any", low: int, high: "Any", body: "Any") -> _Part:
    """Return what is known of a repetition.

    :raises ValueError: it repeats nothing or a repetition, or is lazy and without a bound.
    """
    inner, endless = _sequence(body.data), high is c.MAXREPEAT
    if inner.empty or (endless and op is c.MIN_REPEAT):
        raise ValueError("repeats what may be nothing" if inner.empty else "has a lazy repetition without a bound")
    if inner.longest is None:
        if high == 1:
            return _Part(None, inner.ways, low == 0, inner.edge, inner.first, inner.loops)
        if low > 1 or not inner.first or inner.first & inner.loops:
            raise ValueError("repeats a repetition, with nothing between that tells them apart")
        return _Part(None, inner.ways, low == 0, inner.edge, inner.first, inner.loops)
    if endless:
        if low * inner.longest > LONGEST:
            raise ValueError(f"may read more than {LONGEST} characters before it fails")
        whole_words = len(body) == 1 and body[0][0] in CHARACTERS and inner.first == WORD
        return _Part(None, inner.ways ** max(1, low), low == 0, whole_words, inner.first, inner.first or ALL)
    if high > LONGEST:
        raise ValueError(f"may read more than {LONGEST} characters before it fails")
    ways = high - low + 1 if inner.ways == 1 else sum([inner.ways**count for count in range(low, high + 1)])
    return _Part(high * inner.longest, ways, low == 0, False, inner.first)


def _characters(op: "Any", value: "Any") -> int:
    """Return all characters that a class may match; kinds stand for characters beyond ASCII."""
    if op is c.ANY:
        return ALL
    if op is c.LITERAL:
        return _range(value, value)
    if op is c.NOT_LITERAL:
        return ALL & ~(_range(value, value) & ASCII)
    may = must = 0
    negated = False
    for kind, item in value:
        if kind is c.NEGATE:
            negated = True
        elif kind is c.CATEGORY:
            may, must = may | CATEGORIES[item], must | CATEGORIES[item]
        else:
            part = _range(*(item if kind is c.RANGE else (item, item)))
            may, must = may | part, must | (part & ASCII)
    return ALL & ~must if negated else may


def _range(low: int, high: int) -> int:
    """Return the bits of the characters from one code to another; a long range beyond ASCII may hold all kinds."""
    bits = sum([1 << code for code in range(low, min(high, 127) + 1)])
    if high - max(low, 128) > 1000:
        return bits | (ALL & ~ASCII)
    for character in map(chr, range(max(low, 128), high + 1)):
        if character.isalnum():
            bits |= DIGIT if character.isdecimal() else LETTER
        else:
            bits |= SPACE if character.isspace() else OTHER
    return bits
