"""Read the rows of a file or of standard input in batches, by the readers that files in stores are read by."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from flyweight.errors import InvalidInput, MalformedRequest
from flyweight.files.reader import COMPRESSIONS, FORMATS, text_batches
from flyweight.files.scoring import BATCH_BYTES, BATCH_ROWS
from flyweight.formats import compression, json
from flyweight.formats.batches import Batch
from flyweight.toolkit.cli import _plain_csv
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.models.isolation import GroupFault
    from flyweight.models.validation import Validator

EXTENSIONS = {**FORMATS, "tsv": "csv", "json": "json"}
FOLDERS_ONLY = ("arrow", "arrows", "feather", "ipc")  # forms that are scored into a folder only
LIKELY = (";", "\t", "|")  # delimiters to propose
NAMES = ("csv", "jsonl", "json", "parquet")
CHUNK = 1 << 20  # bytes
SHOWN = 3  # faults in one message
COUNTED = {"csv": "line", "jsonl": "line", "json": "instance", "parquet": "row"}  # what the numbers of a format's rows count


class RowsRefused(ToolkitError):
    """Rows that can't be read, or that do not fit the model's signature."""

    next_step = "correct these rows or leave them out; `flyweight inspect MODEL` lists the features"


class Rows:
    """The rows of a file, or of standard input for the path `-`.

    :param named: one of NAMES; None for the format that the extension of the file's name says.
    :param advance: called with the bytes that are read so far, and the size of the file or 0.
    :param delimiter: between the cells of CSV; by default a comma, or a tab in a `.tsv` file.
    :param encoding: of a text; UTF-8 by default.
    :raises ToolkitError: the name does not say the format, its format needs a file, or the delimiter can't be one.
    """

    def __init__(
        self,
        path: Path,
        named: str | None,
        advance: Callable[[int, int], None] = lambda done, size: None,
        *,
        delimiter: str | None = None,
        encoding: str | None = None,
    ) -> None:
        _plain_csv.check(delimiter, encoding)
        self._path, self._advance, self._encoding, self._header = path, advance, encoding, b""
        self._piped = str(path) == "-"
        extensions = [] if self._piped else path.name.lower().split(".")[1:]
        self._compression = COMPRESSIONS.get(extensions.pop(), "") if extensions and extensions[-1] in COMPRESSIONS else ""
        found = named or ("csv" if self._piped else EXTENSIONS.get(extensions[-1] if extensions else "", ""))
        self._delimiter = delimiter or ("\t" if extensions and extensions[-1] == "tsv" else ",")
        if not found and extensions and extensions[-1] in FOLDERS_ONLY:
            raise ToolkitError(
                f"{path}: the answers of an Arrow file go to a folder", "name it with a slash at its end: -o FOLDER/"
            )
        if not found:
            listed = ", ".join(f".{extension}" for extension in EXTENSIONS)
            step = f"name the format: --format {', '.join(NAMES[:-1])} or {NAMES[-1]}"
            raise ToolkitError(f"{path}: the name of the file does not end in {listed}, or one of them and .gz or .zst", step)
        if found == "parquet" and (self._piped or self._compression):
            raise ToolkitError("Parquet is read from an uncompressed file only", "give the path of a .parquet file")
        self.format = found

    def batches(self, validator: Validator) -> Iterator[Batch]:
        """Read batches of rows, in bounded memory but for one JSON document, which is read as a whole.

        :raises RowsRefused: the file is not of its format, or its columns are not the features.
        :raises OSError: it can't be read.
        """
        try:
            if self._piped:
                yield from self._of_text(sys.stdin.buffer, validator)
                return
            with open(self._path, "rb") as file:
                yield from self._of_parquet(file, validator) if self.format == "parquet" else self._of_text(file, validator)
        except MalformedRequest as error:
            named = str(error).removeprefix("the file ").removeprefix(f"{self._name} ")
            step = "; --encoding names another one than UTF-8" if "not UTF-8" in named else "; --format names another one"
            raise RowsRefused(f"{self._name} {named}", f"it was read as {self.format}{step}") from None
        except InvalidInput as error:  # of its columns
            if other := self._likely():
                step = f"give its delimiter, for example --delimiter '{other}'"
                raise RowsRefused(f"{self._name} has one column, {self._header.decode(errors='replace')[:80]!r}", step) from None
            step = "correct the table; columns that are no features of the model are left out by --unknown ignore"
            raise RowsRefused(f"{self._name}: {error}", step) from None

    def _likely(self) -> str:
        """Propose a delimiter for CSV whose header has no comma; "" if none is in it."""
        single = self.format == "csv" and self._delimiter == "," and b"," not in self._header
        return next((one.replace("\t", "\\t") for one in LIKELY if single and one.encode() in self._header), "")

    @property
    def _name(self) -> str:
        return "standard input" if self._piped else str(self._path)

    def check(self, batch: Batch, faults: list[GroupFault]) -> None:
        """Check that every row of a batch was read and answered.

        :raises RowsRefused: one was not; the message names the first ones.
        :raises Exception: an error that is not the fault of a row.
        """
        for fault in faults:
            if not fault.final:
                raise fault.error
        found: list[tuple[int, Exception]] = [(number, error) for number, error, _ in batch.faults]
        found += [(batch.lines[fault.group], fault.error) for fault in faults]
        if not found:
            return
        found.sort(key=lambda one: one[0])
        listed = "; ".join(self._words(*one) for one in found[:SHOWN])
        more = f"; and {len(found) - SHOWN:,} more rows near them" if len(found) > SHOWN else ""
        raise RowsRefused(f"{self._name}: {listed}{more}")

    def _words(self, number: int, error: Exception) -> str:
        """Name a row and what is wrong with it."""
        place = f"{COUNTED[self.format]} {number}"
        if not isinstance(error, InvalidInput):
            return f"{error}" if str(error).startswith(place) else f"{place}: {error}"
        faults = [fault._replace(instance=None, line=None) for fault in error.faults[:SHOWN]]
        return "; ".join(f"{place}{', ' if fault.feature is not None else ': '}{fault}" for fault in faults)

    def _of_parquet(self, file: BinaryIO, validator: Validator) -> Iterator[Batch]:
        from flyweight.formats.parquet import parquet_batches

        size = self._path.stat().st_size

        def read(start: int, count: int) -> bytes:
            file.seek(start)
            self._advance(start, size)
            return file.read(count)

        return parquet_batches(read, size, validator, {}, BATCH_ROWS)

    def _of_text(self, file: BinaryIO, validator: Validator) -> Iterator[Batch]:
        chunks = _plain_csv.utf8(self._chunks(file), self._encoding)
        if self.format == "csv":
            chunks = self._noted(chunks if self._delimiter == "," else _plain_csv.with_commas(chunks, self._delimiter))
        if self.format == "json":
            whole = self._document(chunks, validator)
            if isinstance(whole, list):
                return iter(whole)
            self.format, chunks = "jsonl", whole
        return text_batches(chunks, self.format, validator, {}, BATCH_ROWS, BATCH_BYTES)

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        """Read plain bytes, and tell the progress."""

        def read() -> Iterator[bytes]:
            done, size = 0, 0 if self._piped else self._path.stat().st_size
            while chunk := file.read(CHUNK):
                done += len(chunk)
                self._advance(done, size)
                yield chunk

        return compression.plain(read(), self._compression)

    def _noted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Keep the header of CSV, for messages."""
        for chunk in chunks:
            self._header = self._header or chunk.lstrip().partition(b"\n")[0].strip()
            yield chunk

    def _document(self, chunks: Iterator[bytes], validator: Validator) -> list[Batch] | Iterator[bytes]:
        """Read a JSON document; a file whose first line is one by itself holds JSON lines, and is read as such.

        :returns: its batches, or all chunks of a file with JSON lines.
        :raises MalformedRequest: it is not JSON.
        :raises InvalidInput: it holds no instances.
        """
        begin = b""
        for chunk in chunks:
            begin += chunk
            line, newline, rest = begin.lstrip().partition(b"\n")
            if newline and rest.strip():
                if _is_object(line):
                    return chain([begin], chunks)
                break
        try:
            text = (begin + b"".join(chunks)).removeprefix(b"\xef\xbb\xbf").decode()
        except UnicodeDecodeError as error:
            raise MalformedRequest(f"the file is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}") from None
        instances, _ = json.instances_of(json.parse_strictly(text, "the file"), validator)
        cuts = range(0, len(instances), BATCH_ROWS)
        parts = [(at, instances[at : at + BATCH_ROWS]) for at in cuts]
        return [Batch(part, [*range(at, at + len(part))], [], [], {}, {}) for at, part in parts]


def _is_object(line: bytes) -> bool:
    """Tell whether a line is an object of JSON by itself, and one instance: not a document with several of them."""
    try:
        document = json.parse_strictly(line.decode("utf-8", "replace"))
    except MalformedRequest:
        return False
    return isinstance(document, dict) and not isinstance(document.get("instances"), list)
