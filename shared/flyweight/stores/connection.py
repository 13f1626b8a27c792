"""Speak HTTP/1.1 with a store over one connection, by the bare socket of CPython; no redirect is followed.

https://www.rfc-editor.org/rfc/rfc9112
"""

from _socket import IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, getaddrinfo, socket
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MOST_HEADERS = 1 << 16  # bytes
PIECE = 1 << 18  # bytes received at a time
FIRST = 1 << 14


class Socket(socket):
    """A socket to which there may be weak references, as `_ssl` makes one."""

    __slots__ = ("__weakref__",)


class Place:
    """Where a store is: the scheme, the host and the port of a URL, and the path before its keys.

    :raises ValueError: the text is not such a URL.
    """

    def __init__(self, url: str) -> None:
        scheme, mark, rest = url.partition("://")
        authority, _, path = rest.partition("/")
        host, colon, port = authority.rpartition(":")
        if not colon or not port.isdecimal():
            host, port = authority, ""
        clean = host.isascii() and host.isprintable() and not {*" /?#@\\"} & {*host}
        if not mark or scheme not in ("http", "https") or not host or not clean or not path.isprintable():
            raise ValueError("expected a URL such as https://HOST:PORT")
        self.secure, self.path = scheme == "https", f"/{path.rstrip('/')}".rstrip("/")
        self.host, self.port = host.strip("[]"), int(port or (443 if self.secure else 80))
        self.authority = authority if port and self.port != (443 if self.secure else 80) else host


class Timer:
    """The time of one attempt: until `end`, in seconds of `monotonic`, and at most `silence` seconds without a byte."""

    def __init__(self, connect: float, silence: float, end: float) -> None:
        self.connect, self._silence, self._end = connect, silence, end

    def left(self, most: float) -> float:
        """Return the seconds that are left, at most a given number of them.

        :raises TimeoutError: none is left.
        """
        left = min(most, self._end - monotonic())
        if left <= 0.0:
            raise TimeoutError
        return left

    def allow(self, connection: socket) -> None:
        """Let the next operation on a connection take as long as silence may.

        :raises TimeoutError: no time is left.
        """
        connection.settimeout(self.left(self._silence))


class Connection:
    """One connection to a store.

    :raises OSError: the store can't be reached.
    :raises StoreFailed: as `tls.encrypted`.
    """

    def __init__(self, place: Place, timer: Timer) -> None:
        self.secure: Any = None
        if place.secure:
            from flyweight.stores import tls  # imported late: a store on this machine needs no encryption

            self.socket, self.secure = tls.encrypted(lambda: _connected(place, timer), place.host)
        else:
            self.socket = _connected(place, timer)
        self._rest = b""

    def ask(self, method: str, path: str, headers: "Mapping[str, str]", timer: Timer) -> "tuple[str, dict[str, str]]":
        """Send a request without a body, and read the head of its answer.

        :param headers: values of printable ASCII.
        :returns: the status, three digits, and the headers with names in lower case.
        :raises OSError: the connection failed, no byte came in time, or the answer is not HTTP.
        :raises ValueError: a header holds another character.
        """
        lines = [f"{method} {path} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
        if not all([line.isascii() and line.isprintable() for line in lines]):
            raise ValueError("a header has characters that are not printable")
        self._send("\r\n".join([*lines, "", ""]).encode("ascii"), timer)
        while True:
            status, answered = self._head(timer)
            if status[0] != "1":  # else an interim answer
                return status, answered

    def body(self, length: int, timer: Timer) -> bytes:
        """Read the body of an answer; fewer bytes if the connection ends.

        :raises OSError: the connection failed, or no byte came in time.
        """
        parts, have = [self._rest[:length]], min(len(self._rest), length)
        self._rest = self._rest[length:]
        while have < length and (part := self._received(min(PIECE, length - have), timer)):
            parts.append(part)
            have += len(part)
        return b"".join(parts)

    def is_open(self) -> bool:
        """Tell whether the store has kept the connection, and sent nothing that nobody asked for."""
        self.socket.settimeout(0.0)
        try:
            self.socket.recv(1)
        except BlockingIOError:
            return not self._rest
        except OSError:
            pass
        return False

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def _send(self, data: bytes, timer: Timer) -> None:
        timer.allow(self.socket)
        if self.secure is None:
            self.socket.sendall(data)
            return
        while data:
            data = data[self.secure.write(data) :]

    def _received(self, most: int, timer: Timer) -> bytes:
        """Receive some bytes; none if the store has ended the connection properly."""
        timer.allow(self.socket)
        if self.secure is None:
            return self.socket.recv(most)
        from _ssl import SSLZeroReturnError

        try:
            data: bytes = self.secure.read(most)
        except SSLZeroReturnError:
            return b""
        return data

    def _head(self, timer: Timer) -> "tuple[str, dict[str, str]]":
        """Read a status line and headers.

        :raises ConnectionError: they end too early, are too long, or are not HTTP.
        """
        while (end := self._rest.find(b"\r\n\r\n")) < 0:
            more = self._received(FIRST, timer)
            if not more or len(self._rest) > MOST_HEADERS:
                raise ConnectionError
            self._rest += more
        first, *lines = self._rest[:end].decode("latin-1").split("\r\n")
        self._rest = self._rest[end + 4 :]
        words = [*first.split(" ", 2), ""]
        if words[0] not in ("HTTP/1.1", "HTTP/1.0") or len(words[1]) != 3 or not (words[1].isascii() and words[1].isdecimal()):
            raise ConnectionError
        headers = {"connection": "close"} if words[0] == "HTTP/1.0" else {}
        for line in lines:
            name, colon, value = line.replace("\t", " ").partition(":")
            if not colon or not (name + value).isprintable():
                raise ConnectionError
            headers[name.lower()] = value.strip()
        return words[1], headers


def _connected(place: Place, timer: Timer) -> socket:
    """Connect to the first address of a host that answers.

    :raises OSError: none does, in time.
    """
    # bytes, because the name of a text would be looked at by the codec for names beyond ASCII, which takes long to load
    found = getaddrinfo(place.host.encode(), place.port, 0, SOCK_STREAM)
    failure: OSError = ConnectionError("no address")
    for family, kind, protocol, _, address in found:
        connection = Socket(family, kind, protocol)
        try:
            connection.settimeout(timer.left(timer.connect))
            connection.connect(address)
            connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            failure = error
        else:
            timer.allow(connection)
            return connection
    raise failure
