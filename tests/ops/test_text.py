"""Hashed terms: those that were met are kept, a bounded number, and give the same columns."""

from __future__ import annotations

import random
from typing import Any

import pytest

from flyweight.ops import Node, text
from flyweight.ops.text import SHORT, Hash

WORDS: dict[str, Any] = {
    "analyzer": "word",
    "pattern": [r"(?u)\b\w\w+\b"],
    "lowercase": True,
    "accents": "keep",
    "ngrams": [1, 2],
    "names": ["text"],
}


def hashing() -> Hash:
    return Hash(Node({"op": "text.hash", **WORDS, "width": 64, "signs": True, "binary": False}, ("s",), {}))


def test_terms_that_were_met_have_the_same_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(0)
    words = [f"word{number}" for number in range(60)] + ["w" * (SHORT + 1)]
    texts = [" ".join(chance.choices(words, k=12)) for _ in range(80)]
    expected = [hashing().row([one]) for one in texts]
    monkeypatch.setattr(text, "PLACES", 7)
    op = hashing()
    assert [op.row([one]) for one in texts] == expected
    assert 0 < len(op._places) <= 7 and max(map(len, op._places)) <= SHORT
