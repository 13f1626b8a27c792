"""The disk cache reads bytes with the right hash or none; a faulty disk only turns it off."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.models.file import MAPPED_BYTES
from flyweight.registry.disk_cache import ABANDONED, DiskCache
from tests.conftest import ROOT

ADDRESS = "s3://bucket/models/cancer@prod"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def cache(tmp_path: Path) -> DiskCache:
    return DiskCache(str(tmp_path / "cache"), 1000)


def mounted(place: Path, options: str) -> Iterator[Path]:
    """Mount a small file system, to be full or read-only; this needs root, which CI is."""
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "disk", "size=64k")


def test_a_written_file_is_read(cache: DiskCache) -> None:
    assert cache.read(digest(b"model")) is None
    assert cache.write(digest(b"model"), b"model")
    assert cache.read(digest(b"model")) == b"model"
    assert not cache.trouble


def test_a_large_file_is_mapped(tmp_path: Path) -> None:
    data = os.urandom(MAPPED_BYTES)
    cache = DiskCache(str(tmp_path), 2 * MAPPED_BYTES)
    cache.write(digest(data), data)
    read = cache.read(digest(data))
    assert type(read).__name__ == "mmap" and read is not None and bytes(read) == data


@pytest.mark.parametrize("damage", [b"", b"mode", b"modem", b"model and more"])
def test_damaged_files_are_not_read_and_are_removed(cache: DiskCache, tmp_path: Path, damage: bytes) -> None:
    cache.write(digest(b"model"), b"model")
    next((tmp_path / "cache").iterdir()).write_bytes(damage)
    assert cache.read(digest(b"model")) is None
    assert "not the bytes" in cache.trouble and not files(tmp_path / "cache")


def test_the_least_recently_used_is_evicted_and_readers_of_it_go_on(cache: DiskCache, tmp_path: Path) -> None:
    for number in range(3):
        data = bytes([number]) * 400
        assert cache.write(digest(data), data)
        os.utime(tmp_path / "cache" / f"{digest(data)}.safetensors", (number, number))
        if number == 1:
            assert cache.read(digest(b"\0" * 400)), "the first is used again, so that the second goes"
    assert files(tmp_path / "cache") == sorted(f"{digest(bytes([n]) * 400)}.safetensors" for n in (0, 2))


def test_a_file_larger_than_the_budget_is_not_written(cache: DiskCache) -> None:
    assert not cache.write(digest(b"x" * 1001), b"x" * 1001)


def test_notes_are_read_by_address_and_malformed_ones_are_ignored(cache: DiskCache, tmp_path: Path) -> None:
    assert cache.read_note(ADDRESS) == {}
    cache.write_note(ADDRESS, {"serial": 3})
    assert cache.read_note(ADDRESS) == {"address": ADDRESS, "serial": 3}
    assert cache.read_note("another") == {}
    for nonsense in (b"", b"{", b"[]", b"[" * 100_000, b"\xff", json.dumps({"address": "another"}).encode()):
        next((tmp_path / "cache").iterdir()).write_bytes(nonsense)
        assert cache.read_note(ADDRESS) == {}


def test_a_full_disk_only_turns_the_cache_off(small_disk: Path) -> None:
    cache = DiskCache(str(small_disk / "cache"), 1 << 20)
    data = b"x" * 100_000
    assert not cache.write(digest(data), data)
    assert "No space left" in cache.trouble
    assert cache.read(digest(data)) is None and not files(small_disk / "cache")
    assert cache.write(digest(b"small"), b"small") and not cache.trouble


def test_each_trouble_with_the_disk_is_logged_once(small_disk: Path) -> None:
    logged: list[Any] = []
    cache = DiskCache(str(small_disk / "cache"), 1 << 20, logged.append)
    data = b"x" * 100_000
    for _ in range(3):
        cache.write(digest(data), data)
    assert [entry["level"] for entry in logged] == ["WARNING"]
    assert "No space left" in logged[0]["message"] and str(small_disk) in logged[0]["message"]


def test_a_read_only_disk_is_read_and_not_written(small_disk: Path) -> None:
    cache = DiskCache(str(small_disk / "cache"), 1000)
    cache.write(digest(b"model"), b"model")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    cache = DiskCache(str(small_disk / "cache"), 1000)
    assert cache.read(digest(b"model")) == b"model"
    assert not cache.write(digest(b"other"), b"other")
    assert "Read-only" in cache.trouble
    cache.write_note(ADDRESS, {})
    assert cache.read_note(ADDRESS) == {}
    assert not DiskCache(str(small_disk / "new"), 1000).write(digest(b"model"), b"model")


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    DiskCache(str(shared), 1000).write(digest(b"model"), b"model")
    shared.chmod(0o777)
    cache = DiskCache(str(shared), 1000)
    assert cache.read(digest(b"model")) is None and "another user" in cache.trouble
    assert not cache.write(digest(b"other"), b"other")
    assert cache.read_note(ADDRESS) == {}


WRITER = """
import sys
sys.path.insert(0, {shared!r})
from hashlib import sha256
from flyweight.registry.disk_cache import DiskCache
cache = DiskCache({folder!r}, 1 << 30)
for number in range({count}):
    data = bytes([number % 7]) * {size}
    key = sha256(data).hexdigest()
    cache.write(key, data)
    read = cache.read(key)
    assert read is None or bytes(read) == data
    cache.write_note("address", {{"number": number}})
    print(number, flush=True)
"""


def writer(folder: Path, count: int, size: int) -> subprocess.Popen[str]:
    program = WRITER.format(shared=str(ROOT / "shared"), folder=str(folder), count=count, size=size)
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_racing_processes_read_whole_files_only(tmp_path: Path) -> None:
    racers = [writer(tmp_path / "cache", 60, 300_000) for _ in range(3)]
    for racer in racers:
        _, error = racer.communicate(timeout=300)
        assert racer.returncode == 0, error
    assert len(files(tmp_path / "cache")) == 8


def test_a_writer_that_is_killed_leaves_no_half_file_and_its_draft_goes(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    for _ in range(5):
        killed = writer(folder, 10_000, 2_000_000)
        assert killed.stdout is not None and killed.stderr is not None
        killed.stdout.readline()
        time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    for path in folder.glob("*.safetensors"):
        assert digest(path.read_bytes()) == path.stem
    (folder / "x.draft").write_bytes(b"half a file")
    long_ago = time.time() - ABANDONED - 1
    for draft in folder.glob("*.draft"):
        os.utime(draft, (long_ago, long_ago))
    DiskCache(str(folder), 1 << 30).write(digest(b"one more"), b"one more")
    assert not [*folder.glob("*.draft")]
