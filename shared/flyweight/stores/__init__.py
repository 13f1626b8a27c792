"""Where models come from: the address of a store comes in, something that gets, puts and lists objects goes out.

Only the module that an address asks for is imported.
"""

from flyweight.errors import StoreFailed
from flyweight.values import Value, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Protocol

    class Store(Protocol):
        """Objects by key under one root; every call ends within its patience.

        What goes wrong is a StoreFailed: an Absent where nothing is, a Changed where something else is than was expected.
        """

        def head(self, key: str) -> "ObjectMeta":
            """What is there, without its bytes."""
            ...

        def get(self, key: str, limit: int) -> "tuple[bytes, ObjectMeta]":
            """All bytes of an object and what they are.

            :raises ModelRefused: there are more than `limit`; none was read.
            """
            ...

        def put(self, key: str, data: bytes, expected: "str | None") -> "ObjectMeta":
            """Write an object in one piece: by None only where nothing is, by a tag only where that tag is.

            :raises PreconditionFailed: something else is there. It may be what this call itself wrote, if an answer was lost and
                the request was sent again: read it and compare.
            :raises StoreFailed: where it is transient, the object may have been written all the same.
            """
            ...

        def read(self, key: str, mark: "ObjectMeta", start: int, size: int) -> bytes:
            """So many bytes from a place on, fewer where the object ends.

            :raises PreconditionFailed: what is there is no longer what has that mark.
            """
            ...

        def put_stream(self, key: str, chunks: "Iterable[bytes]") -> "ObjectMeta":
            """Write an object of any size over whatever is there; it appears whole, or not at all where `chunks` raises.

            Its patience is for each request, of which there may be many.
            """
            ...

        def keys(self, prefix: str) -> "list[str]":
            """All keys below a folder, sorted; the folder "" is the root."""
            ...

        def delete(self, key: str) -> None:
            """Take an object away; one that is not there is gone already."""
            ...


SCHEMES = ("file", "s3", "gs", "az", "https", "http")
LOCAL_HOSTS = ("127.0.0.1", "localhost")
STORES = {scheme: "flyweight.stores.file" if scheme == "file" else "flyweight.stores.objects" for scheme in SCHEMES}

PIECE = 4 << 20  # bytes that come within one operation's patience, on a slow line too


@frozen
class ObjectMeta(Value):
    """What a store tells of an object beside its bytes: a `tag` that changes with them, `modified` in seconds since 1970."""

    tag: str
    size: int
    modified: float


@frozen
class Timeouts(Value):
    """How long to wait: `connect` for a connection, `seconds` for the whole of one operation with all its `retries`."""

    connect: float = 1.0
    seconds: float = 10.0
    retries: int = 2


def open_store(root: str, patience: "Timeouts | None" = None) -> "Store":
    """The store at a root, such as `s3://bucket/models` or `file:///srv/models`; nothing is asked of it yet.

    :raises StoreFailed: no such kind of store, or what it needs is not installed or not set.
    """
    scheme, colon, _ = root.partition("://")
    if not colon or scheme not in STORES:
        raise StoreFailed(f"a store is at {', '.join(f'{known}://' for known in STORES)}; got {scheme[:20]!r}")
    module = __import__(STORES[scheme], fromlist=["open_root"])
    store: Store = module.open_root(root, patience or Timeouts())
    return store


def is_local(host: str) -> bool:
    """Tell whether HOST or HOST:PORT is this machine, so that nothing has to be encrypted."""
    return host.partition(":")[0] in LOCAL_HOSTS


def stream(store: "Store", key: str, mark: ObjectMeta, start: int = 0) -> "Iterator[bytes]":
    """The bytes of an object from a place on, a few megabytes at a time; each piece has the store's whole patience.

    :raises PreconditionFailed: it was replaced meanwhile.
    """
    while start < mark.size:
        piece = store.read(key, mark, start, PIECE)
        start += len(piece)
        yield piece


def joined(prefix: str, key: str) -> str:
    """A key below a prefix.

    :raises StoreFailed: a key that would lead elsewhere.
    """
    if not {"", ".", ".."}.isdisjoint(key.split("/")) or "\0" in key:
        raise StoreFailed(f"{key[:80]!r} is not a key: one has no empty, '.' or '..' part")
    return f"{prefix}/{key}" if prefix else key
