"""Keep model files on the local disk, by their sha256: shared by processes, verified before use, of bounded size.

A file appears whole, by renaming, and is read through one descriptor, so that it may be removed or replaced meanwhile.
For each address the folder also has a note: the release that it named last, and when the store said so.
A full, read-only or foreign disk only turns caching off; `trouble` holds the reason, and the log has each reason once.
"""

import time

from flyweight import strict_json
from flyweight.models.file import MAPPED_BYTES
from flyweight.stores.sha256 import sha256 as _sha256

try:
    import posix as os  # what `os` itself imports takes longer than all modules of ours
except ImportError:  # Windows
    import os  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from mmap import mmap
    from typing import Any

MODEL, NOTE, DRAFT = ".safetensors", ".json", ".draft"
ABANDONED = 600.0  # seconds after which a draft is removed: its writer was killed
MAX_NOTE_BYTES = 65_536


class DiskCache:
    """A folder of at most `budget` bytes of models; the first write makes it. `trouble`: why the last operation failed, or "".

    :param log: takes a log entry for each kind of trouble, once.
    """

    def __init__(self, folder: str, budget: int, log: "Callable[[Mapping[str, Any]], None]" = lambda entry: None) -> None:
        self._folder = folder
        self._budget = budget
        self._log = log
        self._logged: set[str] = set()
        self._ours: bool | None = None  # None: not known yet
        self.trouble = ""

    def read(self, sha256: str) -> "bytes | mmap | None":
        """Read the file with this hash; a large one is mapped.

        :returns: None if there is no such file, or if its bytes have another hash by now.
        """
        path = self._path(sha256 + MODEL)
        try:
            if not self._is_ours():
                return None
            with open(path, "rb") as file:
                data = _contents(file.fileno())
                _touch(file.fileno())
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self._report(f"the disk cache can't be read: {error.strerror}")
            return None
        if _sha256(data).hexdigest() == sha256:
            return data
        self._report("a cached model is not the bytes that were written; it is fetched again")
        self._remove(path)
        return None

    def write(self, sha256: str, data: "Any") -> bool:
        """Write a file, and evict others over the budget.

        :param sha256: the hash of `data`.
        :returns: whether the file was written.
        """
        if len(data) > self._budget or not self._write(sha256 + MODEL, data):
            return False
        self._evict(sha256 + MODEL)
        return True

    def read_note(self, address: str) -> "dict[str, Any]":
        """Read the note of an address; {} if it has none, or if it can't be read."""
        try:
            if not self._is_ours():
                return {}
            with open(self._path(_short(address) + NOTE), "rb") as file:
                note = strict_json.parse(file.read(MAX_NOTE_BYTES))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) and note.get("address") == address else {}

    def write_note(self, address: str, note: "dict[str, Any]") -> None:
        """Write the note of an address over the one before."""
        self._write(_short(address) + NOTE, strict_json.encode({"address": address, **note}))

    def _write(self, name: str, data: "Any") -> bool:
        """Write a file of the folder, and tell whether it succeeded."""
        draft = self._path(f"{name}.{os.getpid()}.{time.monotonic_ns()}{DRAFT}")
        try:
            _make_folder(self._folder)
            self._ours = None
            if not self._is_ours():
                return False
            with open(draft, "xb") as file:
                file.write(data)
            os.replace(draft, self._path(name))
        except OSError as error:
            self._report(f"nothing can be written to the disk cache: {error.strerror}")
            self._remove(draft)
            return False
        self.trouble = ""
        return True

    def _report(self, trouble: str) -> None:
        """Remember why an operation failed, and log it unless it was logged before."""
        self.trouble = trouble
        if trouble not in self._logged:
            self._logged.add(trouble)
            self._log({"level": "WARNING", "message": f"{trouble} (FLYWEIGHT_CACHE_DIR is {self._folder})"})

    def _is_ours(self) -> bool:
        """Tell whether the folder is this user's and nobody else may write to it: its notes say which model is the latest."""
        if self._ours is None:
            status = os.stat(self._folder)
            self._ours = status.st_uid == os.geteuid() and not status.st_mode & 0o022
            if not self._ours:
                self._report("the disk cache is not used: its folder belongs to, or may be written by, another user")
        return self._ours

    def _evict(self, written: str) -> None:
        """Remove abandoned drafts, and the least recently used models until the rest is within the budget.

        :param written: the file that was written last, which stays.
        """
        models, total = [], 0
        try:
            for entry in os.scandir(self._folder):
                try:
                    status = entry.stat()
                except OSError:  # another process removed it
                    continue
                if entry.name.endswith(DRAFT) and time.time() - status.st_mtime > ABANDONED:
                    self._remove(entry.path)
                elif entry.name.endswith(MODEL):
                    total += status.st_size
                    models.append((status.st_mtime, status.st_size, entry))
        except OSError as error:
            self._report(f"the disk cache can't be listed: {error.strerror}")
        for _, size, entry in sorted(models, key=lambda model: model[0]):
            if total <= self._budget:
                break
            if entry.name != written:
                self._remove(entry.path)
                total -= size

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _remove(self, path: str) -> None:
        try:
            os.unlink(path)
        except OSError:
            pass


def _make_folder(folder: str) -> None:
    """Make a folder that nobody else may write to, unless it is there.

    :raises OSError: it can't be made.
    """
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except FileNotFoundError:
        from os import makedirs  # imported late: the folder that the next one stands in is usually there

        makedirs(folder, 0o700, exist_ok=True)


def _contents(descriptor: int) -> "bytes | mmap":
    """Read a whole file; a large one is mapped."""
    size = os.fstat(descriptor).st_size
    if size < MAPPED_BYTES:
        return os.pread(descriptor, size, 0)
    import mmap

    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)


def _touch(descriptor: int) -> None:
    """Set a file's time of use to now, since the least recently used is evicted first. A read-only disk evicts nothing."""
    try:
        os.utime(descriptor)
    except OSError:
        pass


def _short(address: str) -> str:
    """Make the name of an address's note."""
    return _sha256(address.encode()).hexdigest()[:32]
