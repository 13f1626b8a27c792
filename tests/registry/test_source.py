"""Load models from a store through the disk cache; older releases and refused models are never served."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight.errors import ModelRefused, ObjectNotFound, StoreFailed
from flyweight.predictor import LoadedModel
from flyweight.registry.source import StoreSource
from flyweight.settings import Caching, Settings, Verification
from flyweight.toolkit.packing import model_writer
from flyweight.toolkit.publishing import registry, signing
from tests.services.fixtures import Bucket

QUICK = Caching(ttl_seconds=60.0, store_seconds=2.0)


class Reader:
    """The source of one process: it shares the disk with others, and has a clock of its own."""

    def __init__(self, folder: Path, **required: Any) -> None:
        caching = QUICK._replace(cache_dir=str(folder))
        self.now = 1000.0
        self.models = StoreSource(Settings("", caching=caching, verification=Verification(**required)), lambda: self.now)

    def load(self, address: str) -> LoadedModel:
        self.spent: dict[str, float] = {}
        return self.models.load(address, self.spent)

    def answer(self, address: str) -> float:
        return number(self.load(address))


def number(model: LoadedModel) -> float:
    """Get the answer of a model, which is its version."""
    predictions: Any = model.predictor.predict([[0.0]]).predictions
    return float(predictions[0])


@pytest.fixture
def reader(tmp_path: Path) -> Callable[..., Reader]:
    return lambda **required: Reader(tmp_path / "cache", **required)


def methods(bucket: Bucket) -> list[str]:
    """List the methods of the requests since the proxy's last setting."""
    return [seen.method for seen in bucket.proxy.seen]


def test_an_alias_is_two_requests_and_then_none(bucket: Bucket, versions: dict[int, Path], reader: Any) -> None:
    registry.at(bucket.root).push(versions[1], ["prod"])
    bucket.proxy.fail("")
    first = reader()
    assert first.answer(f"{bucket.root}/m@prod") == 1.0
    assert methods(bucket) == ["GET", "GET"] and {"fetch", "load"} <= {*first.spent}
    assert reader().answer(f"{bucket.root}/m@prod") == 1.0, "another process, within the time to live"
    assert len(methods(bucket)) == 2


def test_when_the_time_to_live_is_over_one_small_request_says_that_nothing_changed(
    s3: Bucket, versions: dict[int, Path], reader: Any
) -> None:
    registry.at(s3.root).push(versions[1], ["prod"])
    reader().answer(f"{s3.root}/m@prod")
    s3.proxy.fail("")
    later = reader()
    later.now += 61
    assert later.answer(f"{s3.root}/m@prod") == 1.0 and methods(s3) == ["GET"]
    assert later.load(f"{s3.root}/m@prod").age == 0.0 and methods(s3) == ["GET"], "the note of one process serves all"


@pytest.mark.parametrize("step", [-5000.0, 1e7])
def test_a_clock_that_steps_only_causes_a_request(s3: Bucket, versions: dict[int, Path], reader: Any, step: float) -> None:
    registry.at(s3.root).push(versions[1], ["prod"])
    reader().answer(f"{s3.root}/m@prod")
    registry.at(s3.root).push(versions[2], ["prod"])
    stepped = reader()
    stepped.now += step
    assert stepped.answer(f"{s3.root}/m@prod") == 2.0


def test_a_plain_object_is_fetched_again_only_when_it_changed(bucket: Bucket, versions: dict[int, Path], reader: Any) -> None:
    store, address = bucket.open(), f"{bucket.root}/plain.safetensors"
    meta = store.put("plain.safetensors", versions[1].read_bytes(), None)
    one = reader()
    current = one.load(address)
    assert number(current) == 1.0 and len(current.release.sha256) == 64
    bucket.proxy.fail("")
    assert one.models.refresh(address, current, {}) is current and methods(bucket) == ["HEAD"]
    time.sleep(1.1)  # for stores whose times are whole seconds
    store.put("plain.safetensors", versions[2].read_bytes(), meta.tag)
    assert number(one.models.refresh(address, current, {})) == 2.0


