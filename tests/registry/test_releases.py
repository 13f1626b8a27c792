"""Read a registry in a folder: sound documents are read, hostile ones are refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import FlyweightError, ModelRefused, ObjectNotFound, StoreFailed
from flyweight.registry import addresses, releases
from flyweight.stores import open_store

if TYPE_CHECKING:
    from flyweight.stores import Store

DATA = b"the bytes of a model"
SHA256 = hashlib.sha256(DATA).hexdigest()
NOW = "2026-11-25T18:00:00Z"
RECORD: dict[str, Any] = {"name": "cancer", "version": "1.2.0", "sha256": SHA256, "bytes": len(DATA), "pushed": NOW}
POINTER: dict[str, Any] = {"serial": 3, "changed": NOW, "record": RECORD, "previous": [{**RECORD, "version": "1.1.0"}]}
SIGNATURE = {"key": "release-2026", "value": "A" * 88}

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=99)
    | st.sampled_from([SHA256, NOW, "1.2.0", "../x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A registry with one version and one alias."""
    root = f"file://{tmp_path}"
    store = open_store(root)
    store.put(addresses.model_key("cancer", "1.2.0", SHA256), DATA, None)
    store.put(addresses.record_key("cancer", "1.2.0"), json.dumps(RECORD).encode(), None)
    store.put(addresses.pointer_key("cancer", "prod"), json.dumps(POINTER).encode(), None)
    return root


def opened(text: str) -> tuple[Store, addresses.Address]:
    address = addresses.parse(text)
    return open_store(address.root), address


def test_an_alias_means_its_release(root: str) -> None:
    store, address = opened(f"{root}/cancer@prod")
    release = releases.resolve(store, address)
    assert (release.name, release.version, release.serial, release.sha256) == ("cancer", "1.2.0", 3, SHA256)
    assert release.tag == store.head(address.key).tag
    assert releases.fetch(store, release) == DATA


def test_a_version_means_its_release(root: str) -> None:
    store, address = opened(f"{root}/cancer/1.2.0")
    release = releases.resolve(store, address)
    assert (release.name, release.version, release.serial, release.size) == ("cancer", "1.2.0", 0, len(DATA))
    assert releases.fetch(store, release) == DATA


def test_a_plain_object_means_itself(root: str) -> None:
    store, address = opened(f"{root}/cancer/1.2.0/{SHA256}.safetensors")
    release = releases.resolve(store, address)
    assert (release.name, release.version, release.sha256, release.size) == ("", "", "", len(DATA))
    assert releases.fetch(store, release) == DATA


def test_an_absent_release_is_not_found(root: str) -> None:
    for text in (f"{root}/cancer@dev", f"{root}/cancer/2", f"{root}/x.safetensors"):
        store, address = opened(text)
        with pytest.raises(ObjectNotFound, match="is not there"):
            releases.resolve(store, address)


@pytest.mark.parametrize("damaged", [b"", DATA[:-1], DATA + b"!", DATA[::-1]])
def test_truncated_and_altered_bytes_are_refused(root: str, damaged: bytes) -> None:
    store, address = opened(f"{root}/cancer@prod")
    release = releases.resolve(store, address)
    store.put(release.key, damaged, store.head(release.key).tag)
    with pytest.raises(ModelRefused, match=r"bytes|altered"):
        releases.fetch(store, release)


def test_a_plain_object_that_was_replaced_is_a_transient_failure(root: str) -> None:
    store, address = opened(f"{root}/cancer/1.2.0/{SHA256}.safetensors")
    release = releases.resolve(store, address)
    store.put(release.key, DATA[::-1], release.tag)
    with pytest.raises(StoreFailed, match="replaced") as raised:
        releases.fetch(store, release)
    assert raised.value.transient


def test_a_digital_signature_is_in_the_record_or_beside_the_object(root: str) -> None:
    store, address = opened(f"{root}/plain.safetensors")
    store.put("plain.safetensors", DATA, None)
    release = releases.resolve(store, address)
    assert releases.digital_signature(store, release) is None
    store.put("plain.safetensors.sig", json.dumps(SIGNATURE).encode(), None)
    assert releases.digital_signature(store, release) == SIGNATURE
    store.put("cancer/@signed.json", json.dumps({**POINTER, "record": {**RECORD, "signature": SIGNATURE}}).encode(), None)
    assert releases.digital_signature(store, releases.resolve(*opened(f"{root}/cancer@signed"))) == SIGNATURE


