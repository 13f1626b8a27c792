"""Change sample events at every path, and keep what a handler's sinks got of them.

MUTATIONS=all tries all changes; otherwise each run tries an even share of them.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Iterator
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


def paths(value: Any, begin: Path_ = ()) -> Iterator[Path_]:
    """List the paths of all values in an event, from the outside in."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*begin, key)
        yield from paths(inner, (*begin, key))


def changed(event: Any, path: Path_, value: Any) -> Any:
    """Copy an event with another value at a path, or with none."""
    event = copy.deepcopy(event)
    place = event
    for key in path[:-1]:
        place = place[key]
    if value is DELETED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return event


def changes(events: dict[str, Any]) -> list[tuple[str, Path_, Any]]:
    """List the changes to try, each an event's name, a path and a value: all of them, or an even share."""
    everything = [(name, path, value) for name in events for path in paths(events[name]) for value in VALUES]
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
