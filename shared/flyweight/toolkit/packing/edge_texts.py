"""Texts that are made to break a model: empty ones, known terms with strange joints, other cases, accents and scripts."""

from __future__ import annotations

import random
from collections.abc import Callable

JOINTS = [
    " ",
    "  ",
    "\n",
    "\t",
    ", ",
    ". ",
    "-",
    "_",
    "'",
    "",
    "\u00a0",
    "\u200b",
    "\u3000",
    "/",
    "… ",
    " \u2014 ",
    "\r\n",
    "\x1f",
]
# dotless and dotted i, sharp and long s, Kelvin, ligatures, full width, final sigma, combining marks, digits of many kinds
STRANGE = ["\u0130", "\u0131", "ß", "\u1e9e", "\u017f", "\u212a", "\ufb01", "\uff57\uff49\uff44\uff45", "ΣΑΣ", "é", "e\u0301"]
STRANGE += ["\u00c5", "ñ", "\u0301", "\u00b2", "\u00bd", "\u0663", "7", "_", "__", "a"]
SCRIPTS = [
    "日本語",
    "中文 文本",
    "русский",
    "العربية",
    "हिन्दी",
    "🙂",
    "👩‍👩‍👧",
    "🇦🇪",
    "\U0001d4d0",
    "\ufeff",
    "\x00",
    "$",
    "<b>",
    "it's",
    "x2",
]
CASES: list[Callable[[str], str]] = [str.lower, str.upper, str.title, str.swapcase, str.capitalize]


def text_ways(terms: list[str], rng: random.Random) -> list[Callable[[], str]]:
    """List functions that draw a text for a model that knows some of these terms."""
    known = terms or ["word"]

    def some(count: int) -> list[str]:
        return [rng.choice(known) for _ in range(count)]

    def joined(words: list[str], joint: Callable[[], str]) -> str:
        return "".join(part for word in words for part in (word, joint()))

    def mixed() -> str:
        words = [rng.choice(CASES)(word) for word in some(rng.randint(1, 12))]
        return joined(words, lambda: rng.choice(JOINTS))

    def strange() -> str:
        words = [rng.choice((rng.choice(known), rng.choice(STRANGE), rng.choice(SCRIPTS))) for _ in range(rng.randint(1, 10))]
        return joined(words, lambda: rng.choice((" ", "", rng.choice(JOINTS))))

    def marked() -> str:
        return "".join(c + rng.choice(("", "", "", "\u0301", "\u0327", "\u20dd")) for c in " ".join(some(4)))

    return [
        lambda: rng.choice(("", " ", "\n\t ", ".", "?!", "a", "\u0301", "the")),
        lambda: " ".join(some(rng.randint(1, 30))),
        mixed,
        mixed,
        strange,
        strange,
        marked,
        lambda: joined(some(rng.randint(1, 3)) * rng.choice((1, 50, 300)), lambda: " "),
    ]