def test_a_record_of_another_model_is_refused(root: str) -> None:
    store, _ = opened(f"{root}/cancer@prod")
    store.put("other/@prod.json", json.dumps(POINTER).encode(), None)
    store.put("cancer/9/version.json", json.dumps(RECORD).encode(), None)
    for text in (f"{root}/other@prod", f"{root}/cancer/9"):
        with pytest.raises(ModelRefused, match="another model than it should be"):
            releases.resolve(*opened(text))


def test_a_huge_document_is_not_read(root: str) -> None:
    store, _ = opened(f"{root}/cancer@prod")
    store.put("cancer/@big.json", b" " * 70_000, None)
    with pytest.raises(ModelRefused, match="70000 bytes, the limit is"):
        releases.resolve(*opened(f"{root}/cancer@big"))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../cancer"},
        {"name": ""},
        {"version": "1/2"},
        {"version": ".."},
        {"version": 1},
        {"sha256": SHA256.upper()},
        {"sha256": SHA256[:-1]},
        {"sha256": "../" + SHA256[3:]},
        {"bytes": -1},
        {"bytes": 1 << 60},
        {"bytes": True},
        {"bytes": 20.0},
        {"pushed": 0},
        {"pushed": "a\nb"},
        {"signature": None},
        {"signature": {"key": "k"}},
        {"signature": {"key": "k", "value": "v" * 101}},
        {"signature": {**SIGNATURE, "more": 1}},
        {"more": 1},
    ],
    ids=str,
)
def test_a_hostile_record_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        releases.checked_record(json.dumps({**RECORD, **changes}).encode())
    for pointer in ({**POINTER, "record": {**RECORD, **changes}}, {**POINTER, "previous": [RECORD, {**RECORD, **changes}]}):
        with pytest.raises(ModelRefused):
            releases.checked_pointer(json.dumps(pointer).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"serial": 0},
        {"serial": True},
        {"serial": 1.0},
        {"serial": 1 << 60},
        {"serial": "3"},
        {"changed": None},
        {"record": None},
        {"previous": None},
        {"previous": {}},
        {"previous": [RECORD] * 21},
        {"previous": [{**RECORD, "name": "other"}]},
        {"more": 1},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_hostile_pointer_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        releases.checked_pointer(json.dumps({**POINTER, **changes}).encode())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"serial": 1, "serial": 2}',
        b"[" * 60_000,
        b'{"serial": ' + b"9" * 60_000 + b"}",
        b"NaN",
        b"{}",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_text_that_is_not_a_json_object_is_refused(text: bytes) -> None:
    for read in (releases.checked_pointer, releases.checked_record):
        with pytest.raises(ModelRefused):
            read(text)


@given(st.data())
def test_a_document_with_any_part_replaced_is_sound_or_refused(data: st.DataObject) -> None:
    """A sound document names its own object, below its own name."""
    pointer: Any = json.loads(json.dumps(POINTER))
    place = data.draw(st.sampled_from([pointer, pointer["record"], pointer["previous"][0]]))
    place[data.draw(st.sampled_from([*place, "signature"]))] = data.draw(VALUES)
    try:
        checked = releases.checked_pointer(json.dumps(pointer).encode())
    except ModelRefused:
        return
    record = checked["record"]
    key = addresses.model_key(record["name"], record["version"], record["sha256"])
    assert key.count("/") == 2 and not {"", ".", ".."} & {*key.split("/")}
    assert 1 <= checked["serial"] <= releases.MAX_SERIAL


@given(st.one_of(st.binary(max_size=300), VALUES.map(lambda value: json.dumps(value).encode())))
def test_any_bytes_are_a_document_or_refused(data: bytes) -> None:
    for read in (releases.checked_pointer, releases.checked_record):
        try:
            read(data)
        except FlyweightError as error:
            assert isinstance(error, ModelRefused) and len(str(error)) < 500
