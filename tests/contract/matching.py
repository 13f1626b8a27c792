"""An expected document against the one that came: all the places where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KINDS = {"<string>": str, "<number>": (int, float)}


def differences(expected: Any, actual: Any, place: str = "body") -> Iterator[str]:
    """Objects may hold more than is expected, lists may not; "<string>" and "<number>" stand for any value of that kind."""
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
        if not isinstance(actual, KINDS[expected]) or isinstance(actual, bool):
            yield f"{place} should be a {expected}, got {actual!r}"
    elif expected != actual or type(expected) is not type(actual):
        yield f"{place} should be {expected!r}, got {actual!r}"
