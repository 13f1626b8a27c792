"""Object stores by obstore; every failure becomes one of flyweight's own errors.

obstore's threads don't survive a fork, and a child that used it would wait for them for ever: see `_check_process`.
"""

import os
from functools import partial
from itertools import chain
from time import monotonic, time

from flyweight import stores
from flyweight.errors import FlyweightError, ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.stores import ObjectMeta, clients, joined
from flyweight.stores.uploads import ChunkError, upload_chunks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from flyweight.stores import Timeouts

WHOLE = 8 << 20  # bytes that are written in one request; more go as an upload in parts
UPLOADS = 4  # parts that are sent at the same time, five megabytes each
# Parts of the library's message after it failed to get credentials from a metadata service, before it reached the store.
CREDENTIALS = ("/latest/api/token", "/latest/meta-data/", "computeMetadata", "/metadata/identity", "token request")

_process = 0  # the process that has used a store


def open_root(root: str, timeouts: "Timeouts", reason: str = "") -> "ObjectStore":
    """Open the store at `s3://bucket/prefix`, `gs://...` or `az://container/prefix`.

    :param reason: why obstore is needed, for the message.
    :raises StoreFailed: obstore is not installed, or a setting that it needs is missing.
    """
    scheme, _, rest = root.partition("://")
    place, _, prefix = rest.partition("/")
    return ObjectStore(scheme, place, prefix, timeouts, reason)


