"""Answer HTTP/1.1 over sockets, each connection in a thread of its own, so that a slow caller keeps no other waiting.

It uses `_socket` and `_thread`, the parts in C of `socket` and `threading`, whose import takes longer than loading a model.
"""

import errno
import time
from _socket import (
    AF_INET,
    AF_INET6,
    IPPROTO_TCP,
    SHUT_RD,
    SHUT_RDWR,
    SHUT_WR,
    SO_REUSEADDR,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
    socket,
)
from _thread import start_new_thread
from time import monotonic

from server_http import Message, Overloaded, Parser, TooSlow

from flyweight.errors import OK, FlyweightError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flyweight.settings import Serving
    from flyweight.values import Response

    Answer = Callable[[Message], Response]

BLOCK = 64 * 1024  # bytes that are read or joined at once
BYTES_A_SECOND = 64 * 1024  # at least, of a long answer; a slower reader is cut off
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BACKLOG = 1024  # connections that the system holds until they are accepted
LOOK_SECONDS = 1.0  # after which a server that nobody calls looks whether it was closed
FRESH_SECONDS = 1.0  # for which a server that stops waits for the first request of a new connection
NO_MORE_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
DAYS, MONTHS = "MonTueWedThuFriSatSun", "JanFebMarAprMayJunJulAugSepOctNovDec"


def listen(host: str, port: int) -> socket:
    """Open a listening socket.

    :param host: a name or an address; "" for all addresses of this machine, of IPv6 and IPv4.
    :param port: 0 for a free one.
    :raises OSError: the address is in use or does not exist.
    """
    family = AF_INET6 if ":" in host or not host else AF_INET
    try:
        listener = _bound(family, host or "::", port)
    except OSError:
        if host:
            raise
        listener = _bound(AF_INET, "0.0.0.0", port)  # a machine without IPv6
    listener.listen(BACKLOG)
    return listener


def _bound(family: int, host: str, port: int) -> socket:
    listener = socket(family, SOCK_STREAM)
    try:
        if hasattr(time, "pthread_getcpuclockid"):  # elsewhere, on Windows, the option lets two servers have one port
            listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        if family == AF_INET6 and host == "::":
            from _socket import IPPROTO_IPV6, IPV6_V6ONLY

            listener.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0)
        listener.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # connections inherit it
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


class Server:
    """Accepts connections of one listening socket, and answers their requests.

    :param answer: answers one request; it never raises.
    :param max_body_bytes: of one request.
    """

    def __init__(self, listener: socket, answer: "Answer", bounds: "Serving", max_body_bytes: int) -> None:
        self.listener, self.answer, self.bounds, self.max_body_bytes = listener, answer, bounds, max_body_bytes
        self.connections: dict[Connection, None] = {}
        self.stopping = self._closed = self._running = False
        listener.settimeout(LOOK_SECONDS)

    def run(self) -> None:
        """Accept connections until `close` or the end of `drain`."""
        self._running = True
        try:
            while not self._closed:
                connected = self._accept()
                if connected is not None:
                    self._take(Connection(self, connected))
        finally:
            self._running = False
            self.listener.close()

    def _accept(self) -> "socket | None":
        """Accept a connection; None if nobody calls now, or the server was closed."""
        try:
            descriptor, _ = self.listener._accept()  # type: ignore[attr-defined]
        except TimeoutError:
            return None
        except OSError as error:
            if error.errno in NO_MORE_FILES and not self._make_room():
                time.sleep(0.01)
            return None  # else the caller has gone already
        connected = socket(self.listener.family, SOCK_STREAM, 0, descriptor)
        if self._closed:
            connected.close()
            return None
        return connected

    def _take(self, connection: "Connection") -> None:
        """Answer a connection in a thread; refuse it if there are too many."""
        if len(self.connections) >= self.bounds.connections and not self._make_room():
            return connection.refuse()
        self.connections[connection] = None
        try:
            start_new_thread(connection.run, ())
        except RuntimeError:  # the system gives no more threads
            del self.connections[connection]
            connection.refuse()

    def close(self) -> None:
        """Stop accepting connections, and end those that are open."""
        self._closed = self.stopping = True
        if self._running:
            self._wake()
        else:
            self.listener.close()
        for connection in [*self.connections]:
            connection.end()

    def drain(self) -> bool:
        """Finish the requests that have begun, close the other connections, and stop accepting.

        Until then requests on new connections are answered as well, so that those who ask for readiness see its change.

        :returns: whether all requests were finished within the grace.
        """
        self.stopping = True
        deadline = monotonic() + self.bounds.grace_seconds
        while monotonic() < deadline:
            for connection in [*self.connections]:
                if connection.is_idle():
                    connection.end()
            if all([connection.is_idle() for connection in [*self.connections]]):
                break
            time.sleep(0.01)
        finished = not any([connection.busy for connection in [*self.connections]])
        self._closed = True
        self._wake()
        return finished

    def _wake(self) -> None:
        """Connect to the listening socket, so that `run` goes on at once; closing it does not end a call that waits for it."""
        try:
            host, port = self.listener.getsockname()[:2]
            caller = socket(self.listener.family, SOCK_STREAM)
            caller.settimeout(1.0)
            caller.connect(({"::": "::1", "0.0.0.0": "127.0.0.1"}.get(host, host), port))
            caller.close()
        except OSError:  # `run` has ended
            pass

    def _make_room(self) -> bool:
        """End the connection that has waited longest for its caller's next byte; return whether there was one."""
        waiting = [connection for connection in [*self.connections] if connection.since]
        if not waiting:
            return False
        longest = min(waiting, key=lambda connection: (connection.busy, connection.since))
        self.connections.pop(longest, None)
        longest.end(SHUT_RDWR)
        return True


