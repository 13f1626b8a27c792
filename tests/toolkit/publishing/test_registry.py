"""The writers of a registry lose no change, show nothing half-written, and never change a version; in a folder and in S3."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import flyweight
from flyweight.errors import ModelRefused, ObjectNotFound, PreconditionFailed
from flyweight.registry import addresses, verification
from flyweight.registry import releases as reading
from flyweight.stores import ObjectMeta
from flyweight.toolkit.publishing import catalogue, registry, signing
from flyweight.toolkit.publishing.catalogue import RegistryRefused
from flyweight.toolkit.publishing.registry import Registry
from flyweight.values import Release
from tests.conftest import ROOT
from tests.services.fixtures import Bucket

Pack = Callable[..., Path]


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Pack a small model file, by default of the name m; another `slope` makes other bytes."""
    folder = tmp_path_factory.mktemp("files")

    def pack_model(version: str, slope: int = 1, name: str = "m") -> Path:
        path = folder / f"{name}-{version}-{slope}.safetensors"
        if not path.exists():
            x = np.arange(8.0).reshape(4, 2)
            flyweight.pack(Ridge().fit(x, slope * x[:, 0]), path, name=name, version=version, edge_count=10)
        return path

    return pack_model


@pytest.fixture(params=["file", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Make an empty registry, and return its root."""
    if request.param == "file":
        return f"file://{tmp_path}/registry"
    bucket: Bucket = request.getfixturevalue("s3")
    return bucket.root


@pytest.fixture
def folder(tmp_path: Path) -> Registry:
    """Make an empty registry in a folder, for tests that are the same in every store."""
    return registry.at(str(tmp_path / "registry"))


def read(root: str, rest: str) -> tuple[Release, bytes]:
    """Read an address as a function does."""
    store = registry.at(root).store
    release = reading.resolve(store, addresses.parse(f"{root}/{rest}"))
    return release, bytes(reading.fetch(store, release))


def history(pointer: dict[str, Any]) -> list[str]:
    return [record["version"] for record in [pointer["record"], *pointer["previous"]]]


class FaultyStore:
    """A store with one fault, at the first key with a given end: it calls a function before the change, or loses the answer."""

    def __init__(
        self, store: Any, before: Callable[[], object] = lambda: None, ends: str = "", lose_answer: bool = False
    ) -> None:
        self.store, self.before, self.ends, self.lose_answer, self.done = store, before, ends, lose_answer, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def _due(self, key: str) -> bool:
        if self.done or not key.endswith(self.ends):
            return False
        self.done = True
        self.before()
        return True

    def put(self, key: str, data: bytes, expected: str | None) -> ObjectMeta:
        due = self._due(key)
        meta: ObjectMeta = self.store.put(key, data, expected)
        if due and self.lose_answer:
            raise PreconditionFailed("as when a library repeats a request that had succeeded")
        return meta

    def delete(self, key: str) -> None:
        self._due(key)
        self.store.delete(key)


def test_a_push_is_read_back_by_alias_and_by_version(root: str, pack: Pack) -> None:
    path = pack("1.0.0")
    pushed = registry.at(root).push(path, ["latest", "prod"])
    assert not pushed.existed and pushed.address == f"{root}/m/1.0.0"
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    for rest in ("m@latest", "m@prod", "m/1.0.0"):
        release, data = read(root, rest)
        assert (release.name, release.version, release.sha256) == ("m", "1.0.0", sha256)
        assert data == path.read_bytes()
    files = ["1.0.0/version.json", f"1.0.0/{sha256}.safetensors", "@latest.json", "@prod.json"]
    assert sorted(registry.at(root).store.keys("")) == sorted(f"m/{file}" for file in files)


def test_pushing_the_same_bytes_again_succeeds_and_writes_nothing(root: str, pack: Pack) -> None:
    store = registry.at(root)
    first = store.push(pack("1.0.0"))
    tags = {key: store.store.head(key).tag for key in store.store.keys("")}
    again = registry.at(root).push(pack("1.0.0"))
    assert again.existed and again.record == first.record and again.aliases == first.aliases
    assert {key: store.store.head(key).tag for key in store.store.keys("")} == tags


def test_other_bytes_under_a_version_are_refused_and_change_nothing(root: str, pack: Pack) -> None:
    store = registry.at(root)
    store.push(pack("1.0.0"))
    keys = store.store.keys("")
    with pytest.raises(RegistryRefused, match="a version never changes") as caught:
        store.push(pack("1.0.0", slope=2))
    assert "another --version" in caught.value.next_step
    assert store.store.keys("") == keys
    assert read(root, "m@latest")[1] == pack("1.0.0").read_bytes()


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data.replace(b"linear", b"lunear"), lambda _: b""])
def test_a_file_that_is_refused_is_never_pushed(
    damage: Callable[[bytes], bytes], folder: Registry, pack: Pack, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(damage(pack("1.0.0").read_bytes()))
    with pytest.raises(ModelRefused):
        folder.push(broken)
    assert folder.keys("") == []


@pytest.mark.parametrize(("name", "version"), [(".m", "1"), ("m", ".1"), ("m", "1.safetensors")])
def test_a_name_that_no_address_can_hold_is_not_pushed(name: str, version: str, folder: Registry, pack: Pack) -> None:
    with pytest.raises(RegistryRefused, match="should be 1 to 100"):
        folder.push(pack(version, name=name))
    assert folder.keys("") == []


def test_an_alias_that_no_address_can_hold_stops_a_push_before_it_writes(folder: Registry, pack: Pack) -> None:
    with pytest.raises(RegistryRefused, match="an alias should be"):
        folder.push(pack("1.0.0"), ["prod", "not/one"])
    assert folder.keys("") == []


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from flyweight.toolkit.publishing import registry
store = registry.at(sys.argv[1])
put = store.store.put
def killed(key, data, expected):
    if key.endswith("version.json"):
        os.kill(os.getpid(), signal.SIGKILL)
    return put(key, data, expected)
store.store.put = killed
store.push(Path(sys.argv[2]))
"""


def test_a_push_killed_between_bytes_and_record_shows_nothing_and_the_next_completes_it(root: str, pack: Pack) -> None:
    path = pack("1.0.0")
    program = KILLED.format(root=str(ROOT / "shared"))
    done = subprocess.run([sys.executable, "-c", program, root, str(path)], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    store = registry.at(root)
    assert [key for key in store.store.keys("") if key.endswith(".safetensors")], "the bytes had not been written"
    assert store.names() == {}
    for rest in ("m/1.0.0", "m@latest"):
        with pytest.raises(ObjectNotFound):
            read(root, rest)
    assert not store.push(path).existed
    assert read(root, "m@latest")[1] == path.read_bytes()


def test_an_object_whose_bytes_do_not_have_its_hash_is_not_used(folder: Registry, pack: Pack) -> None:
    data = pack("1.0.0").read_bytes()
    key = addresses.model_key("m", "1.0.0", hashlib.sha256(data).hexdigest())
    folder.store.put(key, b"\0" + data[1:], None)
    with pytest.raises(RegistryRefused, match="do not have that hash"):
        folder.push(pack("1.0.0"))
    assert folder.names() == {}


def test_a_push_succeeds_although_the_answer_to_its_record_is_lost(folder: Registry, pack: Pack) -> None:
    pushed = Registry(folder.root, FaultyStore(folder.store, ends="version.json", lose_answer=True)).push(pack("1.0.0"))
    assert not pushed.existed and history(folder.pointer("m", "latest")) == ["1.0.0"]


def test_each_promotion_adds_one_to_the_serial_and_keeps_the_history(root: str, pack: Pack) -> None:
    store = registry.at(root)
    began = int(time.time())
    serials = [store.push(pack(version)).aliases["latest"]["serial"] for version in ("1", "2", "3")]
    assert serials == [serials[0], serials[0] + 1, serials[0] + 2] and began <= serials[0] <= time.time()
    assert history(store.pointer("m", "latest")) == ["3", "2", "1"]
    assert store.promote("m", "latest", "3") == store.pointer("m", "latest")
    assert store.pointer("m", "latest")["serial"] == serials[2], "the version that it means already was promoted again"
    assert read(root, "m@latest")[0].serial == serials[2]


def test_the_history_is_bounded(folder: Registry, pack: Pack) -> None:
    for version in ("1", "2"):
        folder.push(pack(version))
    for version in ["1", "2"] * 15:
        pointer = folder.promote("m", "latest", version)
    assert len(pointer["previous"]) == 20
    assert reading.resolve(folder.store, addresses.parse(f"{folder.root}/m@latest")).version == "2"


def test_promoting_a_missing_version_is_refused(folder: Registry, pack: Pack) -> None:
    folder.push(pack("1"))
    with pytest.raises(RegistryRefused, match="there is no m 9") as caught:
        folder.promote("m", "latest", "9")
    assert f"models ls {folder.root}/m" in caught.value.next_step


RACER = """
import sys
sys.path.insert(0, {root!r})
from flyweight.toolkit.publishing import registry
store = registry.at(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
store.promote("m", "prod", sys.argv[2])
"""


def test_processes_that_promote_at_once_lose_no_change(root: str, pack: Pack) -> None:
    store, versions = registry.at(root), [str(number) for number in range(5)]
    for version in versions:
        store.push(pack(version), ["prod"] if version == "0" else ["other"])
    serial = store.pointer("m", "prod")["serial"]
    command = [sys.executable, "-c", RACER.format(root=str(ROOT / "shared")), root]
    racers = [subprocess.Popen([*command, v], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for v in versions[1:]]
    try:
        for racer in racers:
            assert racer.stdout and racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin
            racer.stdin.write("go\n")
            racer.stdin.flush()
    finally:
        for racer in racers:
            racer.communicate()
    assert [racer.returncode for racer in racers] == [0] * 4
    pointer = store.pointer("m", "prod")
    assert sorted(history(pointer)) == versions and history(pointer)[-1] == "0"
    assert pointer["serial"] == serial + 4


def test_threads_that_promote_at_once_lose_no_change(root: str, pack: Pack) -> None:
    store, versions = registry.at(root), [str(number) for number in range(7)]
    for version in versions:
        store.push(pack(version), ["prod"] if version == "0" else ["other"])
    together = threading.Barrier(6)
    failed = []

    def promote(version: str) -> None:
        own = registry.at(root)
        together.wait()
        try:
            own.promote("m", "prod", version)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=promote, args=(version,)) for version in versions[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(history(store.pointer("m", "prod"))) == versions


def test_a_change_after_a_faster_one_keeps_both_in_the_history(root: str, pack: Pack) -> None:
    other = registry.at(root)
    for version in ("1", "2", "3"):
        other.push(pack(version), ["prod"] if version == "1" else ["other"])
    faulty = FaultyStore(registry.at(root).store, lambda: other.promote("m", "prod", "2"), "@prod.json")
    pointer = Registry(root, faulty).promote("m", "prod", "3")
    assert history(pointer) == ["3", "2", "1"]


def test_an_alias_that_two_writers_make_at_once_is_made_once(root: str, pack: Pack) -> None:
    other = registry.at(root)
    for version in ("1", "2"):
        other.push(pack(version), [])
    faulty = FaultyStore(registry.at(root).store, lambda: other.promote("m", "prod", "1"), "@prod.json")
    assert history(Registry(root, faulty).promote("m", "prod", "2")) == ["2", "1"]


@pytest.mark.parametrize("change", ["promote", "rollback"])
def test_a_change_whose_answer_is_lost_is_made_once(change: str, folder: Registry, pack: Pack) -> None:
    for version in ("1", "2", "3", "4"):
        folder.push(pack(version), ["other"] if version == "4" else ["prod"])
    faulty = Registry(folder.root, FaultyStore(folder.store, ends="@prod.json", lose_answer=True))
    pointer = faulty.promote("m", "prod", "4") if change == "promote" else faulty.rollback("m", "prod")
    assert pointer == folder.pointer("m", "prod")
    assert history(pointer) == (["4", "3", "2", "1"] if change == "promote" else ["2", "1"])


def test_a_pointer_that_others_change_all_the_time_is_an_error(
    folder: Registry, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1", "2", "3"):
        folder.push(pack(version))
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)

    class Busy(FaultyStore):
        def put(self, key: str, data: bytes, expected: str | None) -> ObjectMeta:
            raise PreconditionFailed("always")

    with pytest.raises(RegistryRefused, match="changed by others 12 times"):
        Registry(folder.root, Busy(folder.store)).promote("m", "latest", "1")
    assert len(slept) == 12 and folder.pointer("m", "latest")["record"]["version"] == "3"


def test_a_rollback_goes_one_version_back_and_a_second_one_further(root: str, pack: Pack) -> None:
    store = registry.at(root)
    for version in ("1", "2", "3"):
        serial = store.push(pack(version)).aliases["latest"]["serial"]
    assert history(store.rollback("m", "latest")) == ["2", "1"]
    pointer = store.rollback("m", "latest")
    assert history(pointer) == ["1"] and pointer["serial"] == serial + 2, "a reader takes no smaller serial"
    assert read(root, "m@latest")[1] == pack("1").read_bytes()
    with pytest.raises(RegistryRefused, match="meant nothing before") as caught:
        store.rollback("m", "latest")
    assert "models promote" in caught.value.next_step
    assert history(store.promote("m", "latest", "3")) == ["3", "1"], "a version that was rolled back from is still a version"


def test_a_rollback_skips_versions_that_were_removed_or_pushed_anew(folder: Registry, pack: Pack) -> None:
    for version in ("1", "2", "3", "4"):
        folder.push(pack(version))
    folder.remove("m", "3")
    folder.remove("m", "2")
    folder.push(pack("2", slope=2), ["other"])
    assert folder.rollback("m", "latest")["record"]["version"] == "1"


def test_a_rollback_to_a_version_takes_only_one_of_the_history(folder: Registry, pack: Pack) -> None:
    for version in ("1", "2", "3"):
        folder.push(pack(version))
    folder.push(pack("4"), ["other"])
    for version in ("4", "9"):
        with pytest.raises(RegistryRefused, match=f"m@latest did not mean {version} before"):
            folder.rollback("m", "latest", version)
    assert history(folder.rollback("m", "latest", "1")) == ["1"]
    with pytest.raises(RegistryRefused, match="there is no m@none"):
        folder.rollback("m", "none")


def test_a_version_is_removed_only_if_no_alias_means_it(root: str, pack: Pack) -> None:
    store = registry.at(root)
    store.push(pack("1"), ["a", "b"])
    store.push(pack("2"), ["b"])
    with pytest.raises(RegistryRefused, match="m 1 is what m@a means") as caught:
        store.remove("m", "1")
    assert f"{root}/m@a" in caught.value.next_step
    assert read(root, "m@a")[1] == pack("1").read_bytes()
    store.remove_alias("m", "a")
    store.remove("m", "1")
    assert [key for key in store.store.keys("") if key.startswith("m/1/")] == []
    for again in (lambda: store.remove("m", "1"), lambda: store.remove_alias("m", "a")):
        with pytest.raises(RegistryRefused, match="there is no m"):
            again()
    assert read(root, "m@b")[1] == pack("2").read_bytes()


def test_an_interrupted_removal_is_completed_by_another(folder: Registry, pack: Pack) -> None:
    folder.push(pack("1"), [])
    folder.store.delete("m/1/version.json")
    folder.remove("m", "1")
    assert folder.keys("") == []


def test_a_version_that_is_promoted_while_it_is_removed_stays(root: str, pack: Pack) -> None:
    other = registry.at(root)
    other.push(pack("1"), [])
    faulty = FaultyStore(registry.at(root).store, lambda: other.promote("m", "prod", "1"), "version.json")
    with pytest.raises(RegistryRefused, match="m 1 is what m@prod means"):
        Registry(root, faulty).remove("m", "1")
    assert read(root, "m@prod")[1] == pack("1").read_bytes() and read(root, "m/1")[0].version == "1"


def test_a_version_that_is_removed_while_it_is_promoted_is_an_error(folder: Registry, pack: Pack) -> None:
    folder.push(pack("1"), ["prod"])
    folder.push(pack("2"), [])
    faulty = FaultyStore(folder.store, lambda: folder.remove("m", "2"), "@prod.json")
    with pytest.raises(RegistryRefused, match="m 2 was removed while prod") as caught:
        Registry(folder.root, faulty).promote("m", "prod", "2")
    assert "models rollback" in caught.value.next_step
    assert folder.rollback("m", "prod")["record"]["version"] == "1"


def test_other_objects_in_a_store_are_not_part_of_a_registry(folder: Registry, pack: Pack) -> None:
    folder.push(pack("1"))
    for key in ("readme.txt", "m/notes/readme.txt", "m/@..json", "n/1/x.safetensors", "a b/1/version.json", "m/x y/version.json"):
        folder.store.put(key, b"?", None)
    assert folder.names() == {"m": (["1"], ["latest"])}
    assert [*folder.versions("m")] == ["1"] and [*folder.aliases("m")] == ["latest"]


@pytest.mark.parametrize("damaged", [b"", b"{}", b"[]", b"\xff", b'{"serial": 1}'])
def test_the_error_of_a_damaged_pointer_or_record_says_how_to_repair_it(damaged: bytes, folder: Registry, pack: Pack) -> None:
    folder.push(pack("1"))
    folder.push(pack("2"))
    for key in ("m/@latest.json", "m/1/version.json"):
        folder.store.put(key, damaged, folder.store.head(key).tag)
    with pytest.raises(RegistryRefused, match="m@latest is damaged") as caught:
        folder.promote("m", "latest", "2")
    assert f"models rm {folder.root}/m@latest" in caught.value.next_step
    folder.remove_alias("m", "latest")
    folder.promote("m", "latest", "2")
    with pytest.raises(RegistryRefused, match="m/1 is damaged") as caught:
        folder.push(pack("1"))
    assert f"models rm {folder.root}/m/1" in caught.value.next_step
    folder.remove("m", "1")
    assert not folder.push(pack("1")).existed


def test_a_record_or_pointer_of_another_model_is_damaged(folder: Registry, pack: Pack) -> None:
    folder.push(pack("1"))
    for key, other in {"m/2/version.json": "m/1/version.json", "n/@latest.json": "m/@latest.json"}.items():
        folder.store.put(key, folder.store.get(other, 10_000)[0], None)
    with pytest.raises(RegistryRefused, match="m/2 is damaged: it is of m 1"):
        folder.record("m", "2")
    with pytest.raises(RegistryRefused, match="n@latest is damaged: it is of the model m"):
        folder.pointer("n", "latest")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    signing.new_key(tmp_path / "private.pem")
    return tmp_path / "private.pem"


def test_a_push_signs_and_a_reader_verifies(root: str, pack: Pack, key: Path) -> None:
    registry.at(root).push(pack("1"), key=key)
    for rest in ("m@latest", "m/1"):
        release, _ = read(root, rest)
        assert verification.check(release.sha256, release.name, release.version, release.digital_signature, (f"{key}.pub",))


def test_a_digital_signature_beside_the_file_is_pushed_unless_it_is_of_other_bytes(
    folder: Registry, pack: Pack, key: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(pack("1").read_bytes())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    signing.write(path, sha256, signing.sign(sha256, "m", "1", key))
    assert verification.check(sha256, "m", "1", folder.push(path).record["signature"], (f"{key}.pub",))
    path.write_bytes(pack("2").read_bytes())
    with pytest.raises(ModelRefused, match="of other bytes"):
        folder.push(path)


def test_a_version_keeps_its_digital_signature(folder: Registry, pack: Pack, key: Path, tmp_path: Path) -> None:
    folder.push(pack("1"), key=key)
    assert folder.push(pack("1")).existed and folder.push(pack("1"), key=key).existed
    signing.new_key(tmp_path / "other.pem")
    with pytest.raises(RegistryRefused, match="exists already, signed by the key"):
        folder.push(pack("1"), key=tmp_path / "other.pem")
    folder.push(pack("2"))
    with pytest.raises(RegistryRefused, match="exists already, unsigned"):
        folder.push(pack("2"), key=key)


def test_a_plain_object_has_its_digital_signature_in_an_object_beside_it(
    root: str, pack: Pack, key: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(pack("1").read_bytes())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    beside = signing.write(path, sha256, signing.sign(sha256, "m", "1", key))
    store = registry.at(root).store
    store.put("m.safetensors", path.read_bytes(), None)
    release = reading.resolve(store, addresses.parse(f"{root}/m.safetensors"))
    assert reading.digital_signature(store, release) is None
    store.put("m.safetensors.sig", beside.read_bytes(), None)
    assert verification.check(sha256, "m", "1", reading.digital_signature(store, release), (f"{key}.pub",))


@pytest.mark.parametrize(
    "text", ["s3://key:secret@bucket/models", "ftp://host/models", "http://example.org/models", "s3:///models"]
)
def test_the_error_of_an_invalid_root_does_not_show_its_credentials(text: str) -> None:
    with pytest.raises(RegistryRefused) as caught:
        registry.at(text)
    assert "secret" not in str(caught.value) and caught.value.next_step


def test_a_folder_may_be_given_by_any_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("models", "./models/", "../" + tmp_path.name + "/models", str(tmp_path / "models")):
        assert registry.at(text).root == f"file://{tmp_path}/models"
    assert catalogue.address("models/m@prod").root == f"file://{tmp_path}/models"


def test_pointers_and_records_are_readable_json(folder: Registry, pack: Pack) -> None:
    folder.push(pack("1"))
    pointer = json.loads(folder.store.get("m/@latest.json", 10_000)[0])
    assert {*pointer} == {"serial", "changed", "record", "previous"}
    assert {*pointer["record"]} == {"name", "version", "sha256", "bytes", "pushed"}
    assert pointer["record"] == json.loads(folder.store.get("m/1/version.json", 10_000)[0])
