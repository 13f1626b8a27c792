"""Token patterns: what users write is run, and what some text could make slow is refused."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flyweight.errors import ModelRefused
from flyweight.ops._patterns import steps_of
from flyweight.ops._words import USUAL, pattern_steps
from tests.ops.test_hostile_text import build

LINEAR = [
    *USUAL,
    *(
        r"\w+",
        r"\S+",
        r".",
        r"\w*",
        r".+",
        r"[^\s]+",
        r"[^,]+",
        r"[a-z]+",
        r"[a-z]{3,}",
        r"(?u)\b\w\w\w+\b",
        r"\w{1,}",
        r"[\w']+",
    ),
    *(r"\b[a-zA-Z]+\b", r"\b[a-zA-Z]{3,}\b", r"\b[^\W\d_]+\b", r"(?u)\b[^\W\d_][^\W\d_]+\b", r"\b[a-z]+\d?\b", r"\b(\w+)\b"),
    *(r"\w[\w'-]*", r"\b[\w'-]+\b", r"\b\w[\w-]+\b", r"\w+(?:[-']\w+)*", r"(?u)\b\w+(?:'\w+)?\b", r"[a-zA-Z]+(?:'[a-z]+)?"),
    *(r"[A-Za-z]+|\d|[!?]", r"\b\w+\b|[^\w\s]", r"\b\d+\b|\b[a-z]+\b", r"\w+|[.,!?;]", r"#\w+|@\w+|\w+", r"https?://\S+|\w+"),
    *(r"\$?\d{1,4}", r"\d+(?:\.\d+)?%?", r"(?:[A-Z]\.)+|\w+", r"(?<!\w)\w+", r"^a", r"^\w+!", r"a$", r"\bx\b", "a" * 17),
    *(r"[\u00e0-\u00ff]+", r"[\u4e00-\u9fff]|[a-z]+", r"(?x) \w+ # words", "|".join("abcdefghi"), r"\w++"),
]
REFUSED = [
    *(
        "",
        "(?u)",
        r"(\w+)+",
        r"(\w+)+$",
        r"\w+\w+",
        r"\w+\w",
        r"\w+!",
        r"\w+@",
        r"[a-z]+\b",
        r"[\w-]+\b",
        r"\d+[a-z]+",
        r"(a+)+b",
    ),
    *(r"(x+x+)+y", r"(?:\w+\s?)+$", r"(?:\w+-?)+", r"(.*)*", r"(?:a|ab)*c", r"\w*\w?\w?\d", r"a?" * 10, r".*?x", r"<[^>]+>"),
    *(r"(\w)\1", r"\1", r"\w+(?=\s)", r"(?=\w+!)\w", r"\w+(?:\s+\w+)?", r"\b[a-z]+-[a-z]+\b", r"\w{0,99}\w{0,99}\w{0,99}x"),
    *("[a", "a**", r"\b*", r"[z-a]", r"\x4", "a{1000}", "a" * 513, "(?i)a", "(?a)a", "(a)(b)", "(" * 400 + ")" * 400),
]


@pytest.mark.parametrize("pattern", LINEAR)
def test_a_pattern_that_reads_a_text_once_is_run(pattern: str) -> None:
    assert pattern_steps(pattern) > 0
    build("text.count", pattern=[pattern]).answer([["the cat"]])


@pytest.mark.parametrize("pattern", [*REFUSED, 5, None])
def test_a_pattern_that_could_take_for_ever_is_refused(pattern: Any) -> None:
    with pytest.raises(ModelRefused):
        build("text.count", pattern=[pattern])


def test_the_refusal_names_the_pattern_and_the_reason() -> None:
    with pytest.raises(ModelRefused, match=r"its pattern .*!.* can fail after a repetition without a bound"):
        build("text.count", pattern=[r"\w+!"])


PIECES = st.sampled_from(
    [*(r"\w", r"\d", r"\s", r"\S", "a", "b", "-", "!", ".", "[a-z]", r"[\w-]", "[^a]", r"[^\W\d_]"), *(r"\b", r"\B", "(?!a)")]
)
REPEATS = st.sampled_from(["", "", "", "+", "*", "?", "{2,}", "{1,3}", "+?", "++"])
SEQUENCES = st.recursive(
    st.lists(st.tuples(PIECES, REPEATS).map("".join), min_size=1, max_size=3).map("".join),
    lambda inner: st.tuples(
        st.sampled_from(["", "a", r"\w+", r"\b"]), st.lists(inner, min_size=1, max_size=2).map("|".join), REPEATS
    ).map(lambda parts: f"{parts[0]}(?:{parts[1]}){parts[2]}"),
    max_leaves=3,
)
UNITS = ["a", "b", "1", "-", " ", "a-", "a!", "a ", "ab1!", "aa--"]


@given(
    st.lists(SEQUENCES, min_size=1, max_size=2).map("|".join), st.sampled_from(UNITS), st.sampled_from(["", "!", "1", "-" * 900])
)
def test_a_pattern_that_is_accepted_takes_time_in_proportion_to_the_text(pattern: str, unit: str, end: str) -> None:
    try:
        steps = steps_of(pattern)
    except ValueError:
        assume(False)
    find = re.compile(pattern).findall

    def seconds(length: int) -> float:
        times = []
        for _ in range(3):
            began = time.process_time()
            find((unit * length)[:length] + end)
            times.append(time.process_time() - began)
        return min(times)

    longer = seconds(4000)
    assert longer < 0.01 or longer < 30 * seconds(500), (pattern, steps)  # eight times the text; 64 times if it were quadratic
