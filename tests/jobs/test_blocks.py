"""Rows of a text are the same however it is cut, and whether pyarrow or the csv module reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import flyweight
from flyweight.files.reader import File
from flyweight.jobs import blocks
from flyweight.jobs.blocks import WHOLE, Stretch, TextBlocks
from flyweight.models.validation import Validator
from flyweight.stores import open_store

if TYPE_CHECKING:
    from flyweight.stores import Store

HEADER = b"id,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year\n"
CELLS = st.sampled_from(
    [
        *("1", "1.5", " 2.5", "1e3", "-0", "NA", "", " NA", "nan", "NaN", "inf", "1_0", "x", "+1", "0x10", "1,5", "é", "None"),
        *(
            '"1.5"',
            '""',
            '"NA"',
            '"a""b"',
            '"a,b"',
            '"a\nb"',
            '"a\n\nb"',
            'a"b',
            '"a"b',
            '"open',
            "Torgersen",
            "male",
            "\ta",
            "a\rb",
        ),
    ]
)
ROW = st.one_of(
    st.just("7,Biscoe,39.1,18.7,181,3750,male,2007"),
    st.lists(CELLS, min_size=8, max_size=8).map(",".join),
    st.lists(CELLS, max_size=9).map(",".join),
)
TEXTS = st.tuples(st.lists(ROW, max_size=30), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n", "\n\n"]))


@pytest.fixture(scope="module")
def validator(penguins: Path) -> Validator:
    model = flyweight.load(penguins)
    return Validator(model.signature, model.validator.limits._replace(unknown_features="ignore"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(f"file://{tmp_path_factory.mktemp('blocks')}")


def stretch(store: Store, begin: int = 0, end: int = WHOLE, exact: bool = True, key: str = "a.csv") -> Stretch:
    return Stretch(File(store, key, store.head(key), lambda: None), key.rpartition(".")[2], "", begin, end, exact)


def rows_of(read: TextBlocks, names: list[str]) -> list[Any]:
    """The rows that blocks have: their kept values, their features' or the fault; missing values are None."""
    rows: list[Any] = []
    for block in read:
        given = block.rows if block.table is None else block.table.to_pylist()
        kept = [values if isinstance(values, list) else values.to_pylist() for values in block.kept]
        assert {len(block.numbers), *map(len, kept)} == {len(given)}
        for place, row in enumerate(given):
            values = [None if row.get(name) != row.get(name) else row.get(name) for name in names]
            rows.append(block.faults.get(place) or [*[column[place] for column in kept], *values])
    return rows


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.integers(1, 400), st.integers(20, 300))
@example((["7,Biscoe,39.1,18.7,181,3750,male,2007"] * 9, "\n", "\n"), 60, 40)
@example((['7,"Bis\ncoe",39.1,18.7,181,3750,male,2007'] * 9, "\n", "\n"), 60, 40)
def test_rows_are_the_same_wherever_a_csv_is_cut_and_whoever_reads_it(
    store: Store, validator: Validator, monkeypatch: pytest.MonkeyPatch, text: tuple[list[str], str, str], size: int, block: int
) -> None:
    rows, newline, end = text
    store.put_stream("a.csv", [HEADER + newline.join(rows).encode() + end.encode()])
    names = [feature.name for feature in validator.features]
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1 << 20)
    expected = rows_of(TextBlocks(stretch(store), validator, ["id"], False), names)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", block)
    whole = TextBlocks(stretch(store), validator, ["id"], True)
    assert rows_of(whole, names) == expected
    found: list[Any] = []
    following, length = 0, store.head("a.csv").size
    for begin in range(0, length, size):
        read = TextBlocks(stretch(store, begin, min(begin + size, length), begin == 0), validator, ["id"], True)
        if begin and read.begin != following:  # it began inside of a row
            read = TextBlocks(stretch(store, following, min(begin + size, length), True), validator, ["id"], True)
        found += rows_of(read, names)
        following = read.next
    assert found == expected
