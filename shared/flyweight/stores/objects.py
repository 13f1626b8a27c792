"""Object stores by obstore: keys come in, bytes and marks go out, and every failure is told in flyweight's own words.

obstore's threads don't survive a fork, and a child that used it would wait for them for ever: see `_check_process`.
"""

import os
from functools import partial
from itertools import chain
from time import monotonic, time

from flyweight.errors import FlyweightError, ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.stores import ObjectMeta, clients, joined
from flyweight.stores.uploads import Raised, uploaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from flyweight.stores import Timeouts

# The parts of an operation's whole time. A try that begins at the end of RETRYING and takes all of TRY still ends in time.
TRY = 0.6
RETRYING = 0.3
SILENCE = 0.25  # within which the next byte has to come, or else the rest is asked for again
LAST_WAIT = 0.05
FIRST_WAIT = 0.005
WHOLE = 8 << 20  # bytes that are written in one request; more go as an upload in parts
UPLOADS = 4  # parts on their way at the same time, five megabytes each
# What the library's text holds where it failed to get credentials from a metadata service, before it asked the store.
CREDENTIALS = ("/latest/api/token", "/latest/meta-data/", "computeMetadata", "/metadata/identity", "token request")

_process = 0  # the process that has done I/O


def open_root(root: str, patience: "Timeouts") -> "ObjectStore":
    """The store at `s3://bucket/prefix`, `gs://...`, `az://container/prefix` or `https://host/prefix`."""
    scheme, _, rest = root.partition("://")
    place, _, prefix = rest.partition("/")
    return ObjectStore(scheme, place, prefix, patience)


