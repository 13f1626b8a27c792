"""Split a stream of bytes into lines of bounded length."""

from bisect import bisect_left
from itertools import accumulate

from flyweight.errors import MalformedRequest, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flyweight.files.batches import Position

MAX_ROW = 1 << 20  # bytes
SHOWN = 1000  # bytes of a longer one that are kept


class TruncatedLine(bytes):
    """The beginning of a line that is too long."""

    size: int


class Lines:
    """The lines of a stream of bytes, without their ends, a chunk at a time in memory."""

    def __init__(self, chunks: "Iterable[bytes]", position: "Position") -> None:
        self._chunks = iter(chunks)
        self._ready: list[bytes] = []
        self._at = 0  # of the next among them
        self._tail = b""
        self._beyond = 0  # bytes of a line that is too long, so far
        self._ended = False
        self.offset: int = position.get("offset", 0)  # of the next line
        self.line: int = position.get("line", 1)  # its number

    def take(self, rows: int, size: int) -> "list[bytes]":
        """So many lines, or so many bytes of them."""
        taken: list[bytes] = []
        while len(taken) < rows and size > 0 and (some := self._some(rows - len(taken), size)):
            taken += some
            size -= sum(map(len, some))
        return taken

    def _some(self, rows: int, size: int) -> "list[bytes]":
        """Lines that are ready, at most so many, and not more than one beyond so many bytes; none after the last."""
        some = self._ready[self._at : self._at + rows]
        if len(some) < 2 or TruncatedLine in {*map(type, some)}:
            line = self.next()
            return [] if line is None else [line]
        ends = [*accumulate(map(len, some))]
        del some[bisect_left(ends, size) + 1 :]
        self._at += len(some)
        self.offset += ends[len(some) - 1] + len(some)
        self.line += len(some)
        return some

    def next(self) -> "bytes | None":
        """The next line, None after the last."""
        while self._at == len(self._ready):
            if self._ended:
                return None
            self._ready, self._at = [], 0
            self._fill()
        line = self._ready[self._at]
        self._at += 1
        self.offset += (line.size if type(line) is TruncatedLine else len(line)) + 1
        self.line += 1
        return line

    def _fill(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            self._ended = True
            if self._tail or self._beyond:
                self._keep([self._tail])
            return
        first, newline, rest = chunk.partition(b"\n")
        if self._beyond and not newline:
            self._beyond += len(chunk)
            return
        *lines, tail = (self._tail + chunk).split(b"\n") if not self._beyond else [first, *rest.split(b"\n")]
        if self._beyond:
            self._beyond += len(lines[0])
            lines[0] = self._tail
        self._keep(lines)
        self._tail = tail
        if len(tail) > MAX_ROW:
            self._tail, self._beyond = tail[:SHOWN], len(tail)

    def _keep(self, lines: "list[bytes]") -> None:
        """Make lines ready; the first is the rest of what is beyond the limit, if anything is."""
        for place, line in enumerate(lines):
            size = self._beyond or len(line)
            self._beyond = 0
            if size > MAX_ROW:
                lines[place] = long = TruncatedLine(line[:SHOWN])
                long.size = size
        if lines and self.offset == 0 and not self._ready and lines[0].startswith(b"\xef\xbb\xbf") and type(lines[0]) is bytes:
            lines[0] = lines[0][3:]
            self.offset += 3
        self._ready += lines


def as_text(text: bytes) -> str:
    """The text of a row for who has to mend it."""
    return text.decode("utf-8", "replace")


def check_size(line: bytes) -> None:
    """:raises TooLarge: the line is cut off."""
    if type(line) is TruncatedLine:
        raise TooLarge(f"the row has {line.size} bytes, the limit is {MAX_ROW}")


def decoded(text: bytes) -> str:
    """:raises MalformedRequest: the row is not UTF-8."""
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"the row is not UTF-8: byte {error.start} is {text[error.start]:#04x}") from None
