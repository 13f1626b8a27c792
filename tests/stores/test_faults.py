"""Each fault, in front of each server: what the caller sees, and that it sees it within its patience."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from flyweight.errors import FlyweightError, ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.registry import addresses, releases
from flyweight.stores import Timeouts
from flyweight.values import Release
from tests.services.faults import Seen
from tests.services.fixtures import Bucket

BRIEF = Timeouts(connect=0.5, seconds=2.0, retries=2)
DATA = bytes(range(256)) * 800
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = "model.safetensors"

# fault -> what is raised, whether asking again may help, how many requests that took; while it lasts
LASTING = {
    "refused": (StoreFailed, True, 0),
    "reset": (StoreFailed, True, 3),
    "silence": (StoreFailed, True, 2),
    "stall": (StoreFailed, True, 2),
    "drip": (StoreFailed, True, 1),
    "truncate": (StoreFailed, True, 3),
    "403": (StoreFailed, False, 1),
    "404": (ObjectNotFound, False, 1),
    "429": (StoreFailed, True, 3),
    "500": (StoreFailed, True, 3),
    "503": (StoreFailed, True, 3),
}
PASSING = ["reset", "silence", "stall", "truncate", "429", "500", "503"]


def within(patience: Timeouts, ask: Callable[[], Any]) -> Any:
    """What `ask` gives or raises, and it ends in time: twice its patience leaves room for a busy machine."""
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append(ask())
        except BaseException as error:
            ended.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(2 * patience.seconds)
    assert ended, "it did not end in time"
    return ended[0]


@pytest.fixture
def filled(bucket: Bucket) -> Bucket:
    """A bucket with a model in it."""
    bucket.open().put(KEY, DATA, None)
    return bucket


def promised(bucket: Bucket, sha256: str = SHA256) -> Release:
    """What a pointer or a look at the object said before the fault."""
    mark = bucket.open().head(KEY)
    return Release("m" if sha256 else "", "1" if sha256 else "", sha256, len(DATA), KEY, mark.tag, 0, None, mark.modified)


@pytest.mark.parametrize("fault", LASTING)
def test_a_lasting_fault_is_told_in_time(filled: Bucket, fault: str) -> None:
    store = filled.open(BRIEF)
    filled.proxy.fail(fault)
    raised = within(BRIEF, lambda: store.get(KEY, 1 << 20))
    kind, transient, requests = LASTING[fault]
    assert type(raised) is kind
    assert raised.transient is transient
    assert len(filled.proxy.seen) <= requests if fault in ("silence", "stall") else len(filled.proxy.seen) == requests
    filled.proxy.fail("")
    assert store.get(KEY, 1 << 20)[0] == DATA, "the store is well again, and so is what was opened before"


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_not_seen(filled: Bucket, fault: str) -> None:
    store = filled.open(Timeouts(connect=2.0, seconds=8.0))
    filled.proxy.fail(fault, times=1)
    assert store.get(KEY, 1 << 20)[0] == DATA
    assert len(filled.proxy.seen) == 2


@pytest.mark.parametrize("fault", ["flip", "short"])
def test_altered_bytes_of_a_release_are_refused(filled: Bucket, fault: str) -> None:
    release, store = promised(filled), filled.open()
    filled.proxy.fail(fault)
    with pytest.raises(ModelRefused, match="altered" if fault == "flip" else f"{len(DATA) // 2} bytes, where {len(DATA)}"):
        releases.fetch(store, release)
    filled.proxy.fail("")
    assert releases.fetch(store, release) == DATA


def test_a_shortened_plain_object_is_refused(filled: Bucket) -> None:
    release, store = promised(filled, sha256=""), filled.open()
    filled.proxy.fail("short")
    with pytest.raises(ModelRefused, match="were promised"):
        releases.fetch(store, release)


def test_a_plain_object_of_another_tag_was_replaced(filled: Bucket) -> None:
    release, store = promised(filled, sha256=""), filled.open()
    filled.proxy.fail("etag")
    with pytest.raises(StoreFailed, match="replaced between two looks") as raised:
        releases.fetch(store, release)
    assert raised.value.transient
    filled.proxy.fail("")
    filled.open().delete(KEY)
    filled.open().put(KEY, DATA[::-1], None)
    with pytest.raises(StoreFailed, match="replaced between two looks"):
        releases.fetch(store, release)


def test_a_wrong_tag_does_not_hide_the_right_bytes_of_a_release(filled: Bucket) -> None:
    release, store = promised(filled), filled.open()
    filled.proxy.fail("etag")
    assert releases.fetch(store, release) == DATA


def test_a_spoilt_pointer_is_refused_or_read_right(filled: Bucket) -> None:
    record = f'{{"name": "m", "version": "1", "sha256": "{SHA256}", "bytes": {len(DATA)}, "pushed": "2026-11-25T18:00:00Z"}}'
    pointer = f'{{"serial": 1, "changed": "2026-11-25T18:00:00Z", "record": {record}, "previous": []}}'
    address = addresses.parse(f"{filled.root}/m@prod")
    store = filled.open(BRIEF)
    filled.open().put(address.key, pointer.encode(), None)
    for fault in ("short", "truncate", "stall", "503", "403"):
        filled.proxy.fail(fault)
        raised = within(BRIEF, lambda: releases.resolve(store, address))
        assert isinstance(raised, ModelRefused if fault == "short" else StoreFailed)
    filled.proxy.fail("")
    assert releases.resolve(store, address).sha256 == SHA256


@pytest.mark.parametrize("fault", ["refused", "silence", "403", "500"])
def test_a_write_that_failed_is_told_in_time_and_wrote_nothing(bucket: Bucket, fault: str) -> None:
    store = bucket.open(BRIEF)
    bucket.proxy.fail(fault)
    raised = within(BRIEF, lambda: store.put("new", b"1", None))
    assert isinstance(raised, StoreFailed) and not isinstance(raised, PreconditionFailed)
    bucket.proxy.fail("")
    assert store.keys("") == []


def test_a_write_whose_answer_was_lost_is_never_written_twice(s3: Bucket) -> None:
    """The request is sent again, and finds what the first wrote: the writer has to read and compare."""
    store = s3.open()
    s3.proxy.fail("lost", times=1)
    with pytest.raises(PreconditionFailed):
        store.put("new", b"1", None)
    assert store.get("new", 9)[0] == b"1"


@pytest.mark.parametrize("fault", ["403", "404", "429", "500", "refused"])
def test_no_message_carries_a_credential(bucket: Bucket, fault: str) -> None:
    store = bucket.open(BRIEF)
    bucket.proxy.fail(fault)
    secrets = [value for name, value in bucket.variables.items() if "KEY" in name]
    for ask in (lambda: store.get("a", 9), lambda: store.put("a", b"", None), lambda: store.keys(""), lambda: store.delete("a")):
        try:
            ask()
        except FlyweightError as error:
            assert not [secret for secret in secrets if secret in str(error)]
            assert "http://127" not in str(error) and error.__cause__ is None and error.__suppress_context__


def test_only_what_may_pass_is_asked_for_again(s3: Bucket) -> None:
    """A request that is wrong stays wrong: the store is asked once."""
    store = s3.open()

    def puts(seen: Seen) -> bool:
        return seen.method == "PUT"

    for fault, requests in (("403", 1), ("404", 1), ("429", 3)):
        s3.proxy.fail(fault, when=puts)
        with pytest.raises(StoreFailed):
            store.put("a", b"", None)
        assert len(s3.proxy.seen) == requests