class ObjectStore:
    """Objects below a prefix of a bucket, of a container or of a web server, which is read only."""

    def __init__(self, scheme: str, place: str, prefix: str, patience: "Timeouts") -> None:
        try:
            import obstore
        except ImportError as error:
            if error.name == "obstore":
                raise StoreFailed(f"{scheme}:// needs obstore, which is not installed here: add flyweight[stores]") from None
            reason = "obstore is here for another processor or Python: build with the --arch and --python of what runs it"
            raise StoreFailed(f"{scheme}:// can't be opened: {reason}") from None
        self._library = obstore
        self._scheme, self._place, self._prefix = scheme, place, prefix
        self._patience = patience
        self._writer: Any = None
        self._reader = self._client({"read_timeout": f"{int(patience.seconds * SILENCE * 1000)}ms"})

    def head(self, key: str) -> ObjectMeta:
        """What is there, without its bytes."""
        path = self._path(key)
        try:
            return self._mark(self._library.head(self._reader, path))
        except Exception as error:
            raise self._told(error, key) from None

    def get(self, key: str, limit: int) -> "tuple[bytes, ObjectMeta]":
        """All bytes of an object and what they are."""
        path = self._path(key)
        try:
            found = self._library.get(self._reader, path)
            mark = self._mark(found.meta)
            if mark.size > limit:
                raise ModelRefused(f"{key} has {mark.size} bytes, more than {limit}")
            data = b"".join(self._in_time(found.stream(), key))
        except Exception as error:
            raise self._told(error, key) from None
        if len(data) != mark.size:
            raise StoreFailed(f"{key} broke off after {len(data)} of {mark.size} bytes", transient=True)
        return data, mark

    def put(self, key: str, data: bytes, expected: "str | None") -> ObjectMeta:
        """Write an object in one request, which carries the condition; `modified` is by this machine's clock."""
        path = self._path(key)
        mode: Any = "create" if expected is None else {"version" if self._scheme == "gs" else "e_tag": expected}
        try:
            done = self._library.put(self._writing(), path, data, mode=mode, use_multipart=False)
            return ObjectMeta(done["version" if self._scheme == "gs" else "e_tag"] or "", len(data), time())
        except Exception as error:
            told = self._told(error, key)
            if isinstance(told, ObjectNotFound):
                told = (
                    PreconditionFailed(f"{key} is gone: someone else changed it first")
                    if expected
                    else ObjectNotFound(f"{self._place} is not there")
                )
            raise told from None

    def read(self, key: str, mark: ObjectMeta, start: int, size: int) -> bytes:
        """So many bytes from a place on, of the object that has that mark."""
        path = self._path(key)
        end = min(start + size, mark.size)
        if end <= start:
            return b""
        try:
            found = self._library.get(self._reader, path, options={"range": (start, end)})
            if self._mark(found.meta).tag != mark.tag:
                raise PreconditionFailed(f"{key} was replaced while it was read")
            data = b"".join(self._in_time(found.stream(), key))
        except Exception as error:
            raise self._told(error, key) from None
        if len(data) != end - start:
            raise StoreFailed(f"{key} broke off after {len(data)} of {end - start} bytes", transient=True)
        return data

    def put_stream(self, key: str, chunks: "Iterable[bytes]") -> ObjectMeta:
        """Write an object in one request or, where it is large, as an upload in parts, which is given up where `chunks` raises.

        A process that is killed meanwhile leaves parts that nobody sees: a bucket's own rules take those away.
        """
        path, library = self._path(key), self._library
        rest = iter(chunks)
        first: list[bytes] = []
        while sum(map(len, first)) <= WHOLE and (chunk := next(rest, None)) is not None:
            first.append(chunk)
        size = sum(map(len, first))
        try:
            if size <= WHOLE:
                done = library.put(self._writing(), path, b"".join(first), mode="overwrite", use_multipart=False)
            else:
                upload = partial(library.put, self._writing(), path, use_multipart=True, max_concurrency=UPLOADS)
                done, size = uploaded(upload, chain(first, rest))
        except Raised as raised:
            raise raised.error from None
        except Exception as error:
            raise self._told(error, key) from None
        return ObjectMeta(done["version" if self._scheme == "gs" else "e_tag"] or "", size, time())

    def keys(self, prefix: str) -> "list[str]":
        """All keys below a folder, sorted."""
        self._refuse_web()
        folder = self._path(prefix) if prefix else self._prefix
        skip = len(self._prefix) + 1 if self._prefix else 0
        try:
            pages = self._in_time(self._library.list(self._reader, folder or None), prefix)
            return sorted(found["path"][skip:] for page in pages for found in page)
        except Exception as error:
            raise self._told(error, prefix) from None

    def delete(self, key: str) -> None:
        """Take an object away."""
        path = self._path(key)
        try:
            self._library.delete(self._writing(), path)
        except Exception as error:
            told = self._told(error, key)
            if not isinstance(told, ObjectNotFound):
                raise told from None

    def _path(self, key: str) -> str:
        _check_process()
        return joined(self._prefix, key)

    def _writing(self) -> "Any":
        """A client of its own: it waits in silence while it sends."""
        self._refuse_web()
        if self._writer is None:
            self._writer = self._client({})
        return self._writer

    def _refuse_web(self) -> None:
        if self._scheme.startswith("http"):
            raise StoreFailed("a web server can only be read from, key by key: use file://, s3://, gs:// or az://")

    def _client(self, options: "dict[str, Any]") -> "Any":
        from datetime import timedelta

        patience = self._patience
        whole = timedelta(seconds=patience.seconds)
        options |= {"connect_timeout": f"{int(patience.connect * 1000)}ms", "timeout": f"{int(patience.seconds * TRY * 1000)}ms"}
        backoff = {"init_backoff": whole * FIRST_WAIT, "max_backoff": whole * LAST_WAIT, "base": 2}
        retries = {"max_retries": patience.retries, "retry_timeout": whole * RETRYING, "backoff": backoff}
        try:
            return clients.MAKERS[self._scheme](self._place, options, retries)
        except FlyweightError:
            raise
        except Exception as error:
            missing = "its account, region and credentials come from the environment"
            raise StoreFailed(f"{self._scheme}://{self._place} can't be opened ({type(error).__name__}): {missing}") from None

    def _mark(self, meta: "Any") -> ObjectMeta:
        modified = meta["last_modified"].timestamp()
        tag = meta["version"] if self._scheme == "gs" else meta["e_tag"]
        return ObjectMeta(tag or f"{modified}-{meta['size']}", meta["size"], modified)

    def _in_time(self, parts: "Any", key: str) -> "Iterator[Any]":
        deadline = monotonic() + self._patience.seconds
        for part in parts:
            yield part
            if monotonic() > deadline:
                raise StoreFailed(f"{key or 'the list of keys'} took longer than {self._patience.seconds:g} s", transient=True)

    def _told(self, error: Exception, key: str) -> FlyweightError:
        """What went wrong, without the library's own text: that repeats URLs, and what the server says."""
        known = self._library.exceptions
        place = f"{self._scheme}://{self._place}: {key or 'the list of keys'}"
        if isinstance(error, FlyweightError):
            return error
        if isinstance(error, FileNotFoundError):
            return ObjectNotFound(f"{place} is not there")
        if isinstance(error, (known.AlreadyExistsError, known.PreconditionError)):
            return PreconditionFailed(f"{place} is not what was expected: someone else changed it first")
        if isinstance(error, (known.PermissionDeniedError, known.UnauthenticatedError)):
            return StoreFailed(f"{place} is forbidden to this deployment's credentials")
        text = str(error)
        if any(sign in text for sign in CREDENTIALS):
            return StoreFailed(f"{place}: no credentials in the environment, and none from the platform", transient=True)
        status = text.partition("status code: ")[2][:3]
        if status:
            # what the server says of the request stays true of the next one, but for "too many" and "too slow"
            return StoreFailed(f"{place}: the store answers {status}", transient=status[0] == "5" or status in ("408", "429"))
        transient = isinstance(error, known.GenericError)
        return StoreFailed(
            f"{place} can't be reached, or not read whole in time" if transient else f"{place} can't be asked for", transient
        )


def _check_process() -> None:
    """Note the first process that does I/O.

    :raises StoreFailed: this is a child of that one.
    """
    global _process
    if _process not in (0, os.getpid()):
        raise StoreFailed(
            "this process was forked from one that has used a store, and would wait for ever: open stores after the fork"
        )
    _process = os.getpid()
