"""Change sample events at every path, and keep what a handler's sinks got of them.

MUTATIONS=all tries all changes; otherwise each run tries an even share of them.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest

SHARE = None if os.environ.get("MUTATIONS") == "all" else 1500
DELETED = object()
DEEP: Any = json.loads("[" * 900 + "]" * 900)
VALUES: list[Any] = [
    *(DELETED, None, True, 0, -1, 1.5, 10**300, "", " ", "odd \ud800\0'\"\\", "x" * 70_000, "odd:odd", "{}", "null", '{"a": 1}'),
    *([], {}, [None], [[]], ["odd"], {"a": None}, {"": {"b": [1]}}, DEEP),
]

Path_ = tuple[Any, ...]


def opened(value: Any) -> Any:
    """Parse a text that holds an object or an array as JSON; anything else stays as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        with suppress(ValueError):
            return json.loads(value)
    return value


def paths(value: Any, begin: Path_ = (), *, in_texts: bool = False) -> Iterator[Path_]:
    """List the paths of all values in an event, from the outside in.

    :param in_texts: also those of the values in texts of JSON.
    """
    inner = opened(value) if in_texts else value
    pairs = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
    for key, item in pairs:
        yield (*begin, key)
        yield from paths(item, (*begin, key), in_texts=in_texts)


def changed(event: Any, path: Path_, value: Any) -> Any:
    """Copy an event with another value at a path, or with none."""
    if not path:
        return value
    inner = copy.copy(opened(event))
    if len(path) == 1 and value is DELETED:
        del inner[path[0]]
    else:
        inner[path[0]] = changed(inner[path[0]], path[1:], value)
    return json.dumps(inner) if isinstance(event, str) else inner


def changes(events: dict[str, Any], values: list[Any] = VALUES, *, in_texts: bool = False) -> list[tuple[str, Path_, Any]]:
    """List the changes to try, each an event's name, a path and a value: all of them, or an even share."""
    places = [(name, path) for name in events for path in paths(events[name], in_texts=in_texts)]
    everything = [(*place, value) for place in places for value in values]
    step = 1 if SHARE is None else max(1, len(everything) // SHARE) | 1  # odd, so that each value has its turn
    return everything[::step]


class Memory:
    """A sink that keeps documents."""

    def __init__(self) -> None:
        self.documents: list[Any] = []

    def send(self, documents: list[tuple[str, Any]]) -> dict[str, str]:
        """Keep documents, as JSON has them."""
        self.documents += [json.loads(json.dumps(document)) for _, document in documents]
        return {}


class Sinks:
    """The sinks of a handler, in memory."""

    def __init__(self) -> None:
        self.results, self.letters = Memory(), Memory()

    def take(self) -> tuple[list[str], list[str]]:
        """Take the ids of scored and of rejected records that came since the last call."""
        taken = [document["id"] for document in self.results.documents], [document["id"] for document in self.letters.documents]
        self.results.documents, self.letters.documents = [], []
        return taken


@pytest.fixture(scope="module")
def sinks() -> Iterator[Sinks]:
    """Register the module `memory_sinks`, whose sinks are `memory:results` and `memory:letters`."""
    made = Sinks()
    module: Any = ModuleType("memory_sinks")
    module.SCHEMES, module.open_sink = ("memory",), lambda address: getattr(made, address.partition(":")[2])
    sys.modules["memory_sinks"] = module
    yield made
    del sys.modules["memory_sinks"]
