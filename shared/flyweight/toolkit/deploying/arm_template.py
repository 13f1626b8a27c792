"""An ARM template and parameters to what it would create: its conditions evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flyweight.toolkit.deploying.target import Piece

TOKENS = re.compile(r"\w+|'[^']*'|[(),]")


def pieces(resources: Sequence[Mapping[str, Any]], settings: Mapping[str, str]) -> list[Piece]:
    """The resources that these parameters make, each with the condition that it is made on."""
    found = []
    for one in resources:
        condition = str(one.get("condition", "")).strip("[]")
        if not condition or _value(iter(_tokens(condition)), settings):
            found.append(Piece(str(one["name"]).strip("[]"), str(one["type"]), condition))
    return found


def _tokens(text: str) -> list[str]:
    return TOKENS.findall(text)


def _value(tokens: Iterator[str], settings: Mapping[str, str]) -> Any:
    """One expression, a call of a function or a text."""
    word = next(tokens)
    if word.startswith("'"):
        return word.strip("'")
    arguments = []
    for mark in tokens:  # "(" and then "," before each argument, ")" in the end
        if mark == ")":
            break
        arguments.append(_value(tokens, settings))
    return _called(word, arguments, settings)


def _called(word: str, arguments: list[Any], settings: Mapping[str, str]) -> Any:
    if word == "parameters":
        told = settings.get(arguments[0], "")
        return {"true": True, "false": False}.get(told.lower(), told)
    if word in ("and", "or"):
        return (all if word == "and" else any)(arguments)
    if word in ("not", "empty"):
        return not arguments[0]
    raise ValueError(f"{word} stands in a condition, which is not understood here")
