"""What a target asks of a built folder, and what a built folder says of itself: the facet `package`, with a `PACKAGE` each."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MIB = 1 << 20
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}  # architectures, as wheels name them
OLD_GLIBC = (2, 28)  # older systems take older wheels (manylinux2014)
MARKER = "flyweight.json"  # says what a folder was built from, and that `build` may replace it


@dataclass(frozen=True)
class Limit:
    """The largest size of the files, or of their zip.

    `refuses`: nothing deploys what is larger, else there is another way; `forms`: the forms of a build that the limit holds for;
    `next_step`: what to do beyond it.
    """

    name: str
    size: int
    next_step: str
    zipped: bool = False
    refuses: bool = False
    forms: tuple[str, ...] = ("folder", "zip", "layer")


@dataclass(frozen=True)
class System:
    """The operating system that a target runs one Python on, and the version of its C library."""

    name: str
    glibc: tuple[int, int]


@dataclass(frozen=True)
class PackageSpec:
    """What a folder has to look like for a target.

    `architectures`: of its machines, the default first; `packages`: where in the folder installed packages lie, None if the
    target installs them by itself; `systems`: by Python version, as far as they are known; `layer`: the folder that a layer's
    files lie in; `dockerfile`: from the Python's version, and whether packages are to be installed, to a Dockerfile.
    """

    architectures: tuple[str, ...] = ("x86_64", "arm64")
    packages: str | None = "."
    systems: Mapping[str, System] = field(default_factory=dict)
    layer: str | None = None
    limits: tuple[Limit, ...] = ()
    dockerfile: Callable[[str, bool], str] | None = None

    def old_glibc(self, python: str) -> bool:
        """Whether the system of this Python has a C library older than 2.28."""
        return python in self.systems and self.systems[python].glibc < OLD_GLIBC

    @property
    def unzipped_limit(self) -> int | None:
        """The bytes of code and libraries that a folder may have; None without such a limit."""
        return next((one.size for one in self.limits if one.refuses and not one.zipped and "folder" in one.forms), None)


def read_marker(folder: Path) -> dict[str, Any]:
    """Read what a built folder says of itself: its `target`, `runtime` (the Python's version), `arch`, model and packages."""
    document: dict[str, Any] = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    return document
