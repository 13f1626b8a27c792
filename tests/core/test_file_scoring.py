"""A file is scored once and whole: cut, killed, doubled, raced and cut off from its store, it comes to the same bytes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flyweight
from flyweight import file_scoring
from flyweight.errors import Absent, Changed, InvalidInput, MalformedRequest, StoreFailed, TooLarge, UnsupportedMediaType
from flyweight.file_progress import is_ours, names
from flyweight.file_scoring import Scored, score_object
from flyweight.stores import Patience, open_store
from tests import models
from tests.services.fixtures import PATIENT, Bucket

if TYPE_CHECKING:
    from flyweight.predictor import Predictor
    from flyweight.stores import Mark, Store

LIMIT = 1 << 26
TABLE = models.penguins()[1].iloc[:60]
LINES = TABLE.to_csv(index=False).splitlines()
LINES[4] = "bad"
LINES[17] = '"an open quote'
LINES[30] = LINES[30].replace(",", ",x", 1)
LINES.insert(40, "")
CSV = "\n".join(LINES).encode()
BAD = [5, 18, 31]
GOOD = [number for number in range(2, len(LINES) + 1) if number not in (*BAD, 41)]
FILES = {
    "a.csv": CSV,
    "a.csv.gz": gzip.compress(CSV),
    "a.csv.zst": zstandard.compress(CSV),
    "a.jsonl": TABLE.to_json(orient="records", lines=True).encode(),
}


class Killed(BaseException):
    """The process is gone."""


class Clock:
    """A second passes with each look."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        self.time += 1
        return self.time


class Watched:
    """A store that does something else, where it is told to, before or after the write of a number."""

    def __init__(self, store: Store, look: Callable[[], None] = lambda: None) -> None:
        self.store, self.look = store, look
        self.writes = 0
        self.faults: dict[int, Callable[[str], None]] = {}  # by the number of a write
        self.head, self.get, self.read, self.keys = store.head, store.get, store.read, store.keys

    def put(self, key: str, data: bytes, expected: str | None) -> Mark:
        return self._write(partial(self.store.put, key, data, expected))

    def put_stream(self, key: str, chunks: Iterable[bytes]) -> Mark:
        return self._write(partial(self.store.put_stream, key, chunks))

    def delete(self, key: str) -> None:
        self._write(partial(self.store.delete, key))

    def _write(self, write: Callable[[], Any]) -> Any:
        self.writes += 1
        fault = self.faults.get(self.writes, lambda when: None)
        self.look()
        fault("before")
        done = write()
        fault("after")
        self.look()
        return done


