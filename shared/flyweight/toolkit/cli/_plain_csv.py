"""Rewrite texts as models' readers take them: in UTF-8, and CSV with commas, from another encoding or delimiter."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain

from flyweight.errors import MalformedRequest
from flyweight.formats.csv import fault_of
from flyweight.toolkit.errors import ToolkitError

ROWS = 1000  # written at a time


def check(delimiter: str | None, encoding: str | None) -> None:
    """Check a delimiter and an encoding that the user named.

    :raises ToolkitError: one of them can't be used.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise ToolkitError(f"{delimiter!r} can't be a delimiter", "give one character, such as --delimiter ';'")
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        raise ToolkitError(f"no encoding is called {encoding!r}", "give one that Python knows, such as latin-1") from None


def utf8(chunks: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    """Encode a text as UTF-8.

    :param encoding: of the text; by default UTF-16 if it begins with the mark of that, and else UTF-8.
    :raises MalformedRequest: the text is of another encoding.
    """
    first = next(chunks, b"")
    if encoding is None and first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    whole = chain([first], chunks)
    return whole if encoding is None else (text.encode() for text in _decoded(whole, encoding))


def with_commas(chunks: Iterable[bytes], delimiter: str) -> Iterator[bytes]:
    """Write CSV of another delimiter with commas; each row stays on its lines.

    :raises MalformedRequest: it is not CSV.
    """
    reader = csv.reader(_lines(_decoded(chunks, "utf-8-sig")), delimiter=delimiter, strict=True)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    try:
        for number, row in enumerate(reader):
            writer.writerow(row)
            if number % ROWS == 0:
                yield file.getvalue().encode()
                file.seek(0)
                file.truncate()
    except csv.Error as error:
        raise MalformedRequest(f"line {reader.line_num} is not CSV: {fault_of(error)}") from None
    yield file.getvalue().encode()


def _decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    try:
        yield from codecs.iterdecode(chunks, encoding)
    except UnicodeError as error:
        raise MalformedRequest(f"the file is not {encoding.removesuffix('-sig')}: {error}") from None


def _lines(texts: Iterable[str]) -> Iterator[str]:
    rest = ""
    for text in texts:
        *lines, rest = (rest + text).split("\n")
        yield from (f"{line}\n" for line in lines)
    yield rest
