"""Parse HTTP/1.1 requests from bytes as they arrive, and refuse what two servers could read differently.

The rules are those of RFC 9112; where it lets a server choose, the stricter choice is made: https://www.rfc-editor.org/rfc/rfc9112
"""

from flyweight.errors import FlyweightError, MalformedRequest, ModelUnavailable, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    # method, target, headers, whether the connection is kept and a "100 Continue" expected, length of the body, whether in chunks
    Head = tuple[str, str, Mapping[str, str], bool, bool, int, bool]

MAX_HEAD_BYTES = 64 * 1024  # of the request line and all headers
MAX_TRAILER_BYTES = 4 * 1024  # of the headers after a body in chunks; each part that comes lets all of them be searched again
MAX_HEADERS = 200  # browsers and proxies together send some tens
MAX_CHUNK_LINE = 1024  # bytes of a chunk's size and its extensions
MAX_DIGITS = 15  # of a length or a chunk's size
LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOKEN = b"!#$%&'*+-.^_`|~0123456789" + LETTERS
VISIBLE = bytes(range(0x21, 0x7F))
IN_LINES = b"\t " + VISIBLE + bytes(range(0x80, 0x100))
HEX = b"0123456789abcdefABCDEF"
ONCE = ("content-length", "host", "transfer-encoding", "content-type")
BEFORE_THE_BODY = {"content-length", "host", "transfer-encoding"}
RETRY: "Mapping[str, str]" = {"retry-after": "1"}
NO_HEADERS: "Mapping[str, str]" = {}
NO_HEAD: "Head" = ("", "", NO_HEADERS, False, False, 0, False)


class HeadTooLarge(TooLarge):
    """The request line and the headers have more bytes than the server reads, or too many lines."""

    code, status = "head_too_large", 431


class TooSlow(FlyweightError):
    """A request did not arrive whole in time."""

    code, status = "too_slow", 408


class Overloaded(FlyweightError):
    """The server has as many connections as it may have, and all of them are being answered."""

    code, status, headers = "overloaded", ModelUnavailable.status, RETRY


class Message:
    """A request as it arrived: `target` is its second word; `error`, if there is one, says why it is refused."""

    __slots__ = ("body", "error", "headers", "keep_alive", "method", "target")

    def __init__(
        self,
        method: str = "",
        target: str = "",
        headers: "Mapping[str, str]" = NO_HEADERS,
        keep_alive: bool = False,
        error: "Exception | None" = None,
    ) -> None:
        self.method, self.target, self.headers, self.keep_alive, self.error = method, target, headers, keep_alive, error
        self.body = b""

    @property
    def path(self) -> str:
        """The path without the query, also of a target with scheme and host."""
        path = self.target.partition("?")[0]
        if path[:1] != "/" and "://" in path:
            path = "/" + path.partition("://")[2].partition("/")[2]
        return path


