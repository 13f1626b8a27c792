"""A folder as a store: two processes, a writer that is killed, a full and a read-only disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flyweight.errors import ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.stores import Timeouts, open_store
from tests.services.fixtures import PATIENT

COUNTING = """
import sys
from flyweight.errors import PreconditionFailed
from flyweight.stores import Timeouts, open_store
store = open_store(sys.argv[1], Timeouts(5, 60))
for _ in range(50):
    while True:
        data, meta = store.get("count", 9)
        try:
            store.put("count", str(int(data) + 1).encode(), meta.tag)
            break
        except PreconditionFailed:
            continue
"""

KILLED = """
import os, signal, sys
from flyweight.stores import Timeouts, open_store
real = os.fsync
def fsync(descriptor):  # called when the new bytes are on the disk, before the file is renamed
    os.kill(os.getpid(), signal.SIGKILL)
os.fsync = fsync
store = open_store(sys.argv[1], Timeouts(5, 60))
store.put("a", b"new", store.head("a").tag)
"""

HOLDING = """
import fcntl, sys
lock = open(sys.argv[1] + "/.lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""

FULL = """
import resource, sys
from flyweight.errors import StoreFailed
from flyweight.stores import Timeouts, open_store
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
store = open_store(sys.argv[1], Timeouts(5, 60))
try:
    store.put("a", bytes(100_000), store.head("a").tag)
except StoreFailed as error:
    print(error.transient, error)
"""

READ_ONLY = """
import fcntl, os, sys  # all modules that are needed later: another user may not read this Python's folder
from flyweight.errors import StoreFailed
from flyweight.stores import Timeouts, open_store
store = open_store(sys.argv[1], Timeouts(5, 60))
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
print(store.get("a", 9)[0])
try:
    store.put("b", b"", None)
except StoreFailed as error:
    print(error.transient, error)
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120)


def test_two_processes_lose_no_change(tmp_path: Path) -> None:
    root = f"file://{tmp_path}"
    store = open_store(root, PATIENT)
    store.put("count", b"0", None)
    racing = [subprocess.Popen([sys.executable, "-c", COUNTING, root]) for _ in range(2)]
    assert [process.wait(120) for process in racing] == [0, 0]
    assert store.get("count", 9)[0] == b"100"


def test_a_killed_writer_leaves_the_former_object(tmp_path: Path) -> None:
    root = f"file://{tmp_path}"
    store = open_store(root, PATIENT)
    before = store.put("a", b"old", None)
    assert run(KILLED, root).returncode == -signal.SIGKILL
    assert store.get("a", 9) == (b"old", before)
    assert store.keys("") == ["a"]
    store.put("a", b"next", before.tag)
    assert store.get("a", 9)[0] == b"next"
    assert sorted(os.listdir(tmp_path)) == [".lock", "a"], "the killed writer's file is gone"


def test_a_writer_gives_up_on_a_lock_that_is_held_for_too_long(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}", Timeouts(seconds=0.2))
    store.put("a", b"1", None)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(StoreFailed, match="written by someone else") as raised:
            store.put("b", b"1", None)
        assert raised.value.transient
        assert store.get("a", 9)[0] == b"1", "readers need no lock"
        holder.communicate("")
    store.put("b", b"1", None)


def test_a_full_disk_keeps_the_former_object(tmp_path: Path) -> None:
    root = f"file://{tmp_path}"
    store = open_store(root, PATIENT)
    meta = store.put("a", b"old", None)
    assert run(FULL, root).stdout == "True a: File too large\n"
    assert store.get("a", 9) == (b"old", meta)


def test_a_read_only_folder_can_be_read(tmp_path: Path) -> None:
    folder = Path("/tmp") / f"flyweight-read-only-{os.getpid()}"  # pytest's own folders are closed to other users
    store = open_store(f"file://{folder}", PATIENT)
    try:
        store.put("a", b"old", None)
        folder.chmod(0o555)
        assert run(READ_ONLY, f"file://{folder}").stdout == "b'old'\nFalse b is forbidden: Permission denied\n"
    finally:
        folder.chmod(0o755)
        for name in (".lock", "a"):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def test_two_writes_of_one_instant_have_two_tags(tmp_path: Path) -> None:
    """Two writes within one tick of the clock, of one length, with inodes that the system reuses."""
    store = open_store(f"file://{tmp_path}", PATIENT)
    tags = [store.put("a", b"0", None).tag]
    for number in range(1, 200):
        tags.append(store.put("a", str(number % 10).encode(), tags[-1]).tag)
    assert len({*tags}) == 200


def test_a_folder_is_not_an_object(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}", PATIENT)
    store.put("folder/a", b"", None)
    for ask in (lambda: store.head("folder"), lambda: store.get("folder", 9), lambda: store.get("folder/a/b", 9)):
        with pytest.raises(ObjectNotFound):
            ask()
    with pytest.raises(StoreFailed):
        store.put("folder", b"", None)
    assert store.keys("") == ["folder/a"]


def test_a_folder_that_cannot_be_made_is_no_missing_object(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = open_store(f"file://{tmp_path}/file/folder", PATIENT)
    for write in (lambda: store.put("a", b"", None), lambda: store.put_stream("a", [b""])):
        with pytest.raises(StoreFailed, match="a can't be written: Not a directory") as refused:
            write()
        assert not isinstance(refused.value, ObjectNotFound)


def test_a_deleted_object_leaves_no_empty_folders(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}", PATIENT)
    store.put("a/b/c", b"", None)
    store.put("a/d", b"", None)
    store.delete("a/b/c")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["d"]
    store.delete("a/d")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock"]
    with pytest.raises(PreconditionFailed):
        store.put("a/d", b"", "a tag")


def test_a_relative_folder_is_refused() -> None:
    with pytest.raises(StoreFailed, match="three slashes"):
        open_store("file://models", PATIENT)


def test_links_in_a_circle_and_folders_that_go_meanwhile_hide_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("in/a", "in/gone/b", "in/there/c", "other/d"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_text("x")
    for name, place in (("up", ".."), ("there/top", "../../in"), ("itself", "itself"), ("beside", "../other")):
        (tmp_path / "in" / name).symlink_to(place)
    scan = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("gone"):
            raise FileNotFoundError(path)  # removed after the folder above it was listed
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    store = open_store(f"file://{tmp_path}/in", Timeouts(5, 60))
    assert store.keys("") == ["a", "beside/d", "itself", "there/c"]
    assert store.keys("nothing") == []
