"""Keep objects as files of HDFS, by WebHDFS and the standard library.

`webhdfs://NAMENODE:9870/models` speaks plain HTTP, `swebhdfs://NAMENODE:9871/models` HTTPS, as Hadoop's own addresses do; data
goes to and comes from the data nodes that the name node names.
https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html

HDFS can rename a file onto a free name at once, or onto any, but not onto a file that is the expected one. Replacing and deleting
therefore take a lock, a file beside the object; files whose names begin with a dot are the store's own.
"""

import os
from contextlib import contextmanager, suppress
from time import monotonic, sleep

from flyweight.errors import ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.settings import variable
from flyweight.stores import PIECE, ObjectMeta, is_local, joined
from flyweight.stores.webhdfs_client import Client, FileExists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from flyweight.stores import Timeouts

SCHEMES = {"webhdfs": "http", "swebhdfs": "https"}
USER, TOKEN = "HADOOP_USER_NAME", "WEBHDFS_DELEGATION_TOKEN"
STALE = 60.0  # seconds after which a lock is nobody's: its owner gives up after half of them
WAIT = 0.02  # seconds before a lock is tried again


def open_root(root: str, timeouts: "Timeouts") -> "WebHdfsStore":
    """Open the store at `webhdfs://HOST:PORT/folder` or `swebhdfs://HOST:PORT/folder`.

    :raises StoreFailed: there is a token, and it would be sent in plain text to another machine.
    """
    return WebHdfsStore(root, timeouts)


