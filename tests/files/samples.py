"""A small file in every form, with bad rows, a clock and a store that tests of scoring files break in on, and what comes out."""

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
from flyweight.files.scoring import Scored, score_object
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
