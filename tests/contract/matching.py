"""Compare an expected document with an actual one, and name all the places where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def is_number(value: Any) -> bool:
    """Whether a value is a JSON number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_distribution(value: Any) -> bool:
    """Whether a value is the probabilities of the three classes."""
    return isinstance(value, list) and len(value) == 3 and all(map(is_number, value)) and abs(sum(value) - 1) < 1e-9


KINDS: dict[str, Callable[[Any], bool]] = {
    "<string>": lambda value: isinstance(value, str),
    "<number>": is_number,
    "<probabilities>": is_distribution,
}


def differences(expected: Any, actual: Any, place: str = "body") -> Iterator[str]:
    """Find the differences. Objects may hold more than is expected, lists may not; a word of `KINDS` matches any such value."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            if key not in actual:
                yield f"{place}.{key} is missing"
            else:
                yield from differences(value, actual[key], f"{place}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for position, (value, other) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(value, other, f"{place}[{position}]")
    elif isinstance(expected, str) and expected in KINDS:
        if not KINDS[expected](actual):
            yield f"{place} should be a {expected}, got {actual!r}"
    elif expected != actual or type(expected) is not type(actual):
        yield f"{place} should be {expected!r}, got {actual!r}"