@pytest.fixture(scope="module")
def predictor(penguins: Path) -> Predictor:
    return flyweight.load(penguins)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches and parts so small that a small file has many."""
    monkeypatch.setattr(file_scoring, "ROWS", 3)
    monkeypatch.setattr(file_scoring, "PART", 700)


@pytest.fixture
def folder(tmp_path: Path) -> Store:
    return filled(open_store(f"file://{tmp_path}", PATIENT))


def filled(store: Store) -> Store:
    for name, data in FILES.items():
        store.put(f"in/{name}", data, None)
    return store


def bytes_of(store: Store, done: Scored) -> tuple[bytes, bytes]:
    """What a file came to: the answers, and the rejected rows."""
    return store.get(done.output, LIMIT)[0], store.get(done.rejects, LIMIT)[0] if done.rejects else b""


def documents(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines()]


def test_every_row_is_answered_once_or_rejected_with_its_line(predictor: Predictor, folder: Store) -> None:
    done = score_object(predictor, folder, "in/a.csv", folder, "out")
    answers, rejects = map(documents, bytes_of(folder, done))
    assert (done.done, done.rows, done.rejected) == (True, len(GOOD), len(BAD))
    assert [answer["line"] for answer in answers] == GOOD
    assert [reject["line"] for reject in rejects] == BAD
    assert [reject["row"] for reject in rejects] == [LINES[line - 1] for line in BAD]
    assert [reject["problem"]["status"] for reject in rejects] == [400, 400, 422]
    assert rejects[2]["problem"]["errors"][0] == {
        "expected": "a number or null",
        "actual": f"'{LINES[30].split(',')[1]}'",
        "feature": "bill_length_mm",
    }


def test_answers_are_those_of_a_request(predictor: Predictor, folder: Store) -> None:
    answers = documents(bytes_of(folder, score_object(predictor, folder, "in/a.jsonl", folder, "out"))[0])
    expected = predictor.predict(TABLE)
    assert [answer["prediction"] for answer in answers] == expected.predictions
    probabilities = [pytest.approx(one, abs=1e-12) for one in expected.probabilities or []]
    assert [answer["probabilities"] for answer in answers] == probabilities
    assert [answer["line"] for answer in answers] == [*range(1, len(TABLE) + 1)]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst"])
def test_a_compressed_file_comes_to_the_same(predictor: Predictor, folder: Store, name: str) -> None:
    plain = bytes_of(folder, score_object(predictor, folder, "in/a.csv", folder, "out"))
    assert bytes_of(folder, score_object(predictor, folder, f"in/{name}", folder, "out")) == plain


def test_parquet_comes_to_what_lines_of_json_do(predictor: Predictor, tmp_path: Path, folder: Store) -> None:
    TABLE.to_parquet(tmp_path / "in" / "a.parquet", row_group_size=8, index=False)
    lines = bytes_of(folder, score_object(predictor, folder, "in/a.jsonl", folder, "out"))
    whole = documents(bytes_of(folder, score_object(predictor, folder, "in/a.parquet", folder, "out"))[0])
    assert [answer["line"] for answer in whole] == [*range(1, len(TABLE) + 1)]
    assert [answer["prediction"] for answer in whole] == [answer["prediction"] for answer in documents(lines[0])]
    assert bytes_of(folder, cut(predictor, folder, "in/a.parquet", 4)) == bytes_of(
        folder, score_object(predictor, folder, "in/a.parquet", folder, "out")
    )


def test_answers_in_csv_have_one_header(predictor: Predictor, folder: Store) -> None:
    done = cut(predictor, folder, "in/a.csv", 5, form="csv")
    table = pd.read_csv(f"{folder._folder}/{done.output}")  # type: ignore[attr-defined]
    assert table["line"].tolist() == GOOD
    classes = [f"probability_{name}" for name in ("Adelie", "Chinstrap", "Gentoo")]
    assert table.columns.tolist() == ["line", "prediction", *classes]


def cut(predictor: Predictor, store: Store, key: str, looks: int, form: str = "jsonl") -> Scored:
    """The end of a file that is scored in many calls, each of which has a few looks at the clock more than the one before."""
    for more in range(300):
        try:
            done = score_object(predictor, store, key, store, "cut", looks + 2 + more / 4, form, Clock())
        except TooLarge:
            continue
        if done.done:
            assert more > 0
            return done
    raise AssertionError("it does not end")


FRESH = """
import sys
import flyweight
from flyweight import file_scoring
from flyweight.stores import open_store
assert "numpy" not in sys.modules
store = open_store(sys.argv[2])
print(file_scoring.score_object(flyweight.load(sys.argv[1]), store, "in/large.csv", store, "fresh").output)
"""


def test_a_fresh_process_comes_to_the_same_digits(
    penguins: Path, predictor: Predictor, folder: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that is asked for many rows goes over to NumPy, which sums in another order: here from the first row on."""
    monkeypatch.undo()
    folder.put("in/large.csv", pd.concat([TABLE] * 5).to_csv(index=False).encode(), None)
    whole = score_object(predictor, folder, "in/large.csv", folder, "out")
    command = [sys.executable, "-c", FRESH, penguins, f"file://{tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert folder.get(done.stdout.strip(), LIMIT)[0] == bytes_of(folder, whole)[0], done.stderr


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("looks", [1, 4, 9])
def test_cut_anywhere_it_comes_to_the_same(predictor: Predictor, folder: Store, name: str, looks: int) -> None:
    whole = score_object(predictor, folder, f"in/{name}", folder, "out")
    parted = cut(predictor, folder, f"in/{name}", looks)
    assert bytes_of(folder, parted) == bytes_of(folder, whole)
    assert (parted.rows, parted.rejected) == (whole.rows, whole.rejected)


KINDS = ["killed", "failed", "raced", "doubled"]
EVENT = st.tuples(st.sampled_from(KINDS), st.sampled_from(["before", "after"]))
CALL = st.tuples(st.integers(2, 60), st.dictionaries(st.integers(1, 25), EVENT, max_size=3))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(CALL, max_size=8), name=st.sampled_from([*FILES]))
def test_no_history_changes_a_byte(predictor: Predictor, history: list[Any], name: str) -> None:
    """Calls that end in the deadline, are killed before or after any write, lose its answer, or meet another call in it."""
    with tempfile.TemporaryDirectory() as place:
        store = filled(open_store(f"file://{place}", PATIENT))
        whole = score_object(predictor, store, f"in/{name}", store, "whole")
        expected = bytes_of(store, whole)
        keys = names("out", f"in/{name}", store.head(f"in/{name}").tag, "jsonl")

        def look() -> None:
            """A half-written output is never visible, and the rejected rows come before it."""
            if keys.output in store.keys("out"):
                assert store.get(keys.output, LIMIT)[0] == expected[0]
                assert not expected[1] or store.get(keys.rejects, LIMIT)[0] == expected[1]

        def call(looks: float, events: dict[int, tuple[str, str]]) -> None:
            watched = Watched(store, look)

            def happen(kind: str, at: str, when: str) -> None:
                if when != at:
                    return
                if kind == "killed":
                    raise Killed
                if kind == "failed":
                    raise StoreFailed("no answer", transient=True)
                call(6 if kind == "raced" else inf, {})

            watched.faults = {number: partial(happen, *event) for number, event in events.items()}
            try:
                score_object(predictor, store, f"in/{name}", watched, "out", looks, now=Clock())
            except (Killed, StoreFailed, TooLarge):
                pass

        for looks, events in history:
            call(looks, events)
        done = score_object(predictor, store, f"in/{name}", store, "out")
        assert bytes_of(store, done) == expected
        assert (done.rows, done.rejected) == (whole.rows, whole.rejected)
        before = [(key, store.head(key)) for key in store.keys("out")]
        assert score_object(predictor, store, f"in/{name}", store, "out") == done
        assert [(key, store.head(key)) for key in store.keys("out")] == before
        orphans = [key for key, _ in before if key.startswith(keys.parts)]
        broken = [kind for _, events in history for kind, _ in events.values() if kind in ("killed", "failed")]
        assert broken or not orphans


