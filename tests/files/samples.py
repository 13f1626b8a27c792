"""A small file in every format, with bad rows; a clock and a store by which tests interrupt the scoring of files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

import flyweight
from flyweight.errors import TooLarge
from flyweight.files import scoring as file_scoring
from flyweight.files.scoring import FileResult, score_object
from flyweight.stores import open_store
from tests import fitted
from tests.services.fixtures import PATIENT

if TYPE_CHECKING:
    from flyweight.predictor import Predictor
    from flyweight.stores import ObjectMeta, Store

LIMIT = 1 << 26
TABLE = fitted.penguins()[1].iloc[:60]
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
    """A clock that goes on by a second with each look."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        self.time += 1
        return self.time


class Watched:
    """A store that calls `look` around each write, and the fault that a test has set for the number of a write."""

    def __init__(self, store: Store, look: Callable[[], None] = lambda: None) -> None:
        self.store, self.look = store, look
        self.writes = 0
        self.faults: dict[int, Callable[[str], None]] = {}  # by the number of a write
        self.head, self.get, self.read, self.keys = store.head, store.get, store.read, store.keys

    def put(self, key: str, data: bytes, expected: str | None) -> ObjectMeta:
        return self._write(partial(self.store.put, key, data, expected))

    def put_stream(self, key: str, chunks: Iterable[bytes]) -> ObjectMeta:
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
    monkeypatch.setattr(file_scoring, "BATCH_ROWS", 3)
    monkeypatch.setattr(file_scoring, "PART_BYTES", 700)


@pytest.fixture
def folder(tmp_path: Path) -> Store:
    return filled(open_store(f"file://{tmp_path}", PATIENT))


def filled(store: Store) -> Store:
    for name, data in FILES.items():
        store.put(f"in/{name}", data, None)
    return store


def bytes_of(store: Store, done: FileResult) -> tuple[bytes, bytes]:
    """Read the answers and the rejected rows of a file."""
    return store.get(done.output, LIMIT)[0], store.get(done.rejects, LIMIT)[0] if done.rejects else b""


def documents(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines()]


def cut(predictor: Predictor, store: Store, key: str, looks: int, file_format: str = "jsonl") -> FileResult:
    """Score a file in many calls, each with a few looks at the clock more than the one before, until it is done."""
    for more in range(300):
        try:
            done = score_object(predictor, store, key, store, "cut", looks + 2 + more / 4, file_format, Clock())
        except TooLarge:
            continue
        if done.done:
            assert more > 0
            return done
    raise AssertionError("it does not end")
