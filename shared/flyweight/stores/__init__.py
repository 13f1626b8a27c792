"""Where model files come from: one protocol, a file a kind of store, and the table that finds it by the scheme of an address.

A store module offers `Store(address: str)`. Only the module that an address asks for is imported.
"""

from flyweight.errors import ModelUnavailable, shown
from flyweight.messages import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class Store(Protocol):
        """Objects by key under one address (`s3://bucket/prefix`, `file:/models`); every call ends within its deadline.

        What goes wrong is a StoreUnavailable (down, slow, refused, throttled) or an ObjectAbsent.
        """

        def stat(self, key: str) -> "Stat":
            """What is there now, without its bytes."""
            ...

        def read(self, key: str) -> "tuple[bytes, Stat]":
            """The bytes and what they are."""
            ...

        def write(self, key: str, data: bytes) -> "Stat":
            """Put an object there, whatever there is."""
            ...

        def write_if(self, key: str, data: bytes, expected: "Stat | None") -> "Stat":
            """Put an object there only instead of this one, or, by None, only if there is none.

            :raises Conflict: something else is there; nothing was written.
            """
            ...

        def remove(self, key: str) -> None:
            """Take an object away; one that is not there is gone already."""
            ...

        def keys(self, prefix: str) -> Iterator[str]:
            """The keys that begin so, in order."""
            ...


STORES = {
    "file": "flyweight.stores.files",
    "s3": "flyweight.stores.objects",
    "gs": "flyweight.stores.objects",
    "az": "flyweight.stores.objects",
    "https": "flyweight.stores.web",
    "http": "flyweight.stores.web",
}


@frozen
class Stat:
    """An object as a store knows it: `identity` (ETag or generation) changes with its content; `size` in bytes."""

    identity: str
    size: int


class StoreUnavailable(ModelUnavailable):
    """A store that is down, slow, forbidden or throttled; a later call may find it well."""


class ObjectAbsent(ModelUnavailable):
    """No object of this key."""


class Conflict(ModelUnavailable):
    """A conditional write that found something else than it expected; nothing was written."""


def is_address(text: str) -> bool:
    """Whether a setting names a place in a store and not a path."""
    scheme, colon, _ = text.partition(":")
    return bool(colon) and scheme in STORES


def store_at(address: str) -> "Store":
    """The store at an address.

    :raises StoreUnavailable: no such kind of store, or what it needs is not installed.
    """
    scheme = address.partition(":")[0]
    if scheme not in STORES:
        raise StoreUnavailable(f"{shown(address)} is in none of the stores {', '.join(STORES)}")
    try:
        store: Store = __import__(STORES[scheme], fromlist=["Store"]).Store(address)
    except ImportError as error:
        raise StoreUnavailable(f"a store at {scheme}: needs {error.name}, which is not installed here") from None
    return store
