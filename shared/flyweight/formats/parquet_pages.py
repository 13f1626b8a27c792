"""Read where a Parquet file has its columns, and check the headers of their pages before pyarrow reads them.

A few bytes of a page may say that they unpack to gigabytes, and pyarrow's own objects for a file's footer end the process if
the footer is damaged. A column of a row group is a sequence of pages; headers and the footer are in Thrift's compact protocol.
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift (FileMetaData, PageHeader)
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from flyweight.errors import MalformedRequest, TooLarge
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_PAGE = 64 << 20  # bytes; writers make pages of one megabyte, and some of a hundred
TIMES = 25  # and a page of many bytes may unpack to 25 times as many
# fields of the footer, of its row groups, of their columns, and of what is said about a column
GROUPS, COLUMNS, ABOUT = 4, 1, 3
ENCODINGS, PATH, BYTES, FIRST_DATA, DICTIONARY = 2, 3, 7, 9, 11
# fields of a page's header, and of the headers of data pages inside
SIZE, SIZE_IN_FILE, DATA, DATA_2 = 2, 3, 5, 8
VALUES, ENCODING, ENCODING_2 = 1, 2, 4
# the encodings whose lengths are all unpacked at once, four bytes each; texts of the second repeat the one before them
LENGTHS, REPEATING = 6, 7
MAX_REPEATING_PAGE = 8 << 20  # bytes, since each of its texts may be as long
MAX_DEPTH = 12
BROKEN = (AttributeError, IndexError, KeyError, TypeError, UnicodeDecodeError)


class Column(Value):
    """One column of a row group: its name, its place and its bytes in the file, and its encodings by number."""

    name: str
    start: int
    size: int
    encodings: "list[int]"


def columns_of(footer: bytes) -> "list[list[Column]]":
    """Read the columns of each row group.

    :raises MalformedRequest: the bytes are no footer.
    """
    try:
        fields, _ = _struct(footer, 0, 0)
        return [[_column(column[ABOUT]) for column in group[COLUMNS]] for group in fields[GROUPS]]
    except BROKEN:
        raise MalformedRequest("the file is not Parquet: its footer can't be read") from None


def _column(about: "dict[int, Any]") -> Column:
    """Make a column of what the footer says about it.

    :raises KeyError: it does not say all.
    """
    start, dictionary = about[FIRST_DATA], about.get(DICTIONARY) or 0
    name = ".".join([part.decode() for part in about[PATH]])
    return Column(name, min(start, dictionary) if dictionary > 0 else start, about[BYTES], about[ENCODINGS])


def check_pages(data: bytes, page_bytes: int = 0) -> None:
    """Check the pages of one column of a row group.

    :param page_bytes: to which a small page may unpack; 0 for what files may have.

    :raises TooLarge: a page unpacks to more than the limit.
    :raises MalformedRequest: a header is no such header.
    """
    at = 0
    while at < len(data):
        try:
            header, at = _struct(data, at, 0)
            size, size_in_file = header[SIZE], header[SIZE_IN_FILE]
            first, second = header.get(DATA, {}), header.get(DATA_2, {})
            encoding = first.get(ENCODING, second.get(ENCODING_2))
            if encoding in (LENGTHS, REPEATING):
                size = max(size, 4 * max(first.get(VALUES, 0), second.get(VALUES, 0)))
            limit = MAX_REPEATING_PAGE if encoding == REPEATING else max(page_bytes or MAX_PAGE, TIMES * size_in_file)
            too_large = size > limit
            at += size_in_file if size_in_file >= 0 else len(data)
        except BROKEN:
            raise MalformedRequest("the file is not Parquet: the header of a page can't be read") from None
        if too_large:
            raise TooLarge(f"a page of the file unpacks from {size_in_file} to {size} bytes, the limit is {limit}")


def _struct(data: bytes, at: int, depth: int) -> "tuple[dict[int, Any], int]":
    """Read a structure.

    :returns: its fields by number, and where it ends.
    :raises IndexError: it does not end, or is nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise IndexError
    fields: dict[int, Any] = {}
    number = 0
    while (head := data[at]) != 0:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _integer(data, at)
        fields[number], at = _value(data, at, head & 15, depth)
    return fields, at + 1


def _value(data: bytes, at: int, kind: int, depth: int) -> "tuple[Any, int]":
    """Read a value of a kind.

    :returns: the value, None for a fraction, and where it ends.
    :raises IndexError: it does not end, or is of no kind that Parquet has.
    """
    if kind in (1, 2):  # true and false have no bytes in a structure
        return kind == 1, at
    if kind in (3, 7):
        return None, at + (1 if kind == 3 else 8)
    if kind in (4, 5, 6):
        return _integer(data, at)
    if kind == 8:
        length, at = _natural(data, at)
        return data[at : at + length], at + length
    if kind in (9, 10):
        return _list(data, at, depth + 1)
    if kind == 12:
        return _struct(data, at, depth + 1)
    raise IndexError


def _list(data: bytes, at: int, depth: int) -> "tuple[list[Any], int]":
    """Read a list.

    :raises IndexError: it does not end.
    """
    length, kind = data[at] >> 4, data[at] & 15
    length, at = _natural(data, at + 1) if length == 15 else (length, at + 1)
    values = []
    for _ in range(length):
        value, at = _value(data, at, 3 if kind in (1, 2) else kind, depth)
        values.append(value)
        if at > len(data):
            raise IndexError
    return values, at


def _natural(data: bytes, at: int) -> "tuple[int, int]":
    """Read a whole number of seven bits a byte.

    :raises IndexError: it does not end, or has more than 64 bits.
    """
    number = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, at
    raise IndexError


def _integer(data: bytes, at: int) -> "tuple[int, int]":
    """Read a whole number whose lowest bit is its sign."""
    number, at = _natural(data, at)
    return (number >> 1) ^ -(number & 1), at
