"""List and trim a tree of installed packages, and count the bytes of each package.

Libraries are not stripped: wheels align their segments, and `strip` has broken them. METADATA is kept, because packages ask
importlib.metadata for their own versions, and licenses are kept, because they must accompany the packages.
"""

import csv
import email
import shutil
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import PathDistribution
from pathlib import Path

TESTS = {"tests", "test"}
SOURCES = {".pyi", ".h", ".hpp", ".pxd", ".pxi", ".pyx", ".c", ".cpp", ".cc", ".f", ".f90", ".a", ".pyc"}
SOURCES |= {".tp", ".in", ".build", ".cmake", ".rej", ".orig"}
NOTES = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}  # notes about the installation on this machine


@dataclass(frozen=True)
class Package:
    """An installed package; `size`: the bytes of its files, bytecode included; `license`: from its metadata."""

    name: str
    version: str
    size: int
    license: str = ""


def trim(place: Path) -> None:
    """Remove files that no function runs: tests, stubs, headers, C sources, scripts, manuals, bytecode of other Pythons."""
    owned = _owners(place)
    for folder in (place / "bin", place / "include", place / "share" / "man", place / "share" / "doc"):
        shutil.rmtree(folder, ignore_errors=True)  # scripts in `bin` contain the path of this machine's Python
    for path in sorted(place.rglob("*")):
        inside = [*path.relative_to(place).parts]
        if path.is_dir() and (path.name == "__pycache__" or (path.name in TESTS and len(inside) > 1)):
            shutil.rmtree(path)
        elif path.is_file() and (path.suffix in SOURCES or path.name == ".lock"):
            path.unlink()
    for info in place.glob("*.dist-info"):
        for name in NOTES:
            (info / name).unlink(missing_ok=True)
        left = sorted(name for name, owner in owned.items() if owner == info.name and (place / name).is_file())
        # rewritten without hashes, so that importlib.metadata.files() lists the remaining files
        (info / "RECORD").write_text(
            "".join(f"{_quoted(name)},,\n" for name in [*left, f"{info.name}/RECORD"]), encoding="utf-8", newline="\n"
        )


def listed(place: Path) -> list[Package]:
    """List the packages of a tree by name; files of no package are not counted."""
    sizes: dict[str, int] = {}
    owned = _owners(place)
    for path in place.rglob("*"):
        if path.is_file():
            owner = owned.get(_source(path.relative_to(place)))
            if owner is not None:
                sizes[owner] = sizes.get(owner, 0) + path.stat().st_size
    found = []
    for info in sorted(place.glob("*.dist-info")):
        metadata = email.message_from_string((info / "METADATA").read_text(encoding="utf-8"))
        name = str(metadata["Name"]).lower().replace("_", "-").replace(".", "-")
        found.append(Package(name, str(metadata["Version"]), sizes.get(info.name, 0), _license(metadata)))
    return sorted(found, key=lambda package: package.name)


def _owners(place: Path) -> dict[str, str]:
    """Map each file of a tree to the `*.dist-info` that records it."""
    owners = {}
    for info in place.glob("*.dist-info"):
        text = PathDistribution(info).read_text("RECORD") or ""
        owners.update({row[0]: info.name for row in csv.reader(text.splitlines()) if row})
    return owners


def _source(path: Path) -> str:
    """Return the source of a bytecode file; for any other file, the file itself."""
    if path.suffix == ".pyc" and path.parent.name == "__pycache__":
        path = path.parent.parent / f"{path.name.partition('.')[0]}.py"
    return path.as_posix()


def _license(metadata: Message) -> str:
    """Return the license expression, or the license field if it is one line, or the license classifiers."""
    text = str(metadata["License-Expression"] or metadata["License"] or "").strip()
    if text and "\n" not in text and len(text) <= 100:
        return text
    classifiers = [str(value) for value in metadata.get_all("Classifier", [])]
    return ", ".join(value.rpartition(" :: ")[2] for value in classifiers if value.startswith("License ::"))


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name or '"' in name else name
