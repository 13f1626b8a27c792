"""Read objects from a web server by the standard library: obstore would follow a redirect to any host, and can't be told not to.

A redirect to another path of the same scheme, host and port is followed; any other is refused.
"""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR
from threading import Timer
from time import monotonic, sleep
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from flyweight.errors import ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.stores import ObjectMeta, is_local, joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flyweight.stores import Timeouts

SILENCE = 0.25  # of an operation's whole time without a byte, after which the request is sent again
FIRST_WAIT = 0.02  # seconds before a request is sent again
PIECE = 1 << 16  # bytes read at a time
UNRESERVED = "/@!$&'()*+,;=:~"  # stays as it is in a path: https://www.rfc-editor.org/rfc/rfc3986#section-3.3


def open_root(root: str, timeouts: "Timeouts") -> "WebStore":
    """Open the store at `https://host/prefix`.

    :raises StoreFailed: plain http, and not to this machine.
    """
    return WebStore(root, timeouts)


class _Here(HTTPRedirectHandler):
    """Follows redirects to the same scheme, host and port only.

    :raises StoreFailed: the server redirects to another place.
    """

    def redirect_request(self, req: "Any", fp: "Any", code: int, msg: str, headers: "Any", newurl: str) -> "Any":
        """Make the request for the place that a redirect names; the message does not repeat it, since it may hold a token."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            fp.close()
            raise StoreFailed(f"{old.scheme}://{old.netloc} redirects to another scheme, host or port, which is not followed")
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None:
            request.method = req.get_method()
        return request


class WebStore:
    """Objects below a prefix of a web server, which can only be read.

    :raises StoreFailed: plain http, and not to this machine.
    """

    def __init__(self, root: str, timeouts: "Timeouts") -> None:
        scheme, _, rest = root.partition("://")
        host, _, self._prefix = rest.partition("/")
        if scheme == "http" and not is_local(host):
            raise StoreFailed(f"plain http is for this machine only, but the address is at {host[:80]}: use https")
        self._place = f"{scheme}://{host}"
        self._timeouts = timeouts

    def head(self, key: str) -> ObjectMeta:
        """Get the tag, size and time of an object.

        :raises StoreFailed: as `Store`.
        """
        return self._asked("HEAD", key, {}, 0)[1]

    def get(self, key: str, limit: int) -> "tuple[bytes, ObjectMeta]":
        """Read a whole object, with its tag, size and time.

        :raises ModelRefused: the object is larger than `limit` bytes.
        :raises StoreFailed: as `Store`.
        """
        return self._asked("GET", key, {}, limit)

    def read(self, key: str, meta: ObjectMeta, start: int, size: int) -> bytes:
        """Read `size` bytes of an object from byte `start` on, fewer if the object ends.

        :raises PreconditionFailed: the object was replaced since `meta` was read.
        :raises StoreFailed: as `Store`.
        """
        end = min(start + size, meta.size)
        if end <= start:
            return b""
        data, now = self._asked("GET", key, {"Range": f"bytes={start}-{end - 1}"}, meta.size)
        if now.tag != meta.tag:
            raise PreconditionFailed(f"{key} was replaced while it was read")
        return data if len(data) == end - start else data[start:end]  # a server may ignore the range

    def put(self, key: str, data: bytes, expected: "str | None") -> ObjectMeta:
        """Refuse to write.

        :raises StoreFailed: always.
        """
        raise self._only_read()

    def put_stream(self, key: str, chunks: "Iterable[bytes]") -> ObjectMeta:
        """Refuse to write.

        :raises StoreFailed: always.
        """
        raise self._only_read()

    def keys(self, prefix: str) -> "list[str]":
        """Refuse to list.

        :raises StoreFailed: always.
        """
        raise self._only_read()

    def delete(self, key: str) -> None:
        """Refuse to delete.

        :raises StoreFailed: always.
        """
        raise self._only_read()

    def _only_read(self) -> StoreFailed:
        return StoreFailed("a web server can only be read from, key by key: use file://, s3://, gs:// or az://")

    def _asked(self, method: str, key: str, headers: "dict[str, str]", limit: int) -> "tuple[bytes, ObjectMeta]":
        """Send a request, again where a fault may pass, and read its answer in time.

        :raises ModelRefused: the object is larger than `limit` bytes.
        :raises StoreFailed: as `Store`.
        """
        url = f"{self._place}/{quote(joined(self._prefix, key), safe=UNRESERVED)}"
        deadline = monotonic() + self._timeouts.seconds
        for attempt in range(self._timeouts.retries + 1):
            try:
                return self._once(Request(url, headers=headers, method=method), key, limit, deadline)
            except StoreFailed as error:
                wait = FIRST_WAIT * 2**attempt
                if not error.transient or attempt == self._timeouts.retries or monotonic() + wait > deadline:
                    raise
                sleep(wait)
        raise AssertionError("the last attempt answers or raises")

    def _once(self, request: "Any", key: str, limit: int, deadline: float) -> "tuple[bytes, ObjectMeta]":
        """Send a request once.

        :raises ModelRefused: the object is larger than `limit` bytes.
        :raises StoreFailed: as `Store`.
        """
        opened: list[Any] = []
        timer = Timer(max(0.01, deadline - monotonic()), _cut, (opened,))
        timer.daemon = True
        timer.start()
        opener = build_opener(_Here(), _PlainHandler(opened), _SecureHandler(opened))
        try:
            with opener.open(request, timeout=self._timeouts.seconds * SILENCE) as answer:
                meta, length = _object_meta(answer.headers), int(answer.headers["Content-Length"] or -1)
                if request.method == "HEAD":
                    return b"", meta
                if length > limit:
                    raise ModelRefused(f"{key} has {length} bytes, the limit is {limit}")
                data = b"".join(iter(lambda: answer.read1(PIECE), b"")) if length >= 0 else b""
        except HTTPError as error:
            error.close()
            raise self._refusal(str(error.code), key) from None
        except (OSError, HTTPException, ValueError):  # the library's message may repeat the address
            raise StoreFailed(f"{self._place}: {key} can't be reached, or not read whole in time", transient=True) from None
        finally:
            timer.cancel()
        if length < 0:
            raise StoreFailed(f"{self._place}: {key} does not say how many bytes it has")
        if len(data) != length:
            raise StoreFailed(f"{key} broke off after {len(data)} of {length} bytes", transient=True)
        return data, meta

    def _refusal(self, status: str, key: str) -> StoreFailed:
        """Return the error for a status that is no success."""
        if status in ("404", "410"):
            return ObjectNotFound(f"{self._place}: {key} is not there")
        if status in ("401", "403"):
            return StoreFailed(f"{self._place}: {key} is forbidden to this deployment")
        return StoreFailed(
            f"{self._place}: {key}: the server answers {status}", transient=status[0] == "5" or status in ("408", "429")
        )


class _Watched:
    """A connection whose socket is put into the list `opened`, so that it can be ended from outside."""

    if TYPE_CHECKING:
        sock: Any

    def __init__(self, *args: "Any", opened: "list[Any]", **more: "Any") -> None:
        super().__init__(*args, **more)
        self._opened = opened

    def connect(self) -> None:
        """Connect, and note the socket."""
        super().connect()  # type: ignore[misc]
        self._opened.append(self.sock)


class _Plain(_Watched, HTTPConnection):
    """A plain connection."""


class _Secure(_Watched, HTTPSConnection):
    """An encrypted connection."""


class _PlainHandler(HTTPHandler):
    """Opens plain connections."""

    def __init__(self, opened: "list[Any]") -> None:
        super().__init__()
        self._opened = opened

    def http_open(self, req: "Any") -> "Any":
        """Send a request."""
        return self.do_open(_Plain, req, opened=self._opened)  # type: ignore[arg-type]


class _SecureHandler(HTTPSHandler):
    """Opens encrypted connections."""

    def __init__(self, opened: "list[Any]") -> None:
        super().__init__()
        self._opened = opened

    def https_open(self, req: "Any") -> "Any":
        """Send a request."""
        return self.do_open(_Secure, req, opened=self._opened)  # type: ignore[arg-type]


def _cut(sockets: "list[Any]") -> None:
    """End connections whose time is over: a server that sends a byte now and then would keep them for ever."""
    for each in sockets:
        try:
            each.shutdown(SHUT_RDWR)
        except OSError:  # it has ended already
            pass


def _object_meta(headers: "Any") -> ObjectMeta:
    """Read the tag, the whole size and the time of an object; without a tag its time and size are one.

    :raises ValueError: a header is malformed.
    """
    from email.utils import parsedate_to_datetime

    whole = (headers.get("Content-Range") or "").rpartition("/")[2] or headers.get("Content-Length") or "0"
    changed = headers.get("Last-Modified")
    modified = parsedate_to_datetime(changed).timestamp() if changed else 0.0
    return ObjectMeta(headers.get("ETag") or f"{modified:.0f}-{whole}", int(whole), modified)
