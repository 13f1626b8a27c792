"""The objects that a case needs in a store, on servers that stand in for the clouds' stores, and what a case leaves there."""

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
    """Fill stores with objects, and read what a function wrote beside them; every object is written once."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._variables: dict[str, dict[str, str]] = {}
        self._made: set[str] = set()

    def placed(self, objects: dict[str, list[str]]) -> dict[str, str]:
        """Put the lines at their addresses, unless they are there.

        :returns: the settings with which a function finds these stores.
        """
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
        """Read the documents that scoring an object has written beside it, by kind: `answers` and `rejected`."""
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
        """Open the store of an address, with its bucket made and the environment set for it.

        :returns: the store, and the key in it.
        """
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
