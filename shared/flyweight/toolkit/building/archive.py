"""Write a folder as a zip whose bytes depend on names and contents only: sorted, with a fixed time and fixed permissions."""

import zipfile
from pathlib import Path
from typing import Any

# The second day that a zip file can hold (the first is 1979 west of Greenwich): archives then differ only where files do.
MOMENT = 315619200
MOMENT_OF_ZIPS = (1980, 1, 2, 0, 0, 0)
UNIX = 3


def write(folder: Path, out: Any, prefix: str = "") -> None:
    """Write a folder as a zip to a path or a file, under `prefix` within it."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            if path.is_file():
                entry = zipfile.ZipInfo(prefix + path.relative_to(folder).as_posix(), MOMENT_OF_ZIPS)
                entry.create_system, entry.compress_type = UNIX, zipfile.ZIP_DEFLATED
                entry.external_attr = (0o100000 | rights(path)) << 16
                made.writestr(entry, path.read_bytes())


def rights(path: Path) -> int:
    """Return the permissions of a file or folder, independent of the umask: all may read, and execute what its owner may."""
    return 0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644


def made_here(path: Path, names: tuple[str, ...]) -> bool:
    """Tell whether a file is a zip that contains one of these names, as the zips of a build do."""
    try:
        with zipfile.ZipFile(path) as opened:
            return any(name in opened.namelist() for name in names)
    except (OSError, zipfile.BadZipFile):
        return False
