"""A sample's file, read as a table: CSV, JSON, NDJSON, Parquet, Feather or Arrow, also with gzip.

CSV has no types. Its cells are kept as texts here, and converted when the kinds of the columns are known (`kinds.py`).
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flyweight import strict_json
from flyweight.formats.csv import MISSING, fault_of
from flyweight.models.signature import Feature
from flyweight.models.texts import value_of
from flyweight.toolkit.errors import ToolkitError

FORM = "flyweight.form"  # the attribute of a DataFrame that says of which form its file was: CSV, JSON, or one with types
UNNAMED = "flyweight.unnamed"  # the attribute of one whose columns the file does not name: they are in the features' order
CSV, JSON, TYPED = "csv", "json", "typed"
MAX_CELL = 1 << 27  # characters
LIKELY = (";", "\t", "|")  # delimiters to propose
GZIP = b"\x1f\x8b"
# by the first bytes; a stream of Arrow begins with the mark of a message
COLUMNAR = {b"PAR1": "Parquet", b"ARRO": "Arrow", b"FEA1": "Feather", b"\xff\xff\xff\xff": "Arrow"}
OTHERS = (
    (b"PK\x03\x04", "a ZIP archive or an Excel file (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "an Excel file (.xls)"),
    (b"\x80", "a pickle"),
    (b"\x93NUMPY", "an array of NumPy"),
    (b"\x89HDF", "an HDF5 file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
)  # the first bytes of files that are not read here
READ = "give the table as CSV, JSON, NDJSON, Parquet, Feather or Arrow; gzip around it is read too"
JSON_LINES = (".ndjson", ".jsonl")


class TableRefused(ToolkitError, ValueError):
    """A file that can't be read as a table."""


def read_table(
    path: str | Path, kinds: Mapping[str, str] = {}, delimiter: str | None = None, encoding: str | None = None
) -> pd.DataFrame:
    """Read a table from a file; its form is found by its first bytes, or else by its suffix, and is CSV otherwise.

    :param kinds: the kind of some columns of CSV by their name; the cells of the others stay texts.
    :param delimiter: between the cells of CSV; by default a comma, or a tab in a `.tsv` file.
    :param encoding: of CSV and JSON; UTF-8 by default.
    :raises TableRefused: the file is damaged, or of another form.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TableRefused(f"{path} can't be read: {error.strerror}", "give the path of a file that you may read") from None
    name = path.name.lower()
    if data.startswith(GZIP):
        data, name = _unzipped(data, path), name.removesuffix(".gz")
    suffix = Path(name).suffix
    if data[:4] in COLUMNAR or suffix in (".parquet", ".feather", ".arrow", ".arrows", ".ipc"):
        return _of_form(_columnar(data, path, COLUMNAR.get(data[:4], suffix[1:].title())), TYPED)
    _check_readable(data, path) if encoding is None else None
    text = _decoded(data, path, encoding)
    if suffix in (*JSON_LINES, ".json"):
        instances = _json_lines(text, path) if suffix in JSON_LINES else _json(text, path)
        return _of_form(_of_instances(instances, path), JSON)
    frame = _csv(text, path, ("\t" if suffix == ".tsv" else ",") if delimiter is None else delimiter)
    return typed(frame, {name: kind for name, kind in kinds.items() if name in frame.columns})


def is_text(table: Any) -> bool:
    """Check whether a table's cells are texts of CSV, which have no kind yet."""
    return file_form(table) == CSV


def file_form(table: Any) -> str:
    """Find the form of the file that a table was read from: CSV, JSON or TYPED; "" for a table that was read from none."""
    return str(table.attrs.get(FORM, "")) if isinstance(table, pd.DataFrame) else ""


def _of_form(frame: pd.DataFrame, form: str) -> pd.DataFrame:
    frame.attrs[FORM] = form
    return frame


def typed(frame: pd.DataFrame, kinds: Mapping[str, str], missing: Mapping[str, frozenset[str]] = {}) -> pd.DataFrame:
    """Convert columns of texts as a model's reader of CSV does; a text that is not of the kind stays a text.

    :param kinds: the kind of each column to convert: "number", "boolean" or "string"; others stay texts, or missing.
    :param missing: for some columns the texts that mean missing; by default those that new model files list.
    """
    converted = {name: column_of(frame[name], kind, missing.get(name, MISSING)) for name, kind in kinds.items()}
    return frame.assign(**converted)