def test_a_file_that_is_done_costs_three_looks(predictor: Predictor, s3: Bucket) -> None:
    store = filled(s3.open())
    score_object(predictor, store, "in/a.csv", store, "out")
    s3.proxy.fail("")
    score_object(predictor, store, "in/a.csv", store, "out")
    assert [seen.method for seen in s3.proxy.seen] == ["HEAD", "GET", "HEAD"]


def test_another_version_of_a_file_is_another_file(predictor: Predictor, folder: Store) -> None:
    first = score_object(predictor, folder, "in/a.csv", folder, "out")
    folder.put("in/a.csv", CSV + b"\n" + CSV.splitlines()[1], folder.head("in/a.csv").tag)
    second = score_object(predictor, folder, "in/a.csv", folder, "out")
    assert first.output != second.output
    assert second.rows == first.rows + 1
    assert folder.head(first.output)


def test_a_file_that_changes_while_it_is_read_is_left_to_the_next_call(predictor: Predictor, folder: Store) -> None:
    stale = Watched(folder)
    mark = folder.head("in/a.csv")
    folder.put("in/a.csv", CSV[::-1], mark.tag)
    stale.head = lambda key: mark if key == "in/a.csv" else folder.head(key)
    with pytest.raises(Changed, match="replaced"):
        score_object(predictor, stale, "in/a.csv", folder, "out")


def test_a_file_that_another_model_began_is_begun_again(predictor: Predictor, folder: Store, tmp_path: Path) -> None:
    estimator, sample = models.penguins()
    flyweight.pack(estimator, tmp_path / "next.safetensors", sample=sample, name="penguins", version="2.0.0")
    following = flyweight.load(tmp_path / "next.safetensors")
    begun = score_object(predictor, folder, "in/a.csv", folder, "out", 12, now=Clock())
    assert not begun.done and begun.rows > 0
    done = score_object(following, folder, "in/a.csv", folder, "out")
    report = json.loads(folder.get(names("out", "in/a.csv", folder.head("in/a.csv").tag, "jsonl").checkpoint, LIMIT)[0])
    assert report["model"]["version"] == "2.0.0" and report["state"] == "done"
    assert (done.rows, done.rejected) == (len(GOOD), len(BAD))
    assert [key for key in folder.keys("out") if ".parts/" in key] == []
    assert score_object(predictor, folder, "in/a.csv", folder, "out") == done, "a file that is done stays as it is"


def test_a_file_that_gets_no_further_is_given_up_and_may_be_gone_on_with(predictor: Predictor, folder: Store) -> None:
    """Each call does one batch at least; but joining the parts has to fit in one."""
    with pytest.raises(TooLarge, match="got no further"):
        for _ in range(100):
            assert not score_object(predictor, folder, "in/a.csv", folder, "out", 1.0, now=Clock()).done
    done = score_object(predictor, folder, "in/a.csv", folder, "out")
    assert (done.done, done.rows) == (True, len(GOOD))


