"""Files are found by their paths, in folders, and by patterns, on this machine and in stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flyweight.errors import StoreFailed, UnsupportedMediaType
from flyweight.jobs import inputs
from flyweight.jobs.inputs import NoInput, find, form_of
from tests.versions import az, bucket, gs, s3, servers

__all__ = ["az", "bucket", "gs", "s3", "servers"]

KEYS = ("day=1/a.csv", "day=1/b.parquet", "day=2/a.csv.gz", "day=2/deep/c.jsonl", "z.arrow")
HIDDEN = ("_SUCCESS", "_flyweight/day=1/a.csv.json", ".day/a.csv", "day=1/._a.csv", "day=1/readme.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for key in (*KEYS, *HIDDEN):
        path = tmp_path / "in" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path / "in"


def names(*addresses: Any) -> list[str]:
    return [one.name for one in find(map(str, addresses))]


def test_a_folder_has_its_tables_and_nothing_hidden(folder: Path) -> None:
    assert names(folder) == [*KEYS]
    assert names(f"{folder}/") == names(f"file://{folder}") == [*KEYS]
    assert names(folder / "day=1") == ["a.csv", "b.parquet"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("day=*/*.csv", ["day=1/a.csv"]),
        ("day=[!1]/*.gz", ["day=2/a.csv.gz"]),
        ("day=[12]/a.*", ["day=1/a.csv", "day=2/a.csv.gz"]),
        ("**/*.jsonl", ["day=2/deep/c.jsonl"]),
        ("**/a.csv*", ["day=1/a.csv", "day=2/a.csv.gz"]),
        ("day=2/**/?.jsonl", ["deep/c.jsonl"]),
        ("?.arrow", ["z.arrow"]),
    ],
)
def test_a_pattern_keeps_the_folders_below_its_first_sign(folder: Path, pattern: str, expected: list[str]) -> None:
    assert names(f"{folder}/{pattern}") == [
        name.removeprefix("day=2/") if pattern.startswith("day=2/**") else name for name in expected
    ]


def test_a_file_has_its_own_name_and_an_address(folder: Path) -> None:
    (one,) = find([str(folder / "day=1" / "a.csv")])
    assert one.name == "a.csv" and one.address == str(folder / "day=1" / "a.csv")
    (other,) = find(["https://example.com/tables/a.csv"])
    assert (other.root, other.key) == ("https://example.com/tables", "a.csv")


def test_what_can_not_be_scored_is_named(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "a.csv"
    other.parent.mkdir()
    other.write_text("x")
    with pytest.raises(NoInput, match="would have the same answers' file"):
        find([str(folder / "day=1"), str(other)])
    assert names(folder / "day=1", f"{folder}/day=1/*.csv") == ["a.csv", "b.parquet"], "one file, named twice"
    with pytest.raises(NoInput, match="no file of a table"):
        find([str(tmp_path / "nothing")])
    with pytest.raises(UnsupportedMediaType, match="should end in"):
        find([str(folder / "day=1" / "readme.txt")])
    with pytest.raises(StoreFailed, match="no list of files"):
        find(["https://example.com/tables/*.csv"])
    with pytest.raises(StoreFailed, match="name the bucket"):
        find(["s3://zoo-*/a.csv"])
    for wrong in ("[z-a].csv", "[!].csv"):
        with pytest.raises(NoInput, match="this is no pattern"):
            find([f"{folder}/{wrong}"])


@pytest.mark.parametrize("sign", ["\\", "[", "&", "-", "~"])
def test_a_sign_between_brackets_stands_for_itself(tmp_path: Path, sign: str) -> None:
    for name in (f"{sign}.csv", "a.csv", "b.csv"):
        (tmp_path / name).write_text("x")
    assert names(f"{tmp_path}/[{sign}a].csv") == sorted([f"{sign}.csv", "a.csv"])
    assert names(f"{tmp_path}/[!{sign}a].csv") == ["b.csv"]


def test_the_name_says_format_and_compression() -> None:
    assert form_of("a.csv.gz") == ("csv", "gzip") and form_of("x/A.NDJSON.zst") == ("jsonl", "zstd")
    assert {form_of(f"a.{end}")[0] for end in ("arrow", "arrows", "feather", "ipc")} == {"arrow"}
    for wrong in ("a", "a.parquet.gz", "a.xlsx"):
        assert not inputs.is_table(wrong)


@pytest.mark.parametrize("kind", ["s3", "gs", "az"])
def test_stores_are_listed_as_folders_are(request: pytest.FixtureRequest, kind: str) -> None:
    made = request.getfixturevalue(kind)
    store = made.open()
    for key in (*KEYS, *HIDDEN):
        store.put_stream(key, [b"x"])
    assert names(f"{made.root}/") == names(made.root) == [*KEYS]
    assert names(f"{made.root}/**/*.csv*") == ["day=1/a.csv", "day=2/a.csv.gz"]
    assert names(f"{made.root}/day=1/a.csv") == ["a.csv"]


def test_a_folder_of_answers_inside_is_no_input(folder: Path) -> None:
    output = f"file://{folder}/day=2"
    found = [one.name for one in find([str(folder)], output)]
    assert found == [key for key in KEYS if not key.startswith("day=2")]
    assert [one.name for one in find([str(folder / "day=1")], f"file://{folder}")] == ["a.csv", "b.parquet"]


@pytest.mark.parametrize("words", [["in"], ["in/**/*.csv"], ["other", "in/day=1"]], ids=str)
def test_answers_never_replace_a_file_that_is_scored(folder: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    (folder.parent / "link").symlink_to("in")
    (folder.parent / "other" / "day=1").mkdir(parents=True)
    (folder.parent / "other" / "day=1" / "b.parquet").write_text("x")
    with pytest.raises(NoInput, match="would replace a file that is scored: name another folder"):
        find(words, f"file://{folder.parent}/link")
