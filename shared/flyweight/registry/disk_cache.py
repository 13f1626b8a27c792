"""Model files on the local disk, by their sha256: shared by processes, verified before use, bounded, and never in the way.

A file appears whole, by renaming, and is read through one descriptor: whoever removes or replaces it meanwhile does no harm.
Beside the models lie notes, one an address: which release it was last, and when the store said so.
Whatever the disk refuses (it is full, read-only, somebody else's) costs the cache and nothing more: `trouble` says why.
"""

import json
import os
import time
from hashlib import sha256 as _sha256

from flyweight.models.file import MAPPED_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap
    from typing import Any

MODEL, NOTE, DRAFT = ".safetensors", ".json", ".draft"
ABANDONED = 600.0  # seconds after which a draft belongs to nobody: its writer was killed
MAX_NOTE_BYTES = 65_536


class DiskCache:
    """A folder of at most `budget` bytes of models; it is made when something is first written."""

    def __init__(self, folder: str, budget: int) -> None:
        self._folder = folder
        self._budget = budget
        self._ours: bool | None = None
        self.trouble = ""

    def read(self, sha256: str) -> "bytes | mmap | None":
        """The bytes that have this hash, a large file mapped; None where they are not here, or are not those bytes any more."""
        path = self._path(sha256 + MODEL)
        try:
            if not self._is_ours():
                return None
            with open(path, "rb") as file:
                data = _contents(file.fileno())
                _touch(file.fileno())
        except OSError as error:
            self._absent(error)
            return None
        if _sha256(data).hexdigest() == sha256:
            return data
        self.trouble = "a cached model was not the bytes that were written; it is fetched again"
        self._remove(path)
        return None

    def write(self, sha256: str, data: "Any") -> bool:
        """Keep these bytes, which have this hash; whether it was possible."""
        if len(data) > self._budget or not self._put(sha256 + MODEL, data):
            return False
        self._evict(sha256 + MODEL)
        return True

    def noted(self, address: str) -> "dict[str, Any]":
        """What was noted of an address; empty if nothing was, or nothing that can be read."""
        try:
            if not self._is_ours():
                return {}
            with open(self._path(_short(address) + NOTE), "rb") as file:
                note = json.loads(file.read(MAX_NOTE_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
        return note if isinstance(note, dict) and note.get("address") == address else {}

    def note(self, address: str, note: "dict[str, Any]") -> None:
        """Note this of an address, in place of what was."""
        self._put(_short(address) + NOTE, json.dumps({"address": address, **note}).encode())

    def _put(self, name: str, data: "Any") -> bool:
        draft = self._path(f"{name}.{os.getpid()}.{time.monotonic_ns()}{DRAFT}")
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            self._ours = None
            if not self._is_ours():
                return False
            with open(draft, "xb") as file:
                file.write(data)
            os.replace(draft, self._path(name))
        except OSError as error:
            self.trouble = f"nothing is kept on the disk: {error.strerror}"
            self._remove(draft)
            return False
        self.trouble = ""
        return True

    def _is_ours(self) -> bool:
        """Whether the folder is this user's and no one else may write to it: what lies there says which model is the latest."""
        if self._ours is None:
            status = os.stat(self._folder)
            self._ours = status.st_uid == os.geteuid() and not status.st_mode & 0o022
            if not self._ours:
                self.trouble = "nothing is kept on the disk: the folder is, or may be written by, another user"
        return self._ours

    def _evict(self, kept: str) -> None:
        """Remove what was used longest ago, until the rest is within the budget; and what killed writers left."""
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
            self.trouble = f"the disk's cache can't be listed: {error.strerror}"
        for _, size, entry in sorted(models, key=lambda model: model[0]):
            if total <= self._budget:
                break
            if entry.name != kept:
                self._remove(entry.path)
                total -= size

    def _absent(self, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            self.trouble = f"the disk's cache can't be read: {error.strerror}"

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _remove(self, path: str) -> None:
        try:
            os.unlink(path)
        except OSError:
            pass


def _contents(descriptor: int) -> "bytes | mmap":
    size = os.fstat(descriptor).st_size
    if size < MAPPED_BYTES:
        return os.pread(descriptor, size, 0)
    import mmap

    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)


def _touch(descriptor: int) -> None:
    """It was used: the least recently used goes first. A disk that can only be read keeps no account, and evicts nothing."""
    try:
        os.utime(descriptor)
    except OSError:
        pass


def _short(address: str) -> str:
    return _sha256(address.encode()).hexdigest()[:32]