class ObjectStore:
    """Objects below a prefix of a bucket or a container.

    :raises StoreFailed: obstore is not installed, or a setting that it needs is missing.
    """

    def __init__(self, scheme: str, place: str, prefix: str, timeouts: "Timeouts", reason: str = "") -> None:
        try:
            import obstore
        except ImportError as error:
            if error.name == "obstore":
                needs = f"{scheme}:// needs obstore{reason}, which is not installed here"
                raise StoreFailed(f"{needs}: install flyweight with the extra `stores`") from None
            reason = "obstore is installed for another processor or Python: build with the --arch and --python of the platform"
            raise StoreFailed(f"{scheme}:// can't be opened: {reason}") from None
        self._library = obstore
        self._scheme, self._place, self._prefix = scheme, place, prefix
        self._timeouts = timeouts
        self._tag_name = "version" if scheme == "gs" else "e_tag"
        self._writer: Any = None
        self._reader = self._client({"read_timeout": f"{int(timeouts.seconds * stores.SILENCE * 1000)}ms"})

    def head(self, key: str) -> ObjectMeta:
        """Get the tag, size and time of an object.

        :raises StoreFailed: as `Store`.
        """
        path = self._path(key)
        try:
            return self._object_meta(self._library.head(self._reader, path))
        except Exception as error:
            raise self._failure(error, key) from None

    def get(self, key: str, limit: int) -> "tuple[bytes, ObjectMeta]":
        """Read a whole object, with its tag, size and time.

        :raises ModelRefused: the object is larger than `limit` bytes; nothing was read.
        :raises StoreFailed: as `Store`.
        """
        path = self._path(key)
        try:
            result = self._library.get(self._reader, path)
            meta = self._object_meta(result.meta)
            if meta.size > limit:
                raise ModelRefused(f"{key} has {meta.size} bytes, the limit is {limit}")
            data = b"".join(self._in_time(result.stream(), key))
        except Exception as error:
            raise self._failure(error, key) from None
        if len(data) != meta.size:
            raise StoreFailed(f"{key} broke off after {len(data)} of {meta.size} bytes", transient=True)
        return data, meta

    def put(self, key: str, data: bytes, expected: "str | None") -> ObjectMeta:
        """Write an object in one request, which carries the condition; `modified` is by this machine's clock.

        :raises PreconditionFailed: as `Store.put`.
        :raises StoreFailed: as `Store.put`.
        """
        path = self._path(key)
        mode: Any = "create" if expected is None else {self._tag_name: expected}
        try:
            result: Any = self._library.put(self._write_client(), path, data, mode=mode, use_multipart=False)
            return ObjectMeta(result[self._tag_name] or "", len(data), time())
        except Exception as error:
            failure = self._failure(error, key)
            if isinstance(failure, ObjectNotFound):
                if expected:
                    failure = PreconditionFailed(f"{key} is gone: someone else changed it first")
                else:
                    failure = ObjectNotFound(f"{self._place} is not there")
            raise failure from None

    def read(self, key: str, meta: ObjectMeta, start: int, size: int) -> bytes:
        """Read `size` bytes of an object from byte `start` on, fewer if the object ends.

        :raises PreconditionFailed: the object was replaced since `meta` was read.
        :raises StoreFailed: as `Store`.
        """
        path = self._path(key)
        end = min(start + size, meta.size)
        if end <= start:
            return b""
        try:
            result = self._library.get(self._reader, path, options={"range": (start, end)})
            if self._object_meta(result.meta).tag != meta.tag:
                raise PreconditionFailed(f"{key} was replaced while it was read")
            data = b"".join(self._in_time(result.stream(), key))
        except Exception as error:
            raise self._failure(error, key) from None
        if len(data) != end - start:
            raise StoreFailed(f"{key} broke off after {len(data)} of {end - start} bytes", transient=True)
        return data

    def put_stream(self, key: str, chunks: "Iterable[bytes]") -> ObjectMeta:
        """Write an object in one request or, if it is large, as an upload in parts, which is aborted if `chunks` raises.

        A process that is killed meanwhile leaves parts that nobody sees; the bucket's own rules delete them.

        :raises StoreFailed: as `Store`.
        """
        path, library = self._path(key), self._library
        rest = iter(chunks)
        first: list[bytes] = []
        while sum(map(len, first)) <= WHOLE and (chunk := next(rest, None)) is not None:
            first.append(chunk)
        size = sum(map(len, first))
        try:
            if size <= WHOLE:
                result = library.put(self._write_client(), path, b"".join(first), mode="overwrite", use_multipart=False)
            else:
                upload = partial(library.put, self._write_client(), path, use_multipart=True, max_concurrency=UPLOADS)
                result, size = upload_chunks(upload, chain(first, rest))
        except ChunkError as error:
            raise error.error from None
        except Exception as error:
            raise self._failure(error, key) from None
        return ObjectMeta(result[self._tag_name] or "", size, time())

    def keys(self, prefix: str) -> "list[str]":
        """List all keys below a folder, sorted.

        :raises StoreFailed: as `Store`.
        """
        folder = self._path(prefix) if prefix else self._prefix
        skip = len(self._prefix) + 1 if self._prefix else 0
        try:
            pages = self._in_time(self._library.list(self._reader, folder or None), prefix)
            return sorted(meta["path"][skip:] for page in pages for meta in page)
        except Exception as error:
            raise self._failure(error, prefix) from None

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens if no object has the key.

        :raises StoreFailed: as `Store`.
        """
        path = self._path(key)
        try:
            self._library.delete(self._write_client(), path)
        except Exception as error:
            failure = self._failure(error, key)
            if not isinstance(failure, ObjectNotFound):
                raise failure from None

    def _path(self, key: str) -> str:
        """Make the path of a key.

        :raises StoreFailed: the key is malformed, or this process must not use a store.
        """
        _check_process()
        return joined(self._prefix, key)

    def _write_client(self) -> "Any":
        """Get the client that writes, which has no limit on silence: none comes while it sends."""
        if self._writer is None:
            self._writer = self._client({})
        return self._writer

    def _client(self, options: "dict[str, Any]") -> "Any":
        """Make a client of the library.

        :param options: the library's options for HTTP, to which the timeouts are added.
        :raises StoreFailed: a setting is missing.
        """
        from datetime import timedelta

        timeouts = self._timeouts
        whole, one = timedelta(seconds=timeouts.seconds), int(timeouts.seconds * stores.TRY * 1000)
        options |= {"connect_timeout": f"{int(timeouts.connect * 1000)}ms", "timeout": f"{one}ms"}
        backoff = {"init_backoff": whole * stores.FIRST_WAIT, "max_backoff": whole * stores.LAST_WAIT, "base": 2}
        retries = {"max_retries": timeouts.retries, "retry_timeout": whole * stores.RETRYING, "backoff": backoff}
        try:
            return clients.MAKERS[self._scheme](self._place, options, retries)
        except FlyweightError:
            raise
        except Exception as error:
            missing = "its account, region and credentials come from the environment"
            raise StoreFailed(f"{self._scheme}://{self._place} can't be opened ({type(error).__name__}): {missing}") from None

    def _object_meta(self, meta: "Any") -> ObjectMeta:
        """Convert the library's metadata."""
        return ObjectMeta(meta[self._tag_name] or "", meta["size"], meta["last_modified"].timestamp())

    def _in_time(self, parts: "Any", key: str) -> "Iterator[Any]":
        """Pass parts on until the operation's time is over.

        :raises StoreFailed: the operation took longer.
        """
        deadline = monotonic() + self._timeouts.seconds
        for part in parts:
            yield part
            if monotonic() > deadline:
                raise StoreFailed(f"{key or 'the list of keys'} took longer than {self._timeouts.seconds:g} s", transient=True)

    def _failure(self, error: Exception, key: str) -> FlyweightError:
        """Convert an error, without the library's message, which repeats URLs and the server's text."""
        known = self._library.exceptions
        place = f"{self._scheme}://{self._place}: {key or 'the list of keys'}"
        if isinstance(error, FlyweightError):
            return error
        if isinstance(error, FileNotFoundError):
            return ObjectNotFound(f"{place} is not there")
        if isinstance(error, (known.AlreadyExistsError, known.PreconditionError)):
            return PreconditionFailed(f"{place} is not the expected object: someone else changed it first")
        if isinstance(error, (known.PermissionDeniedError, known.UnauthenticatedError)):
            return StoreFailed(f"{place} is forbidden to this deployment's credentials")
        text = str(error)
        if any(sign in text for sign in CREDENTIALS):
            return StoreFailed(f"{place}: no credentials in the environment, and none from the platform", transient=True)
        status = text.partition("status code: ")[2][:3]
        if status:
            # an error of the request is one of the next request too, unless it is "too many" or "too slow"
            return StoreFailed(f"{place}: the store answers {status}", transient=status[0] == "5" or status in ("408", "429"))
        transient = isinstance(error, known.GenericError)
        return StoreFailed(
            f"{place} can't be reached, or not read whole in time" if transient else f"{place} can't be requested", transient
        )


def _check_process() -> None:
    """Remember the first process that uses a store.

    :raises StoreFailed: this process is a child of that one.
    """
    global _process
    if _process not in (0, os.getpid()):
        raise StoreFailed(
            "this process was forked from one that has used a store, and would wait for ever: use stores after the fork only"
        )
    _process = os.getpid()
