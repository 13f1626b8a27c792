"""Open stores, which read, write and list objects by key.

Only the module for the scheme of an address is imported.
"""

from flyweight.errors import StoreFailed
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Protocol

    class Store(Protocol):
        """Objects by key under one root; every call ends within the store's timeouts.

        Every method raises StoreFailed if it fails: ObjectNotFound if no object has the key, PreconditionFailed if the object is
        not the expected one.
        """

        def head(self, key: str) -> "ObjectMeta":
            """Get the tag, size and time of an object."""
            ...

        def get(self, key: str, limit: int) -> "tuple[bytes, ObjectMeta]":
            """Read a whole object, with its tag, size and time.

            :param limit: the largest size that is read, in bytes.
            :raises ModelRefused: the object is larger; nothing was read.
            """
            ...

        def put(self, key: str, data: bytes, expected: "str | None") -> "ObjectMeta":
            """Write an object in one piece, on a condition.

            :param expected: the tag of the object that is replaced; None: no object may have this key.
            :raises PreconditionFailed: another object is there. It may be the one that this call wrote, if an answer was lost and
                the request was sent again: read it and compare.
            :raises StoreFailed: if it is transient, the object may have been written nevertheless.
            """
            ...

        def read(self, key: str, meta: "ObjectMeta", start: int, size: int) -> bytes:
            """Read `size` bytes of an object from byte `start` on, fewer if the object ends.

            :param meta: of the object, as `head` or `get` gave it.
            :raises PreconditionFailed: the object was replaced since.
            """
            ...

        def put_stream(self, key: str, chunks: "Iterable[bytes]") -> "ObjectMeta":
            """Write an object of any size, on no condition; it appears as a whole, or not at all if `chunks` raises.

            The timeouts hold for each request, of which there may be many.
            """
            ...

        def keys(self, prefix: str) -> "list[str]":
            """List all keys below a folder, sorted; the folder "" is the root."""
            ...

        def delete(self, key: str) -> None:
            """Delete an object; nothing happens if no object has the key."""
            ...


SCHEMES = ("file", "s3", "gs", "az", "https", "http", "webhdfs", "swebhdfs")
LOCAL_HOSTS = ("127.0.0.1", "localhost")
STORES = {
    "file": "flyweight.stores.file",
    "s3": "flyweight.stores.s3",
    **dict.fromkeys(("gs", "az"), "flyweight.stores.objects"),
    **dict.fromkeys(("https", "http"), "flyweight.stores.web"),
    **dict.fromkeys(("webhdfs", "swebhdfs"), "flyweight.stores.webhdfs"),
}

PIECE = 4 << 20  # bytes that one operation can read within its timeouts on a slow line, too

# Shares of an operation's whole time. A try that begins at the end of RETRYING and takes all of TRY still ends in time.
TRY = 0.6
RETRYING = 0.3
SILENCE = 0.25  # without a byte, after which the request is sent again
FIRST_WAIT, LAST_WAIT = 0.005, 0.05  # before another try


class ObjectMeta(Value):
    """The metadata of an object: a tag that changes with its bytes, its size, and the time of its last change."""

    tag: str
    size: int  # in bytes
    modified: float  # in seconds since 1970


class Timeouts(Value):
    """The limits of one operation on a store."""

    connect: float = 1.0  # seconds for a connection
    seconds: float = 10.0  # for the whole operation with all its retries
    retries: int = 2


def open_store(root: str, timeouts: "Timeouts | None" = None) -> "Store":
    """Open the store at a root, such as `s3://bucket/models` or `file:///srv/models`; no request is sent yet.

    :param timeouts: None: the default ones.
    :raises StoreFailed: an unknown scheme, or a library or a setting that the store needs is missing.
    """
    scheme, colon, _ = root.partition("://")
    if not colon or scheme not in STORES:
        raise StoreFailed(f"a store is at {', '.join(f'{known}://' for known in STORES)}; got {scheme[:20]!r}")
    module = __import__(STORES[scheme], fromlist=["open_root"])
    store: Store = module.open_root(root, timeouts or Timeouts())
    return store


def is_local(host: str) -> bool:
    """Tell whether HOST or HOST:PORT is this machine, so that encryption is not needed."""
    return host.rpartition("@")[2].partition(":")[0] in LOCAL_HOSTS


def is_plain(url: str) -> bool:
    """Tell whether a URL is reached by plain http.

    :raises StoreFailed: it is, and it is not on this machine.
    """
    if not url.startswith("http://"):
        return False
    host = url.removeprefix("http://").partition("/")[0].rpartition("@")[2]  # without a password
    if not is_local(host):
        raise StoreFailed(f"plain http is for this machine only, but the endpoint is {host[:80]}: use https")
    return True


def stream(store: "Store", key: str, meta: ObjectMeta, start: int = 0) -> "Iterator[bytes]":
    """Read an object from byte `start` on, PIECE bytes at a time; the store's timeouts hold for each piece.

    :param meta: of the object, as `head` or `get` gave it.
    :raises PreconditionFailed: the object was replaced meanwhile.
    :raises StoreFailed: the store can't be read.
    """
    while start < meta.size:
        piece = store.read(key, meta, start, PIECE)
        start += len(piece)
        yield piece


def joined(prefix: str, key: str) -> str:
    """Join a prefix and a key.

    :raises StoreFailed: the key would leave the prefix.
    """
    if not {"", ".", ".."}.isdisjoint(key.split("/")) or "\0" in key:
        raise StoreFailed(f"{key[:80]!r} is not a key: a key has no empty, '.' or '..' part")
    return f"{prefix}/{key}" if prefix else key