def test_a_file_has_so_many_calls(predictor: Predictor, folder: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_scoring, "MOST", 3)
    for _ in range(2):
        assert not score_object(predictor, folder, "in/a.csv", folder, "out", 9.0, now=Clock()).done
    with pytest.raises(TooLarge, match="not done after 3 calls"):
        score_object(predictor, folder, "in/a.csv", folder, "out", 9.0, now=Clock())


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("b.csv", b"island,year\nBiscoe,2007\n", InvalidInput),
        ("b.csv", b"", MalformedRequest),
        ("b.csv.gz", FILES["a.csv.gz"][:-300], MalformedRequest),
        ("b.csv.gz", CSV, MalformedRequest),
        ("b.parquet", CSV, MalformedRequest),
        ("b.txt", CSV, UnsupportedMediaType),
    ],
)
def test_a_file_that_is_none_is_refused_and_leaves_nothing(
    predictor: Predictor, folder: Store, name: str, data: bytes, kind: type[Exception]
) -> None:
    folder.put(f"in/{name}", data, None)
    with pytest.raises(kind):
        score_object(predictor, folder, f"in/{name}", folder, "out")
    assert folder.keys("out") == []


def test_a_file_of_a_header_alone_comes_to_an_empty_one(predictor: Predictor, folder: Store) -> None:
    folder.put("in/b.csv", CSV.splitlines()[0], None)
    done = score_object(predictor, folder, "in/b.csv", folder, "out")
    assert bytes_of(folder, done) == (b"", b"") and done.rejects == ""


def test_where_nothing_is_nothing_is_scored(predictor: Predictor, folder: Store) -> None:
    with pytest.raises(Absent):
        score_object(predictor, folder, "in/none.csv", folder, "out")


def test_on_every_store_through_faults(predictor: Predictor, bucket: Bucket, folder: Store) -> None:
    """Cut, and with requests that fail now and then, it comes to the bytes of a folder."""
    expected = bytes_of(folder, score_object(predictor, folder, "in/a.csv", folder, "out"))
    store = filled(bucket.open())
    for number, fault in enumerate(["503", "reset", "truncate", "lost", "500", "", "403", "", "", ""]):
        bucket.proxy.fail(fault, times=1, when=_th(3 + 2 * number))
        try:
            done = score_object(predictor, store, "in/a.csv", store, "out", 12.0 + 2 * number, now=Clock())
        except (StoreFailed, TooLarge):
            continue
    bucket.proxy.fail("")
    done = score_object(predictor, store, "in/a.csv", store, "out")
    assert bytes_of(store, done) == expected


def _th(number: int) -> Callable[[Any], bool]:
    """Whether it is the request of a number."""
    left = [number]

    def picked(seen: Any) -> bool:
        left[0] -= 1
        return left[0] <= 0

    return picked


def test_a_store_that_is_away_is_told_and_the_file_gone_on_with(predictor: Predictor, s3: Bucket) -> None:
    store = filled(s3.open(Patience(connect=0.5, seconds=2.0, retries=1)))
    s3.proxy.fail("503", when=lambda seen: ".parts/000003" in seen.path)
    with pytest.raises(StoreFailed):
        score_object(predictor, store, "in/a.csv", store, "out")
    s3.proxy.fail("")
    assert score_object(predictor, store, "in/a.csv", store, "out").rows == len(GOOD)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("name", ["a.csv", "b/a.jsonl.gz", "A.PARQUET"])
@pytest.mark.parametrize("tag", ['"d41d8cd98f00b204e9800998ecf8427e-12"', '"0x8D"', "1700000000", 'W/"weak/tag"', ""])
def test_what_is_written_is_known_as_ours(form: str, name: str, tag: str) -> None:
    for prefix in ("", "out/put"):
        made = names(prefix, name, tag, form)
        for key in (made.output, made.rejects, made.checkpoint, f"{made.parts}/000001-00"):
            assert is_ours(key) and key.startswith(prefix)
    assert not is_ours(name)


@pytest.mark.parametrize("key", ["a.csv", "a.2024.csv", "a.b.jsonl", "x.rejected.jsonl", "a.csv.gz", "parts/a.csv"])
def test_other_files_are_not_ours(key: str) -> None:
    assert not is_ours(key)