class Parser:
    """Takes the bytes of one connection, and gives its requests one after the other.

    `expects`: whether the caller waits for "100 Continue" before it sends the body; the server sets it to False when it has
    answered. After an error the parser gives no more requests.

    :param max_body_bytes: of one request.
    """

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._buffer = bytearray()
        self._scanned = 0  # bytes of the buffer in which the end of the head is not
        self._known_head: bytes | None = None  # of the last request, which callers who keep a connection often repeat
        self._known = NO_HEAD  # what was read in it
        self._message: Message | None = None  # whose body is arriving
        self._body = bytearray()  # of that message; a list of its parts would take much more for chunks of a few bytes
        self._length = 0  # bytes of the body so far
        self._left = 0  # bytes that are missing from the body, or from the chunk with the CR LF at its end
        self._chunked = self._in_trailers = False
        self.expects = False

    @property
    def phase(self) -> str:
        """What arrives: `head` or `body`; "" between two requests."""
        return "body" if self._message is not None else "head" if self._buffer else ""

    def feed(self, data: bytes) -> None:
        """Take bytes that have arrived."""
        self._buffer += data

    def next(self) -> "Message | None":
        """Return the next request, or None if it has not arrived whole.

        :raises MalformedRequest: the bytes are no request, or one that could be read in two ways.
        :raises HeadTooLarge: there are too many or too long headers.
        :raises TooLarge: the body has more bytes than allowed.
        """
        if self._message is None:
            head = self._head()
            if head is None:
                return None
            self._begin(head)
        done = self._next_chunks() if self._chunked else self._next_bytes()
        if not done:
            return None
        message, self._message = self._message, None
        if message is not None and self._body:
            message.body = bytes(self._body)
            self._body = bytearray()
        self._length, self._chunked, self._in_trailers, self.expects = 0, False, False, False
        return message

    def _head(self) -> "bytes | None":
        """Take the head from the buffer, without the empty line at its end; None if it has not arrived whole.

        :raises MalformedRequest: it can't become a sound one.
        :raises HeadTooLarge: it is too long.
        """
        buffer = self._buffer
        if self._scanned == 0:
            while buffer[:2] == b"\r\n":  # RFC 9112, 2.2: some callers send an empty line after a body
                del buffer[:2]
            if bytes(buffer[:2]) in (b"", b"\r"):
                return None
        end = buffer.find(b"\r\n\r\n", max(0, self._scanned - 3))
        if (len(buffer) if end < 0 else end) > MAX_HEAD_BYTES:
            raise HeadTooLarge(f"the request line and the headers have more than {MAX_HEAD_BYTES} bytes")
        if end < 0:
            self._refuse_early(buffer)
            self._scanned = len(buffer)
            return None
        head = bytes(buffer[:end])
        del buffer[: end + 4]
        self._scanned = 0
        return head

    def _refuse_early(self, buffer: bytearray) -> None:
        """Refuse a head whose end has not arrived, if no end can make it sound.

        :raises MalformedRequest: it has a line feed alone, or does not begin with the name of a method.
        """
        if buffer.count(b"\n", self._scanned) != buffer.count(b"\r\n", max(0, self._scanned - 1)):
            raise MalformedRequest("a line of the head ends with a line feed alone")
        if buffer[:1].translate(None, TOKEN):
            raise MalformedRequest("the request does not begin with the name of a method")

    def _begin(self, head: bytes) -> None:
        """Parse the head of a request, or recognise that of the request before, and prepare for the body.

        :raises MalformedRequest, HeadTooLarge, TooLarge: as `next`.
        """
        if head != self._known_head:
            self._known = self._parsed(head)
            self._known_head = head
        method, target, headers, keep_alive, self.expects, self._left, self._chunked = self._known
        self._message = Message(method, target, headers, keep_alive)

    def _parsed(self, head: bytes) -> "Head":
        """Parse the head of a request.

        :raises MalformedRequest, HeadTooLarge, TooLarge: as `next`.
        """
        lines = head.split(b"\r\n")
        if head.translate(None, IN_LINES) != b"\r\n" * (len(lines) - 1):
            raise MalformedRequest("the head holds a control character, or a line feed or carriage return alone")
        method, target, version = _request_line(lines[0])
        headers = _headers(lines[1:])
        if version == b"1.1" and "host" not in headers:
            raise MalformedRequest("a request of HTTP/1.1 names a host in the header Host")
        options = [option.strip(" \t") for option in headers.get("connection", "").lower().split(",")]
        keep_alive = "close" not in options and (version == b"1.1" or "keep-alive" in options)
        expects = version == b"1.1" and headers.get("expect", "").lower() == "100-continue"
        return method, target, headers, keep_alive, expects, *self._measure(headers, version)

    def _measure(self, headers: "dict[str, str]", version: bytes) -> "tuple[int, bool]":
        """Find the length of the body, 0 for one in chunks, and whether it comes in chunks.

        :raises MalformedRequest: there are two lengths, or one that is not a number.
        :raises TooLarge: the body has more bytes than allowed.
        """
        coding, text = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None:
            if text is not None:
                raise MalformedRequest("both Content-Length and Transfer-Encoding are given", "", headers)
            if coding.lower() != "chunked" or version != b"1.1":
                raise MalformedRequest(f"the transfer coding {coding[:40]!r} is not supported; it is chunked, in HTTP/1.1")
            return 0, True
        if text is None:
            return 0, False
        if not (text.isascii() and text.isdecimal()) or len(text) > MAX_DIGITS:
            raise MalformedRequest(f"Content-Length should be a number of bytes, got {text[:40]!r}", "", headers)
        self._check_length(int(text), headers)
        return int(text), False

    def _check_length(self, length: int, headers: "Mapping[str, str]") -> None:
        """Check the length of a body.

        :raises TooLarge: it has more bytes than allowed.
        """
        if length > self._max_body_bytes:
            raise TooLarge(
                f"the body has at least {length} bytes, more than the {self._max_body_bytes} that are allowed", headers
            )

    def _next_bytes(self) -> bool:
        """Take what has arrived of a body of known length; return whether it is whole."""
        if self._left:
            part = self._buffer[: self._left]
            del self._buffer[: self._left]
            self._body += part
            self._left -= len(part)
        return not self._left

    def _next_chunks(self) -> bool:
        """Take the chunks that have arrived; return whether the body is whole.

        :raises MalformedRequest: a chunk's size or end is not one.
        :raises TooLarge: the chunks have more bytes than allowed.
        """
        buffer = self._buffer
        while not self._in_trailers:
            if self._left:
                if not self._take_chunk():
                    return False
                continue
            end = buffer.find(b"\n", 0, MAX_CHUNK_LINE)
            if end < 0:
                if len(buffer) >= MAX_CHUNK_LINE:
                    raise MalformedRequest("the line of a chunk's size is too long")
                return False
            size = _chunk_size(bytes(buffer[: end + 1]))
            del buffer[: end + 1]
            self._length += size
            self._check_length(self._length, self._message.headers if self._message else NO_HEADERS)
            self._left, self._in_trailers = size + 2, size == 0
        return self._skip_trailers()

    def _take_chunk(self) -> bool:
        """Take what has arrived of a chunk and of the CR LF at its end; return whether it is whole.

        :raises MalformedRequest: the chunk is longer than its size.
        """
        buffer = self._buffer
        if self._left > 2 and buffer:
            part = buffer[: self._left - 2]
            del buffer[: len(part)]
            self._body += part
            self._left -= len(part)
        if self._left > 2 or not buffer:
            return False
        if not b"\r\n".startswith(buffer[:2]):
            raise MalformedRequest("a chunk is longer than its size")
        if len(buffer) < 2:
            return False
        del buffer[:2]
        self._left = 0
        return True

    def _skip_trailers(self) -> bool:
        """Check the headers after the last chunk, and leave them out; return whether their end has arrived.

        :raises MalformedRequest: they are no headers.
        :raises HeadTooLarge: there are too many.
        """
        buffer = self._buffer
        if buffer[:2] == b"\r\n":
            end, head = 0, b""
        else:
            end = buffer.find(b"\r\n\r\n")
            head = bytes(buffer[: max(end, 0)])
        if max(end, len(buffer) if end < 0 else 0) > MAX_TRAILER_BYTES:
            raise HeadTooLarge(f"the headers after the body have more than {MAX_TRAILER_BYTES} bytes")
        if end < 0:
            if buffer.count(b"\n") != buffer.count(b"\r\n"):
                raise MalformedRequest("a line after the body ends with a line feed alone")
            return False
        if head:
            lines = head.split(b"\r\n")
            if head.translate(None, IN_LINES) != b"\r\n" * (len(lines) - 1):
                raise MalformedRequest("a header after the body holds a control character")
            if not BEFORE_THE_BODY.isdisjoint(_headers(lines)):
                raise MalformedRequest("the headers after the body name a length, a coding or a host")
        del buffer[: end + (4 if head else 2)]
        self._left = 0
        return True


