"""The objects that a case presupposes, in the servers that stand in for stores; and what a case leaves there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from flyweight.errors import ObjectNotFound
from flyweight.stores import open_store
from tests.services.faults import FaultyProxy
from tests.services.fixtures import PATIENT
from tests.services.servers import running

if TYPE_CHECKING:
    from flyweight.stores import Store

ENDS = {"answers": ".jsonl", "rejected": ".rejected.jsonl"}


class Objects:
    """Stores by their addresses, each opened and filled once."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._variables: dict[str, dict[str, str]] = {}
        self._made: set[str] = set()

    def placed(self, objects: dict[str, list[str]]) -> dict[str, str]:
        """Put the lines at their addresses, unless they are there; the settings that lead a function to them."""
        settings: dict[str, str] = {}
        for address, lines in objects.items():
            with self._opened(address) as (store, key):
                try:
                    store.head(key)
                except ObjectNotFound:
                    store.put(key, "\n".join(lines).encode(), None)
            settings |= self._settings(address.partition("://")[0])
        return settings

    def left(self, address: str) -> dict[str, list[Any]]:
        """The documents that scoring the object at an address has left beside it, by what they are."""
        left: dict[str, list[Any]] = {}
        with self._opened(address) as (store, key):
            for name in store.keys(key.rpartition("/")[0]):
                assert ".parts/" not in name, "parts are taken away in the end"
                kind = next((kind for kind in ("rejected", "answers") if name.endswith(ENDS[kind])), "")
                if kind:
                    assert kind not in left, "a file that is scored again comes to the same objects"
                    left[kind] = [json.loads(line) for line in store.get(name, 1 << 20)[0].splitlines()]
        return left

    def _settings(self, scheme: str) -> dict[str, str]:
        if scheme not in self._variables:
            server = running(scheme)
            proxy = FaultyProxy(server.port, type(server).forward)
            self._stack.callback(proxy.close)
            self._variables[scheme] = server.variables(proxy.url)
        return self._variables[scheme]

    @contextmanager
    def _opened(self, address: str) -> Iterator[tuple[Store, str]]:
        """The store of an address, whose bucket is there, and the key; while the environment leads to it."""
        scheme, _, rest = address.partition("://")
        bucket, _, key = rest.partition("/")
        root = f"{scheme}://{bucket}"
        settings = self._settings(scheme)
        if root not in self._made:
            running(scheme).make_bucket(bucket)
            self._made.add(root)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(name, value)
            yield open_store(root, PATIENT), key