class WebHdfsStore:
    """Files below a folder of HDFS.

    :raises StoreFailed: there is a token, and it would be sent in plain text to another machine.
    """

    def __init__(self, root: str, timeouts: "Timeouts") -> None:
        scheme, _, rest = root.partition("://")
        host, _, prefix = rest.partition("/")
        self._prefix = prefix.strip("/")
        token, user = variable(TOKEN), variable(USER)
        if token and scheme == "webhdfs" and not is_local(host):
            raise StoreFailed(f"webhdfs:// would send {TOKEN} to {host[:80]} in plain text: use swebhdfs://")
        identity = {"delegation": token} if token else {"user.name": user} if user else {}
        self._client = Client(f"{SCHEMES[scheme]}://{host}", f"{scheme}://{host}", identity, timeouts)
        self._timeouts = timeouts

    def head(self, key: str) -> ObjectMeta:
        """Get the tag, size and time of a file.

        :raises StoreFailed: as `Store`.
        """
        return self._meta(self._path(key), key)

    def get(self, key: str, limit: int) -> "tuple[bytes, ObjectMeta]":
        """Read a whole file, with its tag, size and time.

        :raises ModelRefused: the file is larger than `limit` bytes; nothing was read.
        :raises StoreFailed: as `Store`; or the file was replaced while it was read.
        """
        meta, deadline = self.head(key), monotonic() + self._timeouts.seconds
        while True:
            if meta.size > limit:
                raise ModelRefused(f"{key} has {meta.size} bytes, the limit is {limit}")
            data = self._client.read(self._path(key), 0, meta.size, key) if meta.size else b""
            before, meta = meta, self.head(key)
            if meta.tag == before.tag:
                break
            if monotonic() > deadline:
                raise StoreFailed(f"{key} changed while it was read", transient=True)
        if len(data) != meta.size:
            raise StoreFailed(f"{key} broke off after {len(data)} of {meta.size} bytes", transient=True)
        return data, meta

    def read(self, key: str, meta: ObjectMeta, start: int, size: int) -> bytes:
        """Read `size` bytes of a file from byte `start` on, fewer if the file ends.

        :raises PreconditionFailed: the file was replaced since `meta` was read.
        :raises StoreFailed: as `Store`.
        """
        end = min(start + size, meta.size)
        data = self._client.read(self._path(key), start, end - start, key) if end > start else b""
        if self.head(key).tag != meta.tag:
            raise PreconditionFailed(f"{key} was replaced while it was read")
        if len(data) != max(0, end - start):
            raise StoreFailed(f"{key} broke off after {len(data)} of {end - start} bytes", transient=True)
        return data

    def put(self, key: str, data: bytes, expected: "str | None") -> ObjectMeta:
        """Write a file under another name, and rename it if the file before is the expected one.

        :raises PreconditionFailed: another file is there.
        :raises StoreFailed: as `Store`.
        """
        path = self._path(key)
        with self._aside(path) as aside:
            self._client.create(aside, data, key)
            meta = self._meta(aside, key)
            if expected is None:
                self._rename_to_free(aside, path, key, meta)
                return meta
            with self._locked(path, key) as is_held:
                try:
                    same = self._meta(path, key).tag == expected
                except ObjectNotFound:
                    same = False
                if not same:
                    raise PreconditionFailed(f"{key} is not the expected object: someone else changed it first")
                is_held()
                self._client.rename(aside, path, True, key)
        return meta

    def put_stream(self, key: str, chunks: "Iterable[bytes]") -> ObjectMeta:
        """Write a file of any size under another name, a piece a request, and rename it.

        :raises StoreFailed: as `Store`.
        """
        path = self._path(key)
        with self._aside(path) as aside:
            pieces = _pieces(chunks)
            self._client.create(aside, next(pieces, b""), key)
            for piece in pieces:
                self._client.append(aside, piece, key)
            meta = self._meta(aside, key)
            with self._locked(path, key) as is_held:
                is_held()
                self._client.rename(aside, path, True, key)
        return meta

    def keys(self, prefix: str) -> "list[str]":
        """List all keys below a folder, sorted.

        :raises StoreFailed: as `Store`.
        """
        top = self._path(prefix) if prefix else self._prefix
        skip = len(self._prefix) + 1 if self._prefix else 0
        found: list[str] = []
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            try:
                answer = self._client.ask("GET", "LISTSTATUS", folder, {}, prefix).get("FileStatuses")
            except ObjectNotFound:  # deleted meanwhile, or never there
                continue
            listed = answer.get("FileStatus") if isinstance(answer, dict) else None
            for status in listed if isinstance(listed, list) else [None]:
                checked = self._checked(status, prefix)
                name, is_folder = checked.get("pathSuffix", ""), checked["type"] == "DIRECTORY"
                if name and not name.startswith("."):
                    (waiting if is_folder else found).append(f"{folder}/{name}".lstrip("/"))
        return sorted(path[skip:] for path in found)

    def delete(self, key: str) -> None:
        """Delete a file; nothing happens if no file has the key.

        :raises StoreFailed: as `Store`.
        """
        path = self._path(key)
        with suppress(ObjectNotFound):
            self._meta(path, key)
            with self._locked(path, key) as is_held:
                is_held()
                self._client.delete(path, key)

    def _path(self, key: str) -> str:
        return joined(self._prefix, key)

    def _meta(self, path: str, key: str) -> ObjectMeta:
        """Get the metadata of a file; its tag is its number, which each new file has, with its time and size.

        :raises StoreFailed: as `Store`.
        """
        status = self._checked(self._client.ask("GET", "GETFILESTATUS", path, {}, key).get("FileStatus"), key)
        if status["type"] != "FILE":
            raise ObjectNotFound(f"{self._client.name}: {key} is not there: it is a folder")
        size, changed = status["length"], status["modificationTime"]
        return ObjectMeta(f"{status.get('fileId', 0)}-{changed}-{size}", size, changed / 1000)

    def _checked(self, status: "Any", key: str) -> "dict[str, Any]":
        """Check that the answer of a name node says what a file is; no name leads to another folder.

        :raises StoreFailed: it does not.
        """
        if isinstance(status, dict):
            numbers, name = (status.get("length"), status.get("modificationTime")), status.get("pathSuffix", "")
            if all([type(number) is int for number in numbers]) and isinstance(name, str) and "/" not in name:
                return {"type": "", **status}
        raise StoreFailed(f"{self._client.name}: {key or 'the list of keys'}: the answer is not one of WebHDFS", transient=True)

    def _rename_to_free(self, aside: str, path: str, key: str, meta: ObjectMeta) -> None:
        """Give a file its name, which no file has.

        :raises PreconditionFailed: one has it, which is not this one.
        :raises StoreFailed: as `Store`.
        """
        try:
            self._client.rename(aside, path, False, key)
        except (FileExists, ObjectNotFound):
            with suppress(ObjectNotFound):
                if self._meta(path, key).tag == meta.tag:  # an answer was lost, and the request was sent again
                    return
            raise PreconditionFailed(f"{key} is not the expected object: someone else changed it first") from None

    @contextmanager
    def _aside(self, path: str) -> "Iterator[str]":
        """Choose a name beside a file, and delete what is left there if the block raises."""
        aside = _beside(path, f"{os.urandom(8).hex()}.new")
        try:
            yield aside
        except BaseException:
            with suppress(StoreFailed):
                self._client.delete(aside, path)
            raise

    @contextmanager
    def _locked(self, path: str, key: str) -> "Iterator[Any]":
        """Hold the lock of a file; it is a file that only one client can create.

        :returns: a function that raises StoreFailed if the lock may have become somebody else's.
        :raises StoreFailed: somebody holds it for longer than the timeout.
        """
        lock, began = _beside(path, "lock"), monotonic()
        while True:
            try:
                taken = monotonic()
                self._client.create(lock, b"", key, overwrite=False)
                break
            except FileExists:
                if monotonic() > began + self._timeouts.seconds:
                    raise StoreFailed(f"{key} is being written by someone else, for too long", transient=True) from None
                self._clear(lock, key)
                sleep(WAIT)

        def is_held() -> None:
            if monotonic() > taken + STALE / 2:
                raise StoreFailed(f"{key} took too long to write", transient=True)

        try:
            yield is_held
        finally:
            if monotonic() < taken + STALE / 2:  # else it may be another's
                with suppress(StoreFailed):
                    self._client.delete(lock, key)

    def _clear(self, lock: str, key: str) -> None:
        """Delete a lock that is too old, by the name node's clock."""
        with suppress(ObjectNotFound, FileExists):
            if self._client.now - self._meta(lock, key).modified > STALE:
                away = _beside(lock, os.urandom(8).hex())
                self._client.rename(lock, away, False, key)  # only one client can
                self._client.delete(away, key)


def _beside(path: str, ending: str) -> str:
    """Make a name of the store's own beside a file."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.{ending}"


def _pieces(chunks: "Iterable[bytes]") -> "Iterator[bytes]":
    """Join small chunks, and cut large ones, to pieces of PIECE bytes; the last is shorter."""
    held = b""
    for chunk in chunks:
        held += chunk
        while len(held) >= PIECE:
            yield held[:PIECE]
            held = held[PIECE:]
    if held:
        yield held
