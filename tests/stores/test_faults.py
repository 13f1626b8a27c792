"""Each fault of each server becomes the right error within the timeouts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from flyweight import stores
from flyweight.errors import FlyweightError, ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.registry import addresses, releases
from flyweight.stores import Timeouts
from flyweight.values import Release
from tests.services.faults import Seen
from tests.services.fixtures import Bucket
from tests.services.web import wait_until

BRIEF = Timeouts(connect=0.5, seconds=2.0, retries=2)  # for faults that last until the deadline
QUICK = Timeouts(connect=20.0, seconds=30.0, retries=2)  # for faults that are noticed at once
DATA = bytes(range(256)) * 800
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = "model.safetensors"

# while a fault lasts: the error, whether it is transient, and the number of requests
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


def within(timeouts: Timeouts, ask: Callable[[], Any]) -> Any:
    """Get the result or the exception of `ask`, which must end in time; half a minute more is for a busy machine."""
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append(ask())
        except BaseException as error:
            ended.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeouts.seconds + 30.0)
    assert ended, "it did not end in time"
    return ended[0]


def timeouts_for(fault: str) -> Timeouts:
    """Choose short timeouts for a fault that lasts until they are over, and long ones for any other."""
    return BRIEF if fault in ("silence", "stall", "drip") else QUICK


def got(store: Any) -> bytes | None:
    """Get the object; None if a busy machine is too slow for the store's deadline."""
    try:
        data: bytes = store.get(KEY, 1 << 20)[0]
        return data
    except StoreFailed:
        return None


@pytest.fixture
def filled(bucket: Bucket) -> Bucket:
    """A bucket with a model in it."""
    bucket.open().put(KEY, DATA, None)
    return bucket


def promised(bucket: Bucket, sha256: str = SHA256) -> Release:
    """Make the release that a pointer, or the object itself, named before the fault."""
    meta = bucket.open().head(KEY)
    return Release("m" if sha256 else "", "1" if sha256 else "", sha256, len(DATA), KEY, meta.tag, 0, None, meta.modified)


@pytest.mark.parametrize("fault", LASTING)
def test_a_lasting_fault_is_an_error_in_time(filled: Bucket, fault: str) -> None:
    timeouts = timeouts_for(fault)
    store = filled.open(timeouts)
    filled.proxy.fail(fault)
    raised = within(timeouts, lambda: store.get(KEY, 1 << 20))
    kind, transient, requests = LASTING[fault]
    assert type(raised) is kind
    assert raised.transient is transient
    assert len(filled.proxy.seen) <= requests if timeouts is BRIEF else len(filled.proxy.seen) == requests
    filled.proxy.fail("")
    wait_until(lambda: got(store) == DATA, "after the fault, a store that was opened before it works")


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_not_seen(filled: Bucket, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "SILENCE", 0.05)  # the second try begins long before the deadline, on a busy machine too
    store = filled.open(Timeouts(connect=20.0, seconds=40.0))
    filled.proxy.fail(fault, times=1)
    assert store.get(KEY, 1 << 20)[0] == DATA
    assert len(filled.proxy.seen) >= 2


@pytest.mark.parametrize("fault", ["flip", "short"])
def test_altered_bytes_of_a_release_are_refused(filled: Bucket, fault: str) -> None:
    release, store = promised(filled), filled.open()
    filled.proxy.fail(fault)
    with pytest.raises(ModelRefused, match="altered" if fault == "flip" else f"{len(DATA) // 2} bytes, expected {len(DATA)}"):
        releases.fetch(store, release)
    filled.proxy.fail("")
    assert releases.fetch(store, release) == DATA


def test_a_shortened_plain_object_is_refused(filled: Bucket) -> None:
    release, store = promised(filled, sha256=""), filled.open()
    filled.proxy.fail("short")
    with pytest.raises(ModelRefused, match="bytes, expected"):
        releases.fetch(store, release)


def test_a_plain_object_of_another_tag_was_replaced(filled: Bucket) -> None:
    release, store = promised(filled, sha256=""), filled.open()
    filled.proxy.fail("etag")
    with pytest.raises(StoreFailed, match="replaced between two reads") as raised:
        releases.fetch(store, release)
    assert raised.value.transient
    filled.proxy.fail("")
    filled.open().delete(KEY)
    filled.open().put(KEY, DATA[::-1], None)
    with pytest.raises(StoreFailed, match="replaced between two reads"):
        releases.fetch(store, release)


def test_a_wrong_tag_does_not_hide_the_right_bytes_of_a_release(filled: Bucket) -> None:
    release, store = promised(filled), filled.open()
    filled.proxy.fail("etag")
    assert releases.fetch(store, release) == DATA


def test_a_damaged_pointer_is_refused_or_read_right(filled: Bucket) -> None:
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
    assert releases.resolve(filled.open(), address).sha256 == SHA256


@pytest.mark.parametrize("fault", ["refused", "silence", "403", "500"])
def test_a_write_that_failed_is_an_error_in_time_and_wrote_nothing(bucket: Bucket, fault: str) -> None:
    timeouts = timeouts_for(fault)
    store = bucket.open(timeouts)
    bucket.proxy.fail(fault)
    raised = within(timeouts, lambda: store.put("new", b"1", None))
    assert isinstance(raised, StoreFailed) and not isinstance(raised, PreconditionFailed)
    bucket.proxy.fail("")
    assert bucket.open().keys("") == []


def test_a_write_whose_answer_was_lost_is_never_written_twice(s3: Bucket) -> None:
    """The request is sent again, and finds what the first wrote: the writer has to read and compare."""
    store = s3.open()
    s3.proxy.fail("lost", times=1)
    with pytest.raises(PreconditionFailed):
        store.put("new", b"1", None)
    assert store.get("new", 9)[0] == b"1"


@pytest.mark.parametrize("fault", ["403", "404", "429", "500", "refused"])
def test_no_message_holds_a_credential(bucket: Bucket, fault: str) -> None:
    store = bucket.open(QUICK)
    bucket.proxy.fail(fault)
    secrets = [value for name, value in bucket.variables.items() if "KEY" in name]
    for ask in (lambda: store.get("a", 9), lambda: store.put("a", b"", None), lambda: store.keys(""), lambda: store.delete("a")):
        try:
            ask()
        except FlyweightError as error:
            assert not [secret for secret in secrets if secret in str(error)]
            assert "http://127" not in str(error) and error.__cause__ is None and error.__suppress_context__


def test_only_transient_faults_are_retried(s3: Bucket) -> None:
    """A request that is wrong stays wrong: it is sent once."""
    store = s3.open()

    def puts(seen: Seen) -> bool:
        return seen.method == "PUT"

    for fault, requests in (("403", 1), ("404", 1), ("429", 3)):
        s3.proxy.fail(fault, when=puts)
        with pytest.raises(StoreFailed):
            store.put("a", b"", None)
        assert len(s3.proxy.seen) == requests
