"""Samples from files: every form gives the same table, and a damaged file is refused with its line and what to do."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from flyweight.toolkit.packing.tables import TableRefused, is_text, read_table

FRAME = pd.DataFrame({"word": ["é", "a b", None], "size": [1.5, -2.0, None], "count": [1, 2, 3], "flag": [True, False, True]})
ARRAYS = FRAME.astype(object).where(FRAME.notna(), None).to_dict("list")


def _write_stream(path: Path) -> None:
    table = pa.Table.from_pandas(FRAME)
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)


WRITERS: dict[str, Callable[[Path], object]] = {
    "t.json": lambda path: FRAME.to_json(path, orient="records"),
    "t.ndjson": lambda path: FRAME.to_json(path, orient="records", lines=True),
    "t.jsonl.gz": lambda path: FRAME.to_json(path, orient="records", lines=True, compression="gzip"),
    "split.json": lambda path: FRAME.to_json(path, orient="split"),
    "arrays.json": lambda path: path.write_text(json.dumps({"instances": ARRAYS})),
    "t.arrows": _write_stream,
    "t.parquet": lambda path: FRAME.to_parquet(path),
    "parquet without a suffix": lambda path: FRAME.to_parquet(path),
    "t.feather": lambda path: FRAME.to_feather(path),
    "t.arrow": lambda path: FRAME.to_feather(path, compression="uncompressed"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_each_form_with_types_gives_the_table(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    read = read_table(tmp_path / name)
    assert not is_text(read)
    assert read.astype(object).where(read.notna(), None).to_dict("list") == FRAME.astype(object).where(
        FRAME.notna(), None
    ).to_dict("list")


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("t.csv", b"a,b\n01,x y\n,NA\n", {}),
        ("t.csv.gz", gzip.compress(b"a,b\n01,x y\n,NA\n", mtime=0), {}),
        ("t.tsv", b"a\tb\r\n01\tx y\r\n\tNA\r\n", {}),
        ("t.txt", b"a;b\n01;x y\n;NA\n", {"delimiter": ";"}),
        ("bom.csv", b"\xef\xbb\xbfa,b\n01,x y\n,NA\n", {}),
        ("wide.csv", "a,b\n01,x y\n,NA\n".encode("utf-16"), {}),
        ("odd.csv", b'"a","b"\n"01","x y"\n\n"","NA"\n', {}),
    ],
)
def test_csv_stays_text(name: str, text: bytes, options: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(text)
    read = read_table(tmp_path / name, **options)  # type: ignore[arg-type]
    assert is_text(read) and read.to_dict("list") == {"a": ["01", ""], "b": ["x y", "NA"]}


def test_kinds_that_are_given_convert_csv(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("n,b,s\n1,TRUE,01\n,0,NA\n")
    read = read_table(tmp_path / "t.csv", {"n": "number", "b": "boolean"})
    assert read["n"].tolist()[0] == 1.0 and pd.isna(read["n"].tolist()[1])
    assert read["b"].tolist() == [True, False] and read["s"].tolist() == ["01", "NA"]


def test_an_encoding_that_is_given_is_used(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("wort\ngröße\n".encode("latin-1"))
    assert read_table(tmp_path / "t.csv", encoding="latin-1")["wort"].tolist() == ["größe"]


def test_lists_of_json_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"instances": [[1, "a"], [2, null]]}')
    assert read_table(tmp_path / "t.json").columns.tolist() == ["x0", "x1"]


DAMAGED: dict[str, tuple[str, bytes, str, str]] = {
    "empty": ("t.csv", b"", "t.csv is empty", "header"),
    "only blanks": ("t.csv", b" \n\n", "t.csv is empty", "header"),
    "no row": ("t.csv", b"a,b\n", "a header and no row", "at least one row"),
    "another width": ("t.csv", b"a,b\n1,2\n3\n", "line 3: 1 cells, the header has 2", "mend the line"),
    "a quote": ("t.csv", b'a,b\n1,"2\n', "line 2: not CSV", "quote"),
    "a quote inside": ("t.csv", b'a,b\n"1"2,3\n', "line 2: not CSV", "quote"),
    "a name twice": ("t.csv", b"a,a\n1,2\n", "line 1: the header has 'a' twice", "name of its own"),
    "a semicolon": ("t.csv", b"a;b\n1;2\n", "has one column, 'a;b'", "--delimiter ';'"),
    "a decimal comma": ("t.csv", b"a;b\n1,5;2\n", "line 2: 2 cells, the header has 1", "--delimiter ';'"),
    "not UTF-8": ("t.csv", b"a\nok\nz\xfc\n", "line 3: not UTF-8 \\(byte 0xfc\\)", "--encoding latin-1"),
    "binary": ("t.csv", b"a\n\0\n", "line 2: a NUL character", "Parquet"),
    "gzip": ("t.csv.gz", b"\x1f\x8b\x08garbage", "damaged gzip", "again"),
    "JSON": ("t.json", b'[{"a": 1},]', "is not JSON", "list of objects"),
    "JSON of a number": ("t.json", b"3", "no list of rows", "instances"),
    "JSON of null": ("t.json", b"null", "no list of rows", "instances"),
    "JSON without rows": ("t.json", b"[]", "has no row", "at least one row"),
    "JSON of numbers": ("t.json", b'[{"a": 1}, 2]', "row 2 is not an object", "every row"),
    "NaN": ("t.json", b'[{"a": NaN}]', "NaN", "list of objects"),
    "a line": ("t.ndjson", b'{"a": 1}\n{"a": \n', "line 2: is not JSON", "one JSON object a line"),
    "Parquet": ("t.parquet", b"PAR1 and then nothing", "is not Parquet", "write the file again"),
    "Arrow": ("t.arrow", b"ARROW1\0\0nothing", "is not Arrow", "write the file again"),
    "carriage returns": ("t.csv", b"a,b\r1,2\r", "line 1: not CSV: a carriage return ends a line", "mend the line"),
    "Excel": ("t.xlsx", b"PK\x03\x04\x14\0", "is a ZIP archive or an Excel file", "CSV, JSON, NDJSON, Parquet, Feather or Arrow"),
    "bzip2": ("t.csv.bz2", bz2.compress(b"a\n1\n"), "is compressed with bzip2", "gzip around it is read too"),
    "ORC": ("t.orc", b"ORC\n\x03\0", "is an ORC file", "CSV, JSON, NDJSON, Parquet, Feather or Arrow"),
    "split without rows": ("t.json", b'{"columns": ["a"], "data": 1}', "'columns' and 'data' are no arrays", "once"),
    "split of another width": (
        "t.json",
        b'{"columns": ["a"], "data": [[1, 2]]}',
        "row 1 is not an array of 1 values",
        "each column",
    ),
    "arrays of other lengths": ("t.json", b'{"instances": {"a": [1], "b": [1, 2]}}', "no arrays of one length", "all rows"),
    "a stream": ("t.arrow", b"something else", "is not Arrow", "write the file again"),
}


@pytest.mark.parametrize(("name", "data", "words", "step"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file_is_refused_with_its_place_and_what_to_do(
    name: str, data: bytes, words: str, step: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TableRefused, match=words) as caught:
        read_table(tmp_path / name)
    assert step in caught.value.next_step


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_a_delimiter_is_one_character(delimiter: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    with pytest.raises(TableRefused, match="can't be a delimiter"):
        read_table(tmp_path / "t.csv", delimiter=delimiter)


def test_an_unknown_encoding_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    with pytest.raises(TableRefused, match="no encoding is called 'latin-x'"):
        read_table(tmp_path / "t.csv", encoding="latin-x")
    with pytest.raises(TableRefused, match="can't be read"):
        read_table(tmp_path / "absent.csv")


def test_a_column_may_be_called_as_a_form_of_files_begins(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("ORC,BZh\n1,2\n")
    assert read_table(tmp_path / "t.csv").columns.tolist() == ["ORC", "BZh"]
