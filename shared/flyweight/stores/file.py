"""Use a folder as a store: objects are files, written as a whole or not at all, by one writer at a time."""

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


def open_root(root: str, timeouts: "Timeouts") -> "FileStore":
    """Open the store at `file:///folder`.

    :raises StoreFailed: the path of the folder is relative.
    """
    return FileStore(root.removeprefix("file://").rstrip("/"), timeouts)


class FileStore:
    """Files below a folder; the first write makes the folder.

    :raises StoreFailed: the path of the folder is relative.
    """

    def __init__(self, folder: str, timeouts: "Timeouts") -> None:
        if not folder.startswith("/") and folder:
            raise StoreFailed(f"a store of files is at file:///FOLDER, with three slashes; got {folder[:80]!r}")
        self._folder = folder
        self._timeouts = timeouts

    def head(self, key: str) -> ObjectMeta:
        """Get the tag, size and time of a file.

        :raises StoreFailed: as `Store`.
        """
        try:
            return _object_meta(os.stat(self._path(key)), key)
        except OSError as error:
            raise _failure(error, key) from None

    def get(self, key: str, limit: int) -> "tuple[bytes, ObjectMeta]":
        """Read a whole file, with its tag, size and time.

        :raises ModelRefused: the file is larger than `limit` bytes; nothing was read.
        :raises StoreFailed: as `Store`; or the file changed while it was read.
        """
        try:
            with open(self._path(key), "rb", buffering=0) as file:
                meta = _object_meta(os.fstat(file.fileno()), key)
                if meta.size > limit:
                    raise ModelRefused(f"{key} has {meta.size} bytes, the limit is {limit}")
                data = file.readall()
                if len(data) != meta.size or _object_meta(os.fstat(file.fileno()), key) != meta:
                    raise StoreFailed(f"{key} changed while it was read", transient=True)
                return data, meta
        except OSError as error:
            raise _failure(error, key) from None

    def put(self, key: str, data: bytes, expected: "str | None") -> ObjectMeta:
        """Write a file under another name and rename it, if the file before is the expected one.

        :raises PreconditionFailed: another file is there.
        :raises StoreFailed: as `Store`.
        """
        path = self._path(key)
        folder, _, name = path.rpartition("/")
        aside = f"{folder}/.{name}.new"  # always the same name: only one writer is active, and a killed one's file is overwritten
        lock = self._lock(key)
        try:
            before = _current_meta(path, key)
            if (before.tag if before else None) != expected:
                raise PreconditionFailed(f"{key} is not the expected object: someone else changed it first")
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
            raise _unwritten(error, key) from None
        finally:
            os.close(lock)

    def read(self, key: str, meta: ObjectMeta, start: int, size: int) -> bytes:
        """Read `size` bytes of a file from byte `start` on, fewer if the file ends.

        :raises PreconditionFailed: the file was replaced since `meta` was read.
        :raises StoreFailed: as `Store`.
        """
        try:
            with open(self._path(key), "rb", buffering=0) as file:
                data = b""
                while len(data) < size and (more := os.pread(file.fileno(), size - len(data), start + len(data))):
                    data = data + more if data else more
                if _object_meta(os.fstat(file.fileno()), key) != meta:
                    raise PreconditionFailed(f"{key} was replaced while it was read")
                return data
        except OSError as error:
            raise _failure(error, key) from None

    def put_stream(self, key: str, chunks: "Iterable[bytes]") -> ObjectMeta:
        """Write a file under another name, which one writer at a time may do, and rename it.

        :raises StoreFailed: as `Store`; or another process is writing the same key.
        """
        path = self._path(key)
        folder, _, name = path.rpartition("/")
        aside = f"{folder}/.{name}.stream"
        try:
            os.makedirs(folder, exist_ok=True)
            with _open_exclusively(aside, key) as file:
                try:
                    for chunk in chunks:
                        file.write(chunk)
                    file.flush()
                except BaseException:
                    os.unlink(aside)
                    raise
                lock = self._lock(key)
                try:
                    _stamp(file.fileno(), _current_meta(path, key))
                    os.fsync(file.fileno())
                    os.replace(aside, path)
                    _sync(folder)
                finally:
                    os.close(lock)
                return _object_meta(os.fstat(file.fileno()), key)
        except OSError as error:
            raise _unwritten(error, key) from None

    def keys(self, prefix: str) -> "list[str]":
        """List all keys below a folder, sorted.

        :raises StoreFailed: as `Store`.
        """
        top = self._path(prefix) if prefix else self._folder
        try:
            return sorted(path[len(self._folder) + 1 :] for path in _files(top or "/"))
        except OSError as error:
            raise _failure(error, prefix or self._folder) from None

    def delete(self, key: str) -> None:
        """Delete a file, and the folders that become empty; nothing happens if no file has the key.

        :raises StoreFailed: as `Store`.
        """
        path = self._path(key)
        lock = self._lock(key)
        try:
            os.unlink(path)
            while (path := path.rpartition("/")[0]) != self._folder and not os.listdir(path):
                os.rmdir(path)
        except OSError as error:
            failure = _failure(error, key)
            if not isinstance(failure, ObjectNotFound):
                raise failure from None
        finally:
            os.close(lock)

    def _path(self, key: str) -> str:
        return joined(self._folder or "/", key)

    def _lock(self, key: str) -> int:
        """Take the lock of all writers.

        :returns: a descriptor; the kernel releases the lock when the descriptor is closed or its process ends.
        :raises StoreFailed: another process holds the lock for longer than the timeout.
        """
        import fcntl

        deadline = monotonic() + self._timeouts.seconds
        try:
            os.makedirs(self._folder or "/", exist_ok=True)
            lock = os.open(f"{self._folder}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _unwritten(error, key) from None
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except OSError as error:
                if not isinstance(error, BlockingIOError) or monotonic() > deadline:
                    os.close(lock)
                    raise StoreFailed(f"{key} is being written by someone else, for too long", transient=True) from None
            sleep(0.005)


def _open_exclusively(aside: str, key: str) -> "BinaryIO":
    """Open an empty file that no other process writes to; a killed writer's file is reused.

    :raises StoreFailed: another process writes to it.
    """
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
    """Find the paths of all files below a folder; one that is gone has none, and a link to a folder above it is not followed."""
    try:
        found = os.scandir(folder)
    except FileNotFoundError:
        return
    with found as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            # `is_dir` raises an error for a link to itself
            if not (os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()):
                yield entry.path
            elif not (entry.is_symlink() and _is_above(os.path.realpath(entry.path), os.path.realpath(folder))):
                yield from _files(entry.path)


def _is_above(folder: str, path: str) -> bool:
    """Tell whether a path is a folder or lies below it."""
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _object_meta(stat: os.stat_result, key: str) -> ObjectMeta:
    """Make the metadata of a file.

    :raises ObjectNotFound: it is not a regular file.
    """
    if stat.st_mode & 0o170000 != 0o100000:  # as stat.S_ISREG says, without its import
        raise ObjectNotFound(f"{key} is not a file")
    return ObjectMeta(f"{stat.st_mtime_ns:x}-{stat.st_size:x}-{stat.st_ino:x}", stat.st_size, stat.st_mtime_ns / 1e9)


def _current_meta(path: str, key: str) -> "ObjectMeta | None":
    """Get the metadata of a file; None if no file has the path.

    :raises ObjectNotFound: it is not a regular file.
    """
    try:
        return _object_meta(os.stat(path), key)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _stamp(descriptor: int, before: "ObjectMeta | None") -> None:
    """Give every write a new tag, even if timestamp, size and inode repeat.

    :param before: the metadata of the file that is replaced.
    """
    last = int(before.tag.partition("-")[0], 16) if before else 0
    if os.fstat(descriptor).st_mtime_ns <= last:
        os.utime(descriptor, ns=(last + 1, last + 1))


def _sync(folder: str) -> None:
    """Write a folder's entries to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritten(error: OSError, key: str) -> StoreFailed:
    """Convert an error of the system at a write: no object is missing where its folder can't be made."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return StoreFailed(f"{key} can't be written: {error.strerror}")
    return _failure(error, key)


def _failure(error: OSError, key: str) -> StoreFailed:
    """Convert an error of the system, without the path of the folder."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
        return ObjectNotFound(f"{key} is not there")
    if isinstance(error, PermissionError):
        return StoreFailed(f"{key} is forbidden: {error.strerror}")
    return StoreFailed(f"{key}: {error.strerror}", transient=True)
