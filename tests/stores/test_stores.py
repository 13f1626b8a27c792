"""The contract of every store, by the same tests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import time
from typing import TYPE_CHECKING

import pytest

from flyweight.errors import ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.stores import Timeouts, open_store

if TYPE_CHECKING:
    from flyweight.stores import Store

ODD = "a folder/q w#?%25%+é&=@'()~.safetensors"


def test_an_object_that_was_put_is_got_with_its_metadata(store: Store) -> None:
    put = store.put("a/b.safetensors", b"bytes" * 1000, None)
    data, got = store.get("a/b.safetensors", 5000)
    head = store.head("a/b.safetensors")
    assert data == b"bytes" * 1000
    assert head == got
    assert (put.tag, put.size) == (head.tag, 5000)
    assert abs(head.modified - time()) < 3600


def test_keys_may_hold_odd_characters(store: Store) -> None:
    store.put(ODD, b"odd", None)
    assert store.get(ODD, 10)[0] == b"odd"
    assert store.keys("a folder") == [ODD]
    store.delete(ODD)
    assert store.keys("") == []


def test_an_object_may_be_empty(store: Store) -> None:
    store.put("empty", b"", None)
    assert store.get("empty", 0)[0] == b""
    assert store.head("empty").size == 0


def test_more_than_the_limit_is_refused(store: Store) -> None:
    store.put("big", bytes(100_000), None)
    with pytest.raises(ModelRefused, match="big has 100000 bytes, the limit is 99999"):
        store.get("big", 99_999)


def test_an_absent_object_is_not_found(store: Store) -> None:
    for ask in (lambda: store.head("a/nothing"), lambda: store.get("a/nothing", 10)):
        with pytest.raises(ObjectNotFound, match="a/nothing is not there"):
            ask()
    store.delete("a/nothing")


def test_keys_are_those_below_a_folder_in_order(store: Store) -> None:
    for key in ("b/2", "b/1", "bb/1", "a", "b/c/3"):
        store.put(key, b"", None)
    assert store.keys("b") == ["b/1", "b/2", "b/c/3"]
    assert store.keys("") == ["a", "b/1", "b/2", "b/c/3", "bb/1"]
    assert store.keys("nothing/here") == []


@pytest.mark.parametrize("key", ["../x", "a//b", "", "/a", "a/", "a/./b", "a/../../b", "a\0b"])
def test_a_key_can_not_leave_the_store(store: Store, key: str) -> None:
    for ask in (lambda: store.head(key), lambda: store.get(key, 9), lambda: store.put(key, b"", None), lambda: store.delete(key)):
        with pytest.raises(StoreFailed, match="is not a key"):
            ask()


def test_nothing_is_written_over_another_object(strict: Store) -> None:
    first = strict.put("a", b"1", None)
    with pytest.raises(PreconditionFailed):
        strict.put("a", b"2", None)
    assert strict.get("a", 9)[0] == b"1"
    second = strict.put("a", b"2", first.tag)
    assert second.tag != first.tag
    with pytest.raises(PreconditionFailed):
        strict.put("a", b"3", first.tag)
    assert strict.get("a", 9)[0] == b"2"


def test_a_deleted_object_has_changed(strict: Store) -> None:
    meta = strict.put("a", b"1", None)
    strict.delete("a")
    with pytest.raises(PreconditionFailed):
        strict.put("a", b"2", meta.tag)
    assert strict.keys("") == []


def test_no_writer_loses_what_another_wrote(strict: Store) -> None:
    """Eight writers count to five each, by compare-and-swap."""
    strict.put("count", b"0", None)

    def add(_: int) -> None:
        for _ in range(5):
            while True:
                data, meta = strict.get("count", 9)
                try:
                    strict.put("count", str(int(data) + 1).encode(), meta.tag)
                    break
                except PreconditionFailed:
                    continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert strict.get("count", 9)[0] == b"40"


def test_one_of_many_creates(strict: Store) -> None:
    def create(number: int) -> bool:
        try:
            strict.put("new", str(number).encode(), None)
            return True
        except PreconditionFailed:
            return False

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    assert sum(won) == 1
    assert strict.get("new", 9)[0] == str(won.index(True)).encode()


@pytest.mark.parametrize("root", ["ftp://host/models", "models", "/models", "s3:bucket", ""])
def test_only_known_stores_are_opened(root: str) -> None:
    with pytest.raises(StoreFailed, match="a store is at file://, s3://"):
        open_store(root, Timeouts())
