"""Speak HTTP with Lambda's Runtime API over one kept connection, by the bare socket of CPython.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import sys
from _socket import AF_INET, AF_INET6, IPPROTO_TCP, MSG_DONTWAIT, MSG_PEEK, SOCK_STREAM, TCP_NODELAY, socket

VERSION = "/2018-06-01/runtime/"
JSON = "application/json"
NOT_A_DEADLINE = 0


class Invocation:
    """One event with its headers, as `next` answers; a header that is missing or empty is None."""

    __slots__ = ("arn", "body", "client_context", "cognito", "content_type", "deadline", "id", "invocation_id", "tenant", "trace")

    def __init__(self, headers: "dict[str, str]", body: bytes) -> None:
        get = headers.get
        self.id = get("lambda-runtime-aws-request-id") or ""
        self.trace = get("lambda-runtime-trace-id") or None
        self.arn = get("lambda-runtime-invoked-function-arn") or ""
        self.deadline = _milliseconds(get("lambda-runtime-deadline-ms"))
        self.client_context = get("lambda-runtime-client-context") or None
        self.cognito = get("lambda-runtime-cognito-identity") or None
        self.tenant = get("lambda-runtime-aws-tenant-id") or None
        self.invocation_id = get("lambda-runtime-invocation-id") or None
        self.content_type = get("content-type")
        self.body = body


def _milliseconds(text: "str | None") -> int:
    """Parse a deadline; what is not a whole number is a deadline that has passed."""
    try:
        return int(text or NOT_A_DEADLINE)
    except ValueError:
        return NOT_A_DEADLINE


class RuntimeApi:
    """The requests of a runtime.

    `address`: host and port, as in AWS_LAMBDA_RUNTIME_API.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._place = (host.strip("[]"), int(port)) if port.isdecimal() and host else (address, 80)
        self._family = AF_INET6 if ":" in self._place[0] else AF_INET
        version = "{}.{}.{}".format(*sys.version_info[:3])
        agent = f"Host: {address}\r\nUser-Agent: aws-lambda-python/{version}-flyweight\r\nAccept: */*\r\n"
        self._common = f" HTTP/1.1\r\n{agent}".encode()
        self._socket: socket | None = None
        self._answered = False  # whether this connection has answered a request
        self._rest = b""

    def next(self) -> "tuple[int, Invocation]":
        """Wait for the next event, for as long as it takes.

        :returns: the HTTP status, and the event if it is 200.
        :raises OSError: the Runtime API can't be reached, or ends the connection.
        """
        status, headers, body = self._exchange("GET", "invocation/next")
        return status, Invocation(headers, body)

    def respond(self, invocation: Invocation, body: bytes, content_type: str) -> "tuple[int, bytes]":
        """Post the function's answer.

        :returns: the HTTP status, and the body of the Runtime API's answer.
        :raises OSError: the connection failed, or was ended.
        """
        return self._post(f"invocation/{invocation.id}/response", body, _headers(content_type, invocation))

    def fail(self, invocation: Invocation, body: bytes, cause: bytes) -> "tuple[int, bytes]":
        """Post the error of one event.

        :param cause: the error as X-Ray takes it; empty for none.
        :returns: as `respond`.
        :raises OSError: the connection failed, or was ended.
        """
        headers = _headers(JSON, invocation)
        if cause:
            headers += b"lambda-runtime-function-xray-error-cause: " + cause + b"\r\n"
        return self._post(f"invocation/{invocation.id}/error", body, headers)

    def fail_stage(self, stage: str, body: bytes, kind: str) -> "tuple[int, bytes]":
        """Post the error of a stage other than an event.

        :param stage: `init` or `restore`.
        :param kind: the type of the error.
        :returns: as `respond`.
        :raises OSError: the connection failed, or was ended.
        """
        headers = _headers(JSON) + b"lambda-runtime-function-error-type: " + kind.encode("ascii", "replace") + b"\r\n"
        return self._post(f"{stage}/error", body, headers)

    def wait_for_restore(self) -> "tuple[int, bytes]":
        """Tell that the snapshot may be taken, and wait until it was restored.

        :returns: as `respond`.
        :raises OSError: the connection failed, or was ended.
        """
        status, _, body = self._exchange("GET", "restore/next")
        return status, body

    def begin(self, lines: "list[str]") -> None:
        """Send the head of a request whose body follows by `send`; `answered` then reads the answer.

        :param lines: the method and the path, then the request's own headers.
        :raises OSError: the connection failed.
        """
        self._is_open()
        first, *headers = lines
        self.send(b"%b%b%b\r\n" % (first.encode(), self._common, b"".join([f"{line}\r\n".encode() for line in headers])))

    def connect(self) -> None:
        """Open a connection, so that the Runtime API is ready for the first request; that tries again if it fails."""
        try:
            self._opened()
        except OSError:
            self.close()

    def _opened(self) -> socket:
        """Return the connection, a new one if none exists.

        :raises OSError: the connection failed.
        """
        if self._socket is None:
            self._socket = socket(self._family, SOCK_STREAM)
            self._socket.connect(self._place)
            self._socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        return self._socket

    def send(self, data: bytes) -> None:
        """Send bytes, over a new connection if none exists.

        :raises OSError: the connection failed.
        """
        self._opened().sendall(data)

    def answered(self) -> "tuple[int, bytes]":
        """Read the answer to a request that was sent.

        :returns: as `respond`.
        :raises OSError: the connection failed, or was ended.
        """
        status, _, body = self._read()
        return status, body

    def close(self) -> None:
        """End the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._answered, self._rest = None, False, b""

    def _post(self, path: str, body: bytes, headers: bytes) -> "tuple[int, bytes]":
        status, _, answer = self._exchange("POST", path, headers, body)
        return status, answer

    def _exchange(
        self, method: str, path: str, headers: bytes = b"", body: "bytes | None" = None
    ) -> "tuple[int, dict[str, str], bytes]":
        """Send one request and read its answer; only a GET on a connection that has ended meanwhile is sent again."""
        if body is not None:
            headers = b"%bcontent-length: %d\r\n" % (headers, len(body))
        request = b"%b %b%b%b%b\r\n" % (method.encode(), VERSION.encode(), path.encode(), self._common, headers)
        kept = self._is_open() and self._answered
        try:
            return self._exchanged(request + body if body else request)
        except OSError:
            read = bool(self._rest)
            self.close()
            if method != "GET" or not kept or read:
                raise
        return self._exchanged(request)

    def _is_open(self) -> bool:
        """Tell whether there is a connection that the Runtime API has not ended; discard one that it has."""
        if self._socket is None:
            return False
        try:
            self._socket.recv(1, MSG_PEEK | MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            pass
        self.close()  # the end of the connection, or bytes that nobody asked for
        return False

    def _exchanged(self, request: bytes) -> "tuple[int, dict[str, str], bytes]":
        self.send(request)
        return self._read()

    def _read(self) -> "tuple[int, dict[str, str], bytes]":
        status, headers, kept = self._head()
        while status < 200:  # as 100 Continue
            status, headers, kept = self._head()
        body = self._body(status, headers)
        self._answered = True
        if not kept or headers.get("connection", "").lower() == "close":
            self.close()
        return status, headers, body

    def _head(self) -> "tuple[int, dict[str, str], bool]":
        """Read a status line and headers.

        :returns: the status, the headers with names in lower case, and whether this version of HTTP keeps connections.
        :raises ConnectionError: they end too early, or are not HTTP.
        """
        end = self._rest.find(b"\r\n\r\n")
        while end < 0:
            self._rest += self._received()
            end = self._rest.find(b"\r\n\r\n")
        head, self._rest = self._rest[:end].decode("utf-8", "replace"), self._rest[end + 4 :]
        first, *lines = head.split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2 or not first.startswith("HTTP/1.") or not words[1].isdecimal():
            raise ConnectionError(f"the answer begins with {first[:80]!r}")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(words[1]), headers, words[0] != "HTTP/1.0"

    def _body(self, status: int, headers: "dict[str, str]") -> bytes:
        """Read a body whose end the length, the chunks or the end of the connection tell."""
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunks()
        if "content-length" in headers:
            length = headers["content-length"]
            if not length.isdecimal():
                raise ConnectionError(f"the answer has a content-length of {length[:80]!r}")
            return self._exactly(int(length))
        if status == 204:
            return b""
        headers["connection"] = "close"
        parts = [self._rest]
        while more := self._more():
            parts.append(more)
        self._rest = b""
        return b"".join(parts)

    def _chunks(self) -> bytes:
        """Read a body in chunks, and the trailer.

        :raises ConnectionError: the length of a chunk is not one.
        """
        parts: list[bytes] = []
        while True:
            line = self._line().partition(b";")[0].strip()
            try:
                length = int(line, 16)
            except ValueError:
                raise ConnectionError(f"a chunk has the length {line[:80]!r}") from None
            if length == 0:
                while self._line():
                    pass
                return b"".join(parts)
            parts.append(self._exactly(length))
            self._line()

    def _line(self) -> bytes:
        while b"\r\n" not in self._rest:
            self._rest += self._received()
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line

    def _exactly(self, length: int) -> bytes:
        """Read a number of bytes."""
        have = len(self._rest)
        if have >= length:
            body, self._rest = self._rest[:length], self._rest[length:]
            return body
        parts, self._rest = [self._rest], b""
        while have < length:
            parts.append(self._received(length - have))
            have += len(parts[-1])
        return b"".join(parts)

    def _received(self, most: int = 1 << 16) -> bytes:
        """Receive some bytes.

        :raises ConnectionError: no more come.
        """
        more = self._more(most)
        if not more:
            raise ConnectionError("the connection ended within an answer" if self._rest else "the connection ended")
        return more

    def _more(self, most: int = 1 << 16) -> bytes:
        return self._socket.recv(min(most, 1 << 20)) if self._socket is not None else b""


def _headers(content_type: str, invocation: "Invocation | None" = None) -> bytes:
    """Write the headers that every post has."""
    headers = f"content-type: {content_type}\r\n"
    if invocation is not None and invocation.invocation_id is not None:
        headers += f"lambda-runtime-invocation-id: {invocation.invocation_id}\r\n"
    return headers.encode()