def test_a_version_never_changes(s3: Bucket, versions: dict[int, Path], reader: Any) -> None:
    registry.at(s3.root).push(versions[1])
    assert not reader().load(f"{s3.root}/m/1.0.0").may_change
    assert reader().load(f"{s3.root}/m@latest").may_change


def test_a_promotion_and_a_rollback_are_followed(bucket: Bucket, versions: dict[int, Path], reader: Any) -> None:
    here, address = registry.at(bucket.root), f"{bucket.root}/m@prod"
    here.push(versions[1], ["prod"])
    one = reader()
    model = one.load(address)
    here.push(versions[2], ["prod"])
    model = one.models.refresh(address, model, {})
    assert number(model) == 2.0
    here.rollback("m", "prod")
    assert number(one.models.refresh(address, model, {})) == 1.0


def test_an_older_answer_of_the_store_is_refused(s3: Bucket, versions: dict[int, Path], reader: Any) -> None:
    here, address, store = registry.at(s3.root), f"{s3.root}/m@prod", s3.open()
    here.push(versions[1], ["prod"])
    before, _ = store.get("m/@prod.json", 1 << 16)
    here.push(versions[2], ["prod"])
    one = reader()
    current = one.load(address)
    _, meta = store.get("m/@prod.json", 1 << 16)
    store.put("m/@prod.json", before, meta.tag)
    with pytest.raises(StoreFailed, match="older state"):
        one.models.refresh(address, current, {})
    fresh = reader()
    fresh.now += 61
    stale = fresh.load(address)
    assert number(stale) == 2.0 and "older state" in stale.trouble, "this process knows by the disk what another one served"


def test_without_the_store_the_last_good_model_answers_with_the_reason(
    s3: Bucket, versions: dict[int, Path], reader: Any
) -> None:
    registry.at(s3.root).push(versions[1], ["prod"])
    reader().answer(f"{s3.root}/m@prod")
    s3.proxy.fail("refused")
    later = reader()
    later.now += 3600
    model = later.load(f"{s3.root}/m@prod")
    assert number(model) == 1.0 and model.age == 3600.0 and model.trouble
    with pytest.raises(StoreFailed):
        Reader(Path("off"), sha256="").models.load(f"{s3.root}/m@other", {})


def test_a_damaged_file_on_the_disk_is_fetched_again(s3: Bucket, versions: dict[int, Path], reader: Any, tmp_path: Path) -> None:
    registry.at(s3.root).push(versions[1], ["prod"])
    reader().answer(f"{s3.root}/m@prod")
    for path in (tmp_path / "cache").glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert reader().answer(f"{s3.root}/m@prod") == 1.0


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "../../../etc/passwd"},
        {"sha256": 5},
        {"size": "x"},
        {"serial": "2"},
        {"name": 3},
        {"digital_signature": 7},
        {"modified": None},
        {"tag": []},
        {"more": 1},
    ],
)
def test_a_malformed_note_is_ignored(
    s3: Bucket, versions: dict[int, Path], reader: Any, tmp_path: Path, change: dict[str, Any]
) -> None:
    registry.at(s3.root).push(versions[1], ["prod"])
    reader().answer(f"{s3.root}/m@prod")
    (note,) = (tmp_path / "cache").glob("*.json")
    document = json.loads(note.read_text())
    document["release"].update(change)
    note.write_text(json.dumps(document))
    assert reader().answer(f"{s3.root}/m@prod") == 1.0


def test_a_file_of_another_name_is_refused(s3: Bucket, versions: dict[int, Path], reader: Any) -> None:
    """A record names another version than its model file has, as one written by hand may."""
    registry.at(s3.root).push(versions[1], ["prod"])
    store = s3.open()
    data, meta = store.get("m/@prod.json", 1 << 16)
    store.put("m/9.9.9/" + registry_key(data), versions[1].read_bytes(), None)
    store.put("m/@prod.json", data.replace(b'"1.0.0"', b'"9.9.9"'), meta.tag)
    with pytest.raises(ModelRefused, match=r"calls itself 'm/1\.0\.0'"):
        reader().load(f"{s3.root}/m@prod")