def column_of(texts: pd.Series[Any], kind: str, missing: frozenset[str] = MISSING, marker: Any = np.nan) -> pd.Series[Any]:
    """Convert one column of texts. Whole numbers without a decimal point become integers, as pandas reads them.

    :param missing: the texts that mean missing.
    :param marker: what stands for a missing string.
    """
    feature = Feature(
        str(texts.name), kind if kind == "unread" else "string" if kind == "datetime" else kind, True, missing=missing
    )
    by_text = {text: value_of(text, feature) for text in texts.unique().tolist()}
    if kind == "number" and by_text and all(is_whole(text) for text in by_text):
        by_text = {text: int(text) for text in by_text}
    values = [by_text[text] for text in texts.tolist()]
    if kind == "string" and marker is not np.nan:
        return pd.Series(
            [marker if value is None else value for value in values], index=texts.index, name=texts.name, dtype=object
        )
    column = pd.Series(values, index=texts.index, name=texts.name)
    if kind == "number" and all(value is None for value in values):
        return column.astype(float)
    return column


def is_whole(text: str) -> bool:
    """Check whether a text writes a whole number without a decimal point."""
    digits = text.strip()
    return digits.removeprefix("-").removeprefix("+").isdecimal()


def _check_readable(data: bytes, path: Path) -> None:
    """Refuse a file of a form that is often given and not read here.

    :raises TableRefused: it is one of them.
    """
    other = next((what for start, what in OTHERS if data.startswith(start)), None)
    if other is not None and any(byte < 9 or byte > 127 for byte in data[:512]):  # a column of CSV may be called ORC
        raise TableRefused(f"{path} is {other}, which is not read as a table", READ)


def _unzipped(data: bytes, path: Path) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise TableRefused(f"{path} is damaged gzip: {error}", "write or copy the file again") from None


def _decoded(data: bytes, path: Path, encoding: str | None) -> str:
    """Decode a text file; a byte order mark is dropped.

    :raises TableRefused: it is empty, not text, or of another encoding.
    """
    if encoding is None and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        text = data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except LookupError:
        raise TableRefused(f"no encoding is called {encoding!r}", "give one that Python knows, such as latin-1") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        step = (
            "give its encoding, for example --encoding latin-1"
            if encoding is None
            else "give the encoding that it was written in"
        )
        raise TableRefused(f"{path}, line {line}: not {encoding or 'UTF-8'} (byte {data[error.start]:#04x})", step) from None
    if not text.strip():
        raise TableRefused(f"{path} is empty", "give rows that the estimator accepts, under a header of column names")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TableRefused(f"{path}, line {line}: a NUL character, which no text has", "give CSV, JSON, NDJSON, Parquet or Arrow")
    return text


def _csv(text: str, path: Path, delimiter: str) -> pd.DataFrame:
    """Read CSV under a header, as texts.

    :raises TableRefused: a line is damaged or has another number of cells, or the header has a name twice.
    """
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise TableRefused(f"{delimiter!r} can't be a delimiter", "give one character, such as --delimiter ';'")
    lines = _csv_lines(text, path, delimiter)
    number, names = next(lines)
    others = [other for other in LIKELY if other in names[0]] if len(names) == 1 else []
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise TableRefused(f"{path}, line {number}: the header has {twice[0]!r} twice", "give each column a name of its own")
    rows = []
    for number, row in lines:
        if len(row) != len(names):
            step = _delimiter_step(others) if others else "mend the line: a cell with a comma or a line end needs quotes"
            raise TableRefused(f"{path}, line {number}: {len(row)} cells, the header has {len(names)}", step)
        rows.append(row)
    if others:
        raise TableRefused(f"{path} has one column, {names[0]!r}", _delimiter_step(others))
    if not rows:
        raise TableRefused(f"{path} has a header and no row", "give at least one row that the estimator accepts")
    columns = {name: pd.Series(cells, dtype=object) for name, cells in zip(names, zip(*rows, strict=True), strict=True)}
    return _of_form(pd.DataFrame(columns), CSV)


def _delimiter_step(others: list[str]) -> str:
    shown = "'\\t'" if others[0] == "\t" else f"'{others[0]}'"
    return f"give its delimiter, for example --delimiter {shown}"


