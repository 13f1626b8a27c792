"""Read one row of CSV, which a quote may continue over several lines; each line is looked at a few times only.

A quote that never closes would swallow all that follows. So if a row of several lines has any fault, only its first line is
rejected, and the following lines are read again. Where each of them would end is known by then: an open quote at the start of a
line ends in the same place, whichever line opened it.
"""

import csv

from flyweight.errors import FlyweightError, MalformedRequest, TooLarge
from flyweight.files.lines import MAX_ROW, Lines, TruncatedLine, check_size, decoded
from flyweight.formats.csv import fault_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Row = list[str]

KEPT_SIZES = 1 << 16  # sums of lines before the current one that are kept at most


class RowReader:
    """Reads rows; keeps what is known about the lines that an open quote runs through."""

    def __init__(self, source: Lines) -> None:
        """Start without knowledge.

        :param source: the lines after those that are given to `read`.
        """
        self._source = source
        # a quote that is open at the start of any line from `_first` to `_last` stays open up to the start of `_last`, and what
        # comes of it there is `_end`: True if the row ends in this line, an error, or None if that is not known
        self._first = self._last = 0
        self._end: FlyweightError | bool | None = None
        self._sums = [0]  # bytes of the lines from `_first` on
        self._broken: tuple[int, FlyweightError] | None = None  # a line that no row may run through, and why

    def read(self, lines: "list[bytes]", begin: int, number: int) -> "tuple[Row, int]":
        """Read the row that begins at an index of `lines`; lines that it continues in are added from the source.

        :param number: of the line at that index.
        :returns: the row, and the index at which the next one begins.
        :raises MalformedRequest: the row is not CSV, or not UTF-8.
        :raises TooLarge: one of its lines is too long.
        """
        line = lines[begin]
        check_size(line)
        row = _row(_text(line))
        decoded(line)
        if row is not None:
            return row, begin + 1
        end = begin + self._length(lines, begin, number)
        while len(lines) < end:
            lines.append(self._source.next() or b"")
        return self._continued(lines[begin:end], number), end

    def _continued(self, lines: "list[bytes]", number: int) -> "Row":
        """Read a row of several lines.

        :param number: of the first line.
        :raises MalformedRequest: one of its values is too long, or it is not UTF-8.
        """
        reader = csv.reader(map(_text, lines), strict=True)
        place = 0
        try:
            row = next(reader)
            for line in lines:
                decoded(line)
                place += 1
        except csv.Error as error:
            place, fault = reader.line_num - 1, MalformedRequest(f"the row is not CSV: {fault_of(error)}")
        except MalformedRequest as error:
            fault = error
        else:
            return row
        self._broken = number + place, fault
        raise fault

    def _length(self, lines: "list[bytes]", begin: int, number: int) -> int:
        """Find how many lines the row has whose first one leaves a quote open.

        :raises MalformedRequest: the quote does not close, or is followed by something else than a comma.
        :raises TooLarge: a line that it runs through is too long.
        """
        following, size = number + 1, len(lines[begin]) + 1
        if not self._first <= following <= self._last:
            self._first = self._last = following
            self._end, self._sums = None, [0]
        elif following - self._first > KEPT_SIZES:
            del self._sums[: following - self._first]
            self._first = following
        before = self._sums[following - self._first]
        while self._end is None and size + self._sums[-1] - before <= MAX_ROW:
            place = begin + self._last - number
            line = lines[place] if place < len(lines) else self._source.peek(place - len(lines))
            self._end = _end(line)
            self._sums.append(self._sums[-1] + len(line or b"") + 1)
            self._last += self._end is None
        if self._broken is not None and number < self._broken[0] <= self._last:
            raise self._broken[1]
        if isinstance(self._end, FlyweightError):
            raise self._end
        if self._end is None or size + self._sums[-1] - before > MAX_ROW:
            raise MalformedRequest("the row is not CSV: a quote does not close")
        return self._last - number + 1


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape") + "\n"


def _row(text: str) -> "Row | None":
    """Read one line as a row; None if a quote is open at its end.

    :raises MalformedRequest: it is not CSV.
    """
    is_open = False

    def alone() -> "Iterator[str]":
        nonlocal is_open
        yield text
        is_open = True

    try:
        return next(csv.reader(alone(), strict=True))
    except csv.Error as error:
        if is_open:
            return None
        raise MalformedRequest(f"the row is not CSV: {fault_of(error)}") from None


def _end(line: "bytes | None") -> "FlyweightError | bool | None":
    """Find what comes of a quote that is open at the start of a line.

    :returns: True if the row ends in this line, None if a quote is open at its end, or the error.
    """
    if line is None:
        return MalformedRequest("the row is not CSV: unexpected end of data")
    if type(line) is TruncatedLine:
        try:
            check_size(line)
        except TooLarge as error:
            return error
    if b'"' not in line:
        return None
    try:
        return True if _row('"' + _text(line)) is not None else None
    except MalformedRequest as error:
        return error