def registry_key(pointer: bytes) -> str:
    return f"{json.loads(pointer)['record']['sha256']}.safetensors"


def test_a_pinned_deployment_takes_one_file_only(s3: Bucket, versions: dict[int, Path], reader: Any) -> None:
    here, address = registry.at(s3.root), f"{s3.root}/m@prod"
    pushed = here.push(versions[1], ["prod"])
    one = reader(sha256=pushed.record["sha256"])
    current = one.load(address)
    here.push(versions[2], ["prod"])
    s3.proxy.fail("")
    with pytest.raises(ModelRefused, match=r"takes .* only"):
        one.models.refresh(address, current, {})
    assert methods(s3) == ["GET"], "the bytes were not even fetched"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    signing.new_key(tmp_path / "key.pem")
    return tmp_path / "key.pem", tmp_path / "key.pem.pub"


def test_unsigned_models_never_replace_a_signed_one(
    s3: Bucket, versions: dict[int, Path], reader: Any, keys: tuple[Path, Path]
) -> None:
    private, public = keys
    here, address = registry.at(s3.root), f"{s3.root}/m@prod"
    here.push(versions[1], ["prod"], key=private)
    one = reader(public_keys=(str(public),))
    current = one.load(address)
    here.push(versions[2], ["prod"])
    with pytest.raises(ModelRefused, match="not signed"):
        one.models.refresh(address, current, {})
    here.push(versions[3], ["prod"], key=private)
    assert number(one.models.refresh(address, current, {})) == 3.0


def test_a_model_on_the_disk_must_be_signed_as_well(
    s3: Bucket, versions: dict[int, Path], reader: Any, keys: tuple[Path, Path]
) -> None:
    registry.at(s3.root).push(versions[1], ["prod"])
    reader().answer(f"{s3.root}/m@prod")
    with pytest.raises(ModelRefused, match="not signed"):
        reader(public_keys=(str(keys[1]),)).load(f"{s3.root}/m@prod")


def test_a_plain_object_is_signed_beside_it(
    s3: Bucket, versions: dict[int, Path], reader: Any, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    store, address = s3.open(), f"{s3.root}/plain.safetensors"
    store.put("plain.safetensors", versions[1].read_bytes(), None)
    with pytest.raises(ModelRefused, match="not signed"):
        reader(public_keys=(str(keys[1]),)).load(address)
    digest = hashlib.sha256(versions[1].read_bytes()).hexdigest()
    written = signing.write(tmp_path / "plain.safetensors", digest, signing.sign(digest, "m", "1.0.0", keys[0]))
    store.put("plain.safetensors.sig", written.read_bytes(), None)
    assert reader(public_keys=(str(keys[1]),)).answer(address) == 1.0


def test_a_new_model_that_does_not_answer_its_own_sample_never_replaces_a_good_one(
    s3: Bucket, versions: dict[int, Path], reader: Any, tmp_path: Path
) -> None:
    here, address = registry.at(s3.root), f"{s3.root}/m@prod"
    here.push(versions[1], ["prod"])
    one = reader()
    current = one.load(address)
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(model_writer.with_digest(versions[2].read_bytes()[:-8] + struct.pack("<d", 9.0)))
    here.push(wrong, ["prod"])
    with pytest.raises(ModelRefused, match="own sample"):
        one.models.refresh(address, current, {})


def test_a_folder_is_a_store_and_is_not_copied_to_the_disk(versions: dict[int, Path], reader: Any, tmp_path: Path) -> None:
    registry.at(f"file://{tmp_path}/models").push(versions[1], ["prod"])
    assert reader().answer(f"file://{tmp_path}/models/m@prod") == 1.0
    assert not (tmp_path / "cache").exists()


def test_a_malformed_address_is_refused_with_a_reason(reader: Any) -> None:
    with pytest.raises(ModelRefused, match="expected"):
        reader().load("ftp://somewhere/m@prod")


def test_an_absent_model_is_not_found(s3: Bucket, reader: Any) -> None:
    with pytest.raises(ObjectNotFound) as caught:
        reader().load(f"{s3.root}/m@prod")
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)
