"""Read requests from a connection and write their answers, and never wait for the caller."""

import time
from _socket import SHUT_RD, SHUT_WR, socket
from math import inf

from server_http import Message, Parser
from server_sockets import READABLE, WRITABLE

from flyweight.errors import OK, FlyweightError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from server_sockets import Poller

    from flyweight.settings import Serving
    from flyweight.values import Response

BLOCK = 64 * 1024  # bytes that are read or joined at once
BYTES_A_SECOND = 64 * 1024  # at least, of a long answer; a slower reader is cut off
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FRESH_SECONDS = 1.0  # for which a server that stops waits for the first request of a new connection
# phases beside the parser's own, which are `head`, `body`, and IDLE between two requests: no request has begun yet, an answer is
# made, an answer is sent, a refusal was sent and its caller may still be sending
NEW, IDLE, WORK, WRITE, LINGER = "new", "", "work", "write", "linger"
DAYS, MONTHS = "MonTueWedThuFriSatSun", "JanFebMarAprMayJunJulAugSepOctNovDec"


class Connection:
    """A connection, whose `phase` began at `since`, a time of the monotonic clock in seconds.

    :param connected: the socket, which belongs to the connection.
    :param poller: waits for it.
    :param max_body_bytes: of one request.
    :param now: the time.
    """

    __slots__ = ("_keep_alive", "_length", "_parser", "_poller", "_refused", "_rest", "_socket", "descriptor", "phase", "since")

    def __init__(self, connected: socket, poller: "Poller", max_body_bytes: int, now: float) -> None:
        connected.settimeout(0.0)
        self._socket, self._poller, self._parser = connected, poller, Parser(max_body_bytes)
        self._rest: list[memoryview] = []  # of an answer
        self._length, self._keep_alive, self._refused = 0, True, False  # of that answer
        self.descriptor = connected.fileno()
        self.phase, self.since = NEW, now
        self.join()

    @property
    def busy(self) -> bool:
        """Whether a request is arriving or being answered."""
        return self.phase not in (NEW, IDLE, LINGER)

    @property
    def has_more(self) -> bool:
        """Whether the next request has arrived already, at least in part."""
        return self.phase in ("head", "body")

    def is_idle(self, now: float) -> bool:
        """Tell whether nothing of a request has arrived, and none is about to on a connection that is new."""
        return not self.busy and (self.phase != NEW or now - self.since > FRESH_SECONDS)

    def seconds(self, bounds: "Serving") -> float:
        """Compute how long the caller may leave the connection in its phase; infinity while the server is at work."""
        return {
            NEW: bounds.head_seconds,
            IDLE: bounds.idle_seconds,
            "head": bounds.head_seconds,
            "body": bounds.body_seconds,
            WORK: inf,
            WRITE: bounds.write_seconds + self._length / BYTES_A_SECOND,
            LINGER: bounds.body_seconds,
        }[self.phase]

    def join(self) -> None:
        """Let the poller wait for the caller."""
        self._poller.register(self.descriptor, READABLE)

    def leave(self) -> None:
        """Let the poller not wait for the caller while another thread answers."""
        self._poller.unregister(self.descriptor)

    def receive(self, now: float) -> "Message | None":
        """Read what has arrived.

        :returns: the request that is whole with it; one that is refused has an `error`.
        :raises EOFError: the caller has closed the connection.
        :raises OSError: the connection is broken.
        """
        try:
            data = self._socket.recv(BLOCK)
        except BlockingIOError:
            return None
        if not data:
            raise EOFError
        if self.phase == LINGER:
            return None
        self._parser.feed(data)
        return self.next(now)

    def next(self, now: float) -> "Message | None":
        """Take the next request from what was read; None if it is not whole.

        :raises OSError: the connection is broken.
        """
        parser = self._parser
        try:
            message = parser.next()
        except FlyweightError as error:
            return Message(error=error)
        if message is None:
            if parser.expects:
                parser.expects = False
                self._socket.send(CONTINUE)
            phase = parser.phase
            if phase and phase != self.phase:
                self.phase, self.since = phase, now
        return message

    def send(self, message: Message, response: "Response", keep_alive: bool, now: float) -> None:
        """Send an answer, or what the caller takes of it at once.

        :raises EOFError: the connection is to be closed.
        :raises OSError: it is broken.
        """
        data, body = head(response, keep_alive), response.body
        self._refused, self._keep_alive, self._length = message.error is not None, keep_alive, len(body)
        if len(body) <= BLOCK:
            data += body
            sent = self._write(data)
            if sent == len(data):
                return self._finish(now)
            self._rest = [memoryview(data)[sent:]]
        else:
            self._rest = [memoryview(data), memoryview(body)]
        self.phase, self.since = WRITE, now
        self._poller.modify(self.descriptor, WRITABLE)
        return None

    def send_rest(self, now: float) -> "Message | None":
        """Send what the caller takes of the rest of an answer.

        :returns: the next request, if the answer is sent and the request has arrived already.
        :raises EOFError: the connection is to be closed.
        :raises OSError: it is broken.
        """
        rest = self._rest
        while rest:
            sent = self._write(rest[0])
            if sent < len(rest[0]):
                rest[0] = rest[0][sent:]
                return None
            del rest[0]
        self._poller.modify(self.descriptor, READABLE)
        self._finish(now)
        return self.next(now) if self.has_more else None

    def end(self) -> None:
        """Read no request that has not arrived yet."""
        try:
            self._socket.shutdown(SHUT_RD)
        except OSError:  # it is closed already
            pass

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _write(self, data: "bytes | memoryview") -> int:
        """Give bytes to the system; return the number of those that it took."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def _finish(self, now: float) -> None:
        """Wait for the next request after an answer.

        A caller who was refused may be sending still, and loses the answer if the connection is closed before it has read it.

        :raises EOFError: the connection is to be closed.
        """
        if self._refused:
            self._socket.shutdown(SHUT_WR)
            self.phase = LINGER
        elif self._keep_alive:
            self.phase = self._parser.phase
        else:
            raise EOFError
        self.since = now


def head(response: "Response", keep_alive: bool) -> bytes:
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