def _csv_lines(text: str, path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the number of its first line.

    :raises TableRefused: a quote does not close, or stands inside a cell.
    """
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise TableRefused(
                f"{path}, line {number}: not CSV: {fault_of(error)}", "mend the line: a quote in a cell is doubled"
            ) from None
        if row is None:
            return
        if row:
            yield number, row


def _json(text: str, path: Path) -> list[Any]:
    """Read a list of instances, or an object with the key `instances`, or with `columns` and `data`.

    :raises TableRefused: the text is something else.
    """
    try:
        document = strict_json.parse(text)
    except strict_json.NotStrictJSON as error:
        raise TableRefused(f"{path} {error}", "give a list of objects, or NDJSON in a file named .ndjson") from None
    instances = document.get("instances") if isinstance(document, dict) else document
    if instances is None and isinstance(document, dict) and {"columns", "data"} <= {*document}:
        instances = _of_split(document["columns"], document["data"], path)
    elif isinstance(instances, dict):
        instances = _of_arrays(instances, path)
    if not isinstance(instances, list):
        raise TableRefused(f"{path} holds no list of rows", 'give [{"column": value}, ...] or {"instances": [...]}')
    return instances


def _of_split(columns: Any, rows: Any, path: Path) -> list[Any]:
    """Make instances of `columns` and `data`, as pandas' `to_json(orient="split")` writes them.

    :raises TableRefused: they are no arrays, or a row has another number of values than there are columns.
    """
    if not isinstance(columns, list) or not isinstance(rows, list) or len({*map(str, columns)}) < len(columns):
        raise TableRefused(f"{path}: 'columns' and 'data' are no arrays, or a column is there twice", "give each column once")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != len(columns):
            raise TableRefused(f"{path}, row {number} is not an array of {len(columns)} values", "give one for each column")
    return [dict(zip(map(str, columns), row, strict=True)) for row in rows]


def _of_arrays(named: dict[str, Any], path: Path) -> list[Any]:
    """Make instances of an object with one array of values a column.

    :raises TableRefused: a column is no array, or they differ in length.
    """
    if not all(isinstance(values, list) for values in named.values()) or len({*map(len, named.values())}) > 1:
        raise TableRefused(f"{path}: 'instances' holds no arrays of one length", "give one array a column, each with all rows")
    return [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)]


def _json_lines(text: str, path: Path) -> list[Any]:
    """Read one instance a line.

    :raises TableRefused: a line is not JSON.
    """
    instances = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                instances.append(strict_json.parse(line))
            except strict_json.NotStrictJSON as error:
                raise TableRefused(f"{path}, line {number}: {error}", "give one JSON object a line") from None
    return instances


def _of_instances(instances: list[Any], path: Path) -> pd.DataFrame:
    """Build a table of objects by name, or of lists, whose columns are then numbered: x0, x1...

    :returns: the table; one of lists is marked as `UNNAMED`.
    :raises TableRefused: there is no row, or rows of several forms.
    """
    if not instances:
        raise TableRefused(f"{path} has no row", "give at least one row that the estimator accepts")
    unnamed = all(isinstance(row, list) and len(row) == len(instances[0]) for row in instances)
    if unnamed:
        instances = [{f"x{position}": value for position, value in enumerate(row)} for row in instances]
    wrong = next((number for number, row in enumerate(instances, 1) if not isinstance(row, dict)), None)
    if wrong is not None:
        raise TableRefused(f"{path}, row {wrong} is not an object by column name", "give every row as an object")
    names = dict.fromkeys(name for row in instances for name in row)
    frame = pd.DataFrame({name: pd.Series([row.get(name) for row in instances]) for name in names})
    frame.attrs[UNNAMED] = unnamed
    return frame


def _columnar(data: bytes, path: Path, form: str) -> pd.DataFrame:
    """Read Parquet, Feather or Arrow by pyarrow.

    :raises TableRefused: pyarrow is not installed, or the file is damaged.
    """
    try:
        import pyarrow as pa
        from pyarrow import feather, ipc, parquet
    except ImportError:
        raise TableRefused(f"{path}: {form} needs pyarrow, which is not installed here", "pip install pyarrow") from None
    try:
        if form == "Parquet":
            table = parquet.read_table(io.BytesIO(data))
        elif form == "Feather" or data.startswith(b"ARRO"):
            table = feather.read_table(io.BytesIO(data))
        else:
            table = ipc.open_stream(io.BytesIO(data)).read_all()
        frame: pd.DataFrame = table.to_pandas()
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        first = (str(error).splitlines() or [""])[0][:200]
        raise TableRefused(f"{path} is not {form}: {first}", "write the file again, or give CSV or JSON") from None
    return frame.reset_index() if frame.index.name is not None else frame
