"""Split a stream of bytes into lines of bounded length."""

from bisect import bisect_left
from itertools import accumulate
from math import inf

from flyweight.errors import MalformedRequest, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flyweight.formats.batches import Position

MAX_ROW = 1 << 20  # bytes
KEPT = 1000  # bytes of a longer line that are kept for its error


class TruncatedLine(bytes):
    """The beginning of a line that is too long."""

    size: int  # bytes of the whole line


class Lines:
    """The lines of a stream of bytes, without their ends; one chunk at a time is in memory."""

    def __init__(self, chunks: "Iterable[bytes]", position: "Position", end: float = inf) -> None:
        """Start reading.

        :param chunks: the bytes from the position's offset on.
        :param position: the offset and number of the first line; {} for the start of the file.
        :param end: the offset from which on `take` takes no line; one that begins before it is whole.
        """
        self._end = end
        self._chunks = iter(chunks)
        self._buffer: list[bytes] = []
        self._next = 0  # the index of the next line in the buffer
        self._tail = b""  # of the last chunk, after its last line end
        self._overlong = 0  # bytes seen so far of a line that is too long
        self._ended = False
        self.offset: int = position.get("offset", 0)  # of the next line, in bytes
        self.line: int = position.get("line", 1)  # the number of the next line

    def take(self, rows: int, size: int) -> "list[bytes]":
        """Take up to `rows` lines of about `size` bytes together; [] at the end of the stream."""
        lines: list[bytes] = []
        while len(lines) < rows and size > 0 and self.offset < self._end and (more := self._buffered(rows - len(lines), size)):
            lines += more
            size -= sum(map(len, more))
        return lines

    def _buffered(self, rows: int, size: int) -> "list[bytes]":
        """Take up to `rows` buffered lines of about `size` bytes together; [] at the end of the stream."""
        lines = self._buffer[self._next : self._next + rows]
        if len(lines) < 2 or TruncatedLine in {*map(type, lines)}:
            line = self.next()
            return [] if line is None else [line]
        ends = [*accumulate(map(len, lines))]
        del lines[bisect_left(ends, size) + 1 :]
        while len(lines) > 1 and self.offset + ends[len(lines) - 2] + len(lines) - 1 >= self._end:
            lines.pop()
        self._next += len(lines)
        self.offset += ends[len(lines) - 1] + len(lines)
        self.line += len(lines)
        return lines

    def next(self) -> "bytes | None":
        """Take the next line; None at the end of the stream."""
        while self._next == len(self._buffer):
            if self._ended:
                return None
            self._buffer, self._next = [], 0
            self._fill()
        line = self._buffer[self._next]
        self._next += 1
        self.offset += (line.size if type(line) is TruncatedLine else len(line)) + 1
        self.line += 1
        return line

    def peek(self, count: int) -> "bytes | None":
        """Look at the line that follows `count` others, without taking any; None if the stream ends before it."""
        while self._next + count >= len(self._buffer):
            if self._ended:
                return None
            del self._buffer[: self._next]
            self._next = 0
            self._fill()
        return self._buffer[self._next + count]

    def _fill(self) -> None:
        """Split the next chunk into the buffer."""
        chunk = next(self._chunks, None)
        if chunk is None:
            self._ended = True
            if self._tail or self._overlong:
                self._append([self._tail])
            return
        first, newline, rest = chunk.partition(b"\n")
        if self._overlong and not newline:
            self._overlong += len(chunk)
            return
        *lines, tail = (self._tail + chunk).split(b"\n") if not self._overlong else [first, *rest.split(b"\n")]
        if self._overlong:
            self._overlong += len(lines[0])
            lines[0] = self._tail
        self._append(lines)
        self._tail = tail
        if len(tail) > MAX_ROW:
            self._tail, self._overlong = tail[:KEPT], len(tail)

    def _append(self, lines: "list[bytes]") -> None:
        """Add lines to the buffer, cutting those that are too long; the first line ends an overlong line, if one was begun."""
        for index, line in enumerate(lines):
            size = self._overlong or len(line)
            self._overlong = 0
            if size > MAX_ROW:
                lines[index] = truncated = TruncatedLine(line[:KEPT])
                truncated.size = size
        if lines and self.offset == 0 and not self._buffer and lines[0].startswith(b"\xef\xbb\xbf") and type(lines[0]) is bytes:
            lines[0] = lines[0][3:]
            self.offset += 3
        self._buffer += lines


def as_text(row: bytes) -> str:
    """Decode a row for its report; bytes that are not UTF-8 are replaced."""
    return row.decode("utf-8", "replace")


def check_size(line: bytes) -> None:
    """Check that a line is whole.

    :raises TooLarge: it was cut because it is too long.
    """
    if type(line) is TruncatedLine:
        raise TooLarge(f"the row has {line.size} bytes, the limit is {MAX_ROW}")


def decoded(row: bytes) -> str:
    """Decode a row.

    :raises MalformedRequest: it is not UTF-8.
    """
    try:
        return row.decode()
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"the row is not UTF-8: byte {error.start} is {row[error.start]:#04x}") from None
