"""Write a layer of an image: a tar whose bytes depend on names, contents and permissions alone, compressed with gzip.

The header of gzip is written here, because `gzip` names another system in it from Python version to Python version. The tar's own
digest (`diff_id`) is the same everywhere. The compressed layer's is the same wherever zlib compresses alike; zlib-ng, which some
systems put in zlib's place, does not.
"""

from __future__ import annotations

import hashlib
import stat
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no name, no time, no system: RFC 1952
LEVEL = 6  # zlib's own; the highest takes much longer for large libraries and saves little


@dataclass(frozen=True)
class Entry:
    """A file, folder or symbolic link of a layer.

    `name`: its path in the image; `mode`: its permissions; `source`: the file with its contents, None for what is no file;
    `link`: where a link leads, "" for files and folders.
    """

    name: str
    mode: int
    source: Path | None = None
    link: str = ""


class _Gzip:
    """A file that compresses what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._size, self._crc, self.hash = file, 0, 0, hashlib.sha256()
        self._compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        file.write(HEADER)

    def write(self, data: bytes) -> int:
        """Compress."""
        self.hash.update(data)
        self._size, self._crc = self._size + len(data), zlib.crc32(data, self._crc)
        self._file.write(self._compressor.compress(data))
        return len(data)

    def finish(self) -> None:
        """Write what is left, and the checksum."""
        self._file.write(self._compressor.flush())
        self._file.write(self._crc.to_bytes(4, "little") + (self._size % (1 << 32)).to_bytes(4, "little"))


def write(entries: Iterable[Entry], moment: int, file: IO[bytes]) -> str:
    """Write a layer to a file.

    :param moment: the time of every entry, in seconds since 1970.
    :returns: the digest of the tar before it was compressed.
    """
    compressed = _Gzip(file)
    with tarfile.open(fileobj=compressed, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8") as made:  # type: ignore[call-overload]  # only `write` is called
        for entry in sorted(entries, key=lambda entry: entry.name):
            info = tarfile.TarInfo(entry.name)
            info.mode, info.mtime = entry.mode, moment
            if entry.link:
                info.type, info.linkname = tarfile.SYMTYPE, entry.link
                made.addfile(info)
            elif entry.source is None:
                info.type = tarfile.DIRTYPE
                made.addfile(info)
            else:
                info.size = entry.source.stat().st_size
                with entry.source.open("rb") as contents:
                    made.addfile(info, contents)
    compressed.finish()
    return f"sha256:{compressed.hash.hexdigest()}"


def entries(folder: Path, place: str = "") -> list[Entry]:
    """List what a folder holds as entries below a path of the image, with their permissions; sockets and devices are left out."""
    found = []
    for path in folder.rglob("*"):
        name, status = f"{place}/{path.relative_to(folder).as_posix()}".lstrip("/"), path.lstat()
        if stat.S_ISLNK(status.st_mode):
            found.append(Entry(name, 0o777, link=str(path.readlink())))
        elif stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode):
            found.append(Entry(name, status.st_mode & 0o1777, path if stat.S_ISREG(status.st_mode) else None))
    return found