def _request_line(line: bytes) -> "tuple[str, str, bytes]":
    """Parse the first line of a request.

    :returns: the method, the target, and the version without `HTTP/`.
    :raises MalformedRequest: it is not one, or the version is neither 1.0 nor 1.1.
    """
    words = line.split(b" ")
    if len(words) != 3 or not words[0] or words[0].translate(None, TOKEN) or not words[1] or words[1].translate(None, VISIBLE):
        raise MalformedRequest("the first line should be METHOD TARGET HTTP/1.1")
    if words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise MalformedRequest("the version should be HTTP/1.1 or HTTP/1.0")
    return words[0].decode(), words[1].decode(), words[2][5:]


def _headers(lines: "list[bytes]") -> "dict[str, str]":
    """Parse header lines.

    :returns: from each name in lower case to its value; values of the same name are joined.
    :raises MalformedRequest: a line has no name, or a header is given twice that may be given once.
    :raises HeadTooLarge: there are too many.
    """
    if len(lines) > MAX_HEADERS:
        raise HeadTooLarge(f"there are more than {MAX_HEADERS} headers")
    headers: dict[str, str] = {}
    for line in lines:
        raw, colon, rest = line.partition(b":")
        if not colon or not raw or raw.translate(None, TOKEN):
            raise MalformedRequest("each header should be NAME: VALUE, without a blank before the colon, in one line")
        name, value = raw.lower().decode(), rest.strip(b" \t").decode("latin-1")
        if name in headers:
            if name in ONCE:
                raise MalformedRequest(f"the header {name} is given twice")
            value = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}"
        headers[name] = value
    return headers


def _chunk_size(line: bytes) -> int:
    """Parse the line before a chunk, its CR LF included.

    :raises MalformedRequest: it is not a size in hexadecimal digits, perhaps with extensions.
    """
    digits, _, extensions = line[:-2].partition(b";")
    if line[-2:] != b"\r\n" or not 0 < len(digits) <= MAX_DIGITS or digits.translate(None, HEX):
        raise MalformedRequest("the size of a chunk should be hexadecimal digits")
    if extensions.translate(None, IN_LINES):
        raise MalformedRequest("the extension of a chunk holds a control character")
    return int(digits, 16)