class Connection:
    """A connection: `busy` while a request is arriving or being answered.

    `since`: when the server began to wait for the caller to send or to read; 0 while the server is at work.
    """

    __slots__ = ("_parser", "_server", "_socket", "_started", "busy", "since")

    def __init__(self, server: Server, connected: socket) -> None:
        self._server, self._socket = server, connected
        self._parser = Parser(server.max_body_bytes)
        self._started = False  # whether a request was answered
        self.busy = False
        self.since = monotonic()

    def run(self) -> None:
        """Answer requests until one side closes the connection."""
        try:
            while self._exchange():
                self._started = True
        except OSError:  # the caller has gone, or does not read its answer
            pass
        finally:
            self._server.connections.pop(self, None)
            self._socket.close()

    def is_idle(self) -> bool:
        """Tell whether nothing of a request has arrived, and none is about to on a connection that is new."""
        return not self.busy and (self._started or monotonic() - self.since > FRESH_SECONDS)

    def end(self, side: int = SHUT_RD) -> None:
        """Stop reading from the connection; what has arrived is still answered unless `side` is SHUT_RDWR."""
        try:
            self._socket.shutdown(side)
        except OSError:  # it is closed already
            pass

    def refuse(self) -> None:
        """Answer that the server has too many connections, without waiting for the caller."""
        try:
            self._socket.settimeout(0.0)
            response = self._server.answer(Message(error=Overloaded("the server has too many connections; try again")))
            self._socket.send(_head(response, False) + response.body)
            self._socket.shutdown(SHUT_WR)
            self._socket.recv(BLOCK)  # closing with bytes that were not read could take the answer away from the caller
        except OSError:
            pass
        finally:
            self._socket.close()

    def _exchange(self) -> bool:
        """Receive a request and answer it; return whether the connection stays open."""
        try:
            message = self._receive()
        except FlyweightError as error:
            self.since = 0.0
            self._send(self._server.answer(Message(error=error)), False)
            self._linger()
            return False
        if message is None:
            return False
        self.since = 0.0
        response = self._server.answer(message)
        keep_alive = message.keep_alive and not self._server.stopping
        self._send(response, keep_alive)
        self.busy = self._parser.phase != ""
        return keep_alive

    def _receive(self) -> "Message | None":
        """Receive a request, each phase of it in its time.

        :returns: None if the caller has closed the connection, or sends no further request.
        :raises FlyweightError: the request is refused, or did not arrive whole in time.
        :raises OSError: the connection is broken.
        """
        bounds, parser = self._server.bounds, self._parser
        seconds = {"": bounds.idle_seconds if self._started else bounds.head_seconds}
        seconds["head"], seconds["body"] = bounds.head_seconds, bounds.body_seconds
        phase: str | None = None
        while (message := parser.next()) is None:
            if parser.expects:
                parser.expects = False
                self._socket.sendall(CONTINUE)
            now = monotonic()
            if parser.phase != phase:
                phase, self.since = parser.phase, now
            left = self.since + seconds[phase] - now
            self.busy = phase != ""
            data = self._read(left) if left > 0.0 else None
            if data is None:
                if not phase:
                    return None
                raise TooSlow(f"the {phase} of the request did not arrive whole in {seconds[phase]:g} seconds")
            if not data:
                return None
            parser.feed(data)
        self.busy = True
        return message

    def _read(self, seconds: float) -> "bytes | None":
        """Read what has arrived; None if nothing does in time."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(BLOCK)
        except TimeoutError:
            return None

    def _send(self, response: "Response", keep_alive: bool) -> None:
        """Send an answer.

        :raises OSError: the caller has gone, or does not read it in time.
        """
        head, body = _head(response, keep_alive), response.body
        self._socket.settimeout(self._server.bounds.write_seconds + len(body) / BYTES_A_SECOND)
        self.since = monotonic()
        if len(body) <= BLOCK:
            self._socket.sendall(head + body)
        else:
            self._socket.sendall(head)
            self._socket.sendall(body)

    def _linger(self) -> None:
        """Read on until the caller has closed the connection: it may be sending the rest before it reads the answer.

        :raises OSError: the connection is broken.
        """
        self._socket.shutdown(SHUT_WR)
        self.busy, self.since = False, monotonic()
        while (left := self.since + self._server.bounds.body_seconds - monotonic()) > 0.0 and self._read(left):
            pass


def _head(response: "Response", keep_alive: bool) -> bytes:
    """Write the status line and the headers of an answer; no value of a header begins another line."""
    lines = [f"HTTP/1.1 {response.status} {'OK' if response.status == OK else ''}", f"date: {_date()}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines.append(f"connection: {'keep-alive' if keep_alive else 'close'}")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        text = "\r\n".join([line.replace("\r", " ").replace("\n", " ") for line in lines])
    return text.encode("latin-1", "replace") + b"\r\n\r\n"


_second: "tuple[int, str]" = (-1, "")  # the last second and its text, which most answers share with another


def _date() -> str:
    """Write the current time as the header Date has it: RFC 9110, 5.6.7."""
    global _second
    whole = int(time.time())
    if _second[0] != whole:
        year, month, day, hour, minute, second, weekday, *_ = time.gmtime(whole)
        name, month_name = DAYS[3 * weekday :][:3], MONTHS[3 * month - 3 :][:3]
        _second = whole, f"{name}, {day:02d} {month_name} {year} {hour:02d}:{minute:02d}:{second:02d} GMT"
    return _second[1]
