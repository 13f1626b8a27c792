"""A folder as a store: objects are files, written whole or not at all, changed by one writer at a time."""

import os
from time import monotonic, sleep

from flyweight.errors import ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.stores import ObjectMeta, joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from flyweight.stores import Timeouts

LOCK = ".lock"  # files whose names begin with a dot are the store's own


def open_root(root: str, patience: "Timeouts") -> "FileStore":
    """The store at `file:///folder`."""
    return FileStore(root.removeprefix("file://").rstrip("/"), patience)


class FileStore:
    """Files below a folder; the folder is made by the first write."""

    def __init__(self, folder: str, patience: "Timeouts") -> None:
        if not folder.startswith("/") and folder:
            raise StoreFailed(f"a store of files is at file:///FOLDER, with three strokes; got {folder[:80]!r}")
        self._folder = folder
        self._patience = patience

    def head(self, key: str) -> ObjectMeta:
        """What is there, without its bytes."""
        try:
            return _mark(os.stat(self._path(key)), key)
        except OSError as error:
            raise _told(error, key) from None

    def get(self, key: str, limit: int) -> "tuple[bytes, ObjectMeta]":
        """All bytes of a file and what they are."""
        try:
            with open(self._path(key), "rb", buffering=0) as file:
                mark = _mark(os.fstat(file.fileno()), key)
                if mark.size > limit:
                    raise ModelRefused(f"{key} has {mark.size} bytes, more than {limit}")
                data = file.readall()
                if len(data) != mark.size or _mark(os.fstat(file.fileno()), key) != mark:
                    raise StoreFailed(f"{key} changed while it was read", transient=True)
                return data, mark
        except OSError as error:
            raise _told(error, key) from None

    def put(self, key: str, data: bytes, expected: "str | None") -> ObjectMeta:
        """Write a file aside and rename it, if what is there is what was expected."""
        path = self._path(key)
        folder, _, name = path.rpartition("/")
        aside = f"{folder}/.{name}.new"  # one name, since one writes at a time: what a killed writer left is overwritten
        lock = self._locked(key)
        try:
            before = _found(path, key)
            if (before.tag if before else None) != expected:
                raise PreconditionFailed(f"{key} is not what was expected: someone else changed it first")
            os.makedirs(folder, exist_ok=True)
            with open(aside, "wb") as file:
                file.write(data)
                _stamp(file.fileno(), before)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
            _sync(folder)
            return self.head(key)
        except OSError as error:
            raise _told(error, key) from None
        finally:
            os.close(lock)

    def read(self, key: str, mark: ObjectMeta, start: int, size: int) -> bytes:
        """So many bytes from a place on, of the file that has that mark."""
        try:
            with open(self._path(key), "rb", buffering=0) as file:
                data = b""
                while len(data) < size and (more := os.pread(file.fileno(), size - len(data), start + len(data))):
                    data = data + more if data else more
                if _mark(os.fstat(file.fileno()), key) != mark:
                    raise PreconditionFailed(f"{key} was replaced while it was read")
                return data
        except OSError as error:
            raise _told(error, key) from None

    def put_stream(self, key: str, chunks: "Iterable[bytes]") -> ObjectMeta:
        """Write a file aside, which one writer at a time may, and rename it."""
        path = self._path(key)
        folder, _, name = path.rpartition("/")
        aside = f"{folder}/.{name}.stream"
        try:
            os.makedirs(folder, exist_ok=True)
            with _alone(aside, key) as file:
                try:
                    for chunk in chunks:
                        file.write(chunk)
                    file.flush()
                except BaseException:
                    os.unlink(aside)
                    raise
                lock = self._locked(key)
                try:
                    _stamp(file.fileno(), _found(path, key))
                    os.fsync(file.fileno())
                    os.replace(aside, path)
                    _sync(folder)
                finally:
                    os.close(lock)
                return _mark(os.fstat(file.fileno()), key)
        except OSError as error:
            raise _told(error, key) from None

    def keys(self, prefix: str) -> "list[str]":
        """All keys below a folder, sorted."""
        top = self._path(prefix) if prefix else self._folder
        try:
            return sorted(path[len(self._folder) + 1 :] for path in _files(top or "/"))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _told(error, prefix) from None

    def delete(self, key: str) -> None:
        """Take a file away, and the folders that it leaves empty."""
        path = self._path(key)
        lock = self._locked(key)
        try:
            os.unlink(path)
            while (path := path.rpartition("/")[0]) != self._folder and not os.listdir(path):
                os.rmdir(path)
        except OSError as error:
            told = _told(error, key)
            if not isinstance(told, ObjectNotFound):
                raise told from None
        finally:
            os.close(lock)

    def _path(self, key: str) -> str:
        return joined(self._folder or "/", key)

    def _locked(self, key: str) -> int:
        """A descriptor that holds the lock of all writers; the kernel lets go of it when the descriptor or its process ends."""
        import fcntl

        deadline = monotonic() + self._patience.seconds
        try:
            os.makedirs(self._folder or "/", exist_ok=True)
            lock = os.open(f"{self._folder}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _told(error, key) from None
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except OSError as error:
                if not isinstance(error, BlockingIOError) or monotonic() > deadline:
                    os.close(lock)
                    raise StoreFailed(f"{key} is being written by someone else, for too long", transient=True) from None
            sleep(0.005)


def _alone(aside: str, key: str) -> "BinaryIO":
    """An empty file that no other process writes to; what a killed writer left is taken over."""
    import fcntl

    file = open(aside, "ab")  # the caller closes it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # another writer may have renamed it between the two calls, and then it is the finished file
        if os.fstat(file.fileno()).st_ino != os.stat(aside).st_ino:
            raise BlockingIOError
        os.ftruncate(file.fileno(), 0)
        return file
    except (BlockingIOError, FileNotFoundError):
        file.close()
        raise StoreFailed(f"{key} is being written by someone else", transient=True) from None


def _files(folder: str) -> "Iterator[str]":
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _files(entry.path)
            else:
                yield entry.path


def _mark(stat: os.stat_result, key: str) -> ObjectMeta:
    if stat.st_mode & 0o170000 != 0o100000:  # as stat.S_ISREG says, without its import
        raise ObjectNotFound(f"{key} is not a file")
    return ObjectMeta(f"{stat.st_mtime_ns:x}-{stat.st_size:x}-{stat.st_ino:x}", stat.st_size, stat.st_mtime_ns / 1e9)


def _found(path: str, key: str) -> "ObjectMeta | None":
    try:
        return _mark(os.stat(path), key)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _stamp(descriptor: int, before: "ObjectMeta | None") -> None:
    """Two writes within one tick of the clock, of one length and by luck one inode, still get two tags."""
    was = int(before.tag.partition("-")[0], 16) if before else 0
    now = os.fstat(descriptor).st_mtime_ns
    if now <= was:
        os.utime(descriptor, ns=(was + 1, was + 1))


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _told(error: OSError, key: str) -> StoreFailed:
    if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
        return ObjectNotFound(f"{key} is not there")
    if isinstance(error, PermissionError):
        return StoreFailed(f"{key} is forbidden: {error.strerror}")
    return StoreFailed(f"{key}: {error.strerror}", transient=True)
