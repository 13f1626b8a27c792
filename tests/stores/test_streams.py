"""Objects that are too large for memory: read from any byte on, written from chunks, as a whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flyweight import stores
from flyweight.errors import ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.stores import Timeouts, open_store
from tests.services.fixtures import PATIENT, Bucket

if TYPE_CHECKING:
    from flyweight.stores import Store

DATA = bytes(range(256)) * 100
BIG = [bytes([number]) * (3 << 20) for number in range(5)]  # more than goes in one request


class Stopped(Exception):
    """The exception by which a caller stops a write."""


def test_an_object_is_read_from_any_byte_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "PIECE", 10_000)
    meta = store.put("a/b", DATA, None)
    for start in (0, 1, 9_999, 10_000, len(DATA) - 1, len(DATA), len(DATA) + 1):
        pieces = [*stores.stream(store, "a/b", meta, start)]
        assert b"".join(pieces) == DATA[start:]
        assert max(map(len, pieces), default=0) <= 10_000
    assert store.read("a/b", meta, 5, 3) == DATA[5:8]
    empty = store.put("empty", b"", None)
    assert [*stores.stream(store, "empty", empty)] == []


def test_an_object_that_is_replaced_meanwhile_is_not_read_on(strict: Store) -> None:
    meta = strict.put("a", DATA, None)
    strict.put("a", DATA[::-1], meta.tag)
    with pytest.raises(PreconditionFailed, match="replaced"):
        strict.read("a", meta, 0, 10)
    strict.delete("a")
    with pytest.raises(ObjectNotFound):
        strict.read("a", meta, 0, 10)


@pytest.mark.parametrize("fault", ["truncate", "reset", "503"])
def test_a_passing_fault_is_not_seen_in_a_stream(bucket: Bucket, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "PIECE", 10_000)
    store = bucket.open()
    meta = store.put("a", DATA, None)
    bucket.proxy.fail(fault, times=1)
    assert b"".join(stores.stream(store, "a", meta)) == DATA


def test_a_lasting_fault_ends_a_stream_in_time(bucket: Bucket) -> None:
    store = bucket.open(Timeouts(connect=0.5, seconds=2.0, retries=2))
    meta = bucket.open().put("a", DATA, None)
    for fault in ("stall", "503", "short"):
        bucket.proxy.fail(fault)
        with pytest.raises(StoreFailed) as raised:
            store.read("a", meta, 0, 1000)
        assert raised.value.transient


def test_a_streamed_object_is_got(store: Store) -> None:
    store.put_stream("a/b", iter([b"one", b"", b"two"]))
    assert store.get("a/b", 9)[0] == b"onetwo"
    meta = store.put_stream("a/b", [b"three"])
    assert (store.get("a/b", 9)[0], meta.size, meta.tag) == (b"three", 5, store.head("a/b").tag)
    store.put_stream("none", [])
    assert store.head("none").size == 0


def test_a_large_object_is_streamed_whole(store: Store) -> None:
    meta = store.put_stream("big", iter(BIG))
    assert meta.size == 15 << 20
    assert store.get("big", 1 << 24)[0] == b"".join(BIG)
    assert store.head("big").tag == meta.tag


def test_a_large_object_may_be_made_of_others(store: Store) -> None:
    """The chunks come from the same store while it is written to."""
    metas = [store.put(f"parts/{number}", data, None) for number, data in enumerate(BIG)]
    parts = (piece for number, meta in enumerate(metas) for piece in stores.stream(store, f"parts/{number}", meta))
    store.put_stream("whole", parts)
    assert store.get("whole", 1 << 24)[0] == b"".join(BIG)


def stopping(chunks: list[bytes]) -> Iterator[bytes]:
    """Give the chunks, then raise an error of the caller's own."""
    yield from chunks
    raise Stopped


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_stopped_write_is_never_seen(store: Store, count: int) -> None:
    store.put("old", b"old", None)
    for key in ("new", "old"):
        with pytest.raises(Stopped):
            store.put_stream(key, stopping(BIG[:count]))
    assert store.keys("") == ["old"]
    assert store.get("old", 9)[0] == b"old"


def test_a_failed_upload_is_an_error_and_never_seen(bucket: Bucket) -> None:
    store = bucket.open(Timeouts(connect=20.0, seconds=60.0, retries=1))
    bucket.proxy.fail("503", when=lambda seen: "partNumber=2" in seen.path or "comp=block&" in seen.path)
    with pytest.raises(StoreFailed):
        store.put_stream("big", iter(BIG))
    given_up = any(seen.method == "DELETE" and "uploadId=" in seen.path for seen in bucket.proxy.seen)
    assert given_up == (bucket.server.scheme != "az"), "Blob Storage forgets the parts by itself"
    bucket.proxy.fail("")
    assert store.keys("") == []


KILLED = """
import os, signal, sys
from flyweight.stores import open_store
def chunks():
    yield b"half"
    os.kill(os.getpid(), signal.SIGKILL)
open_store(sys.argv[1]).put_stream("a", chunks())
"""


def test_a_killed_writer_leaves_no_object(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}", PATIENT)
    done = subprocess.run([sys.executable, "-c", KILLED, f"file://{tmp_path}"], timeout=60)
    assert done.returncode < 0
    assert store.keys("") == []
    store.put_stream("a", [b"whole"])
    assert store.get("a", 9)[0] == b"whole"


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}", PATIENT)

    def chunks() -> Iterator[bytes]:
        yield b"first"
        with pytest.raises(StoreFailed, match="being written by someone else"):
            store.put_stream("a", [b"second"])

    store.put_stream("a", chunks())
    assert store.get("a", 9)[0] == b"first"
