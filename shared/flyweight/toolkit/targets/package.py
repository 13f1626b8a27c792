"""The interface of the facet `package`: a target's layout and limits for built folders; and the marker file of a built folder."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MIB = 1 << 20
READS = ("file", "http", "https", "webhdfs", "swebhdfs")  # stores, by scheme, that need no package on any target
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}  # architectures, and their names in wheels
OLD_GLIBC = (2, 28)  # systems with an older C library need older wheels (manylinux2014)
MARKER = "flyweight.json"  # records what a folder was built from, and allows `build` to replace it


@dataclass(frozen=True)
class Limit:
    """The largest size of the files, or of their zip.

    `refuses`: whether a larger build can't be deployed in any way; `forms`: the forms of a build to which the limit applies;
    `next_step`: what to do with a larger build.
    """

    name: str
    size: int
    next_step: str
    zipped: bool = False
    refuses: bool = False
    forms: tuple[str, ...] = ("folder", "zip", "layer")


@dataclass(frozen=True)
class System:
    """The operating system on which a target runs a Python version, and the version of its C library."""

    name: str
    glibc: tuple[int, int]


@dataclass(frozen=True)
class Image:
    """What a container image of a built folder runs.

    `command`: the entry point, whose word `python3` is the image's interpreter; `arguments`: words after it, which a platform may
    replace; `environ`: variables of the image; `port`: where it listens; `health`: the path that answers 200 while the process is
    well, "" for a program that answers no requests and ends by itself; `user`: its number and its group's; `folder`: where the
    built folder is in the image; `labels`: what the image says of itself to its platform, by name.
    """

    command: tuple[str, ...] = ("python3", "server_main.py")
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    port: int = 8080
    health: str = "/health"
    user: str = "65532:65532"
    folder: str = "/app"
    labels: Mapping[str, str] = field(default_factory=dict)

    PYTHON = ("python3", "python")

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the image, with the port on which it listens, if it does, unless a platform gives another."""
        return {**({"PORT": str(self.port)} if self.health else {}), **self.environ}

    @property
    def check(self) -> list[str]:
        """The arguments of an interpreter that ends with 0 while the process inside the container is well.

        `http.client` heeds no proxy that the container's environment names.
        """
        ask = f"c.request('GET', '{self.health}'); sys.exit(c.getresponse().status != 200)"
        connect = "c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=2)"
        return ["-c", f"import http.client, os, sys; {connect}; {ask}"]


@dataclass(frozen=True)
class PackageSpec:
    """The layout of a built folder for a target.

    `architectures`: of its machines, the default first; `packages`: the folder of installed packages, None if the target installs
    them itself; `beside`: further folders of `handlers/`, whose modules the handler uses; `first`: the modules that a client of
    ours imports at a cold start, the handler the last; `systems`: the known systems by Python version; `layer`: the folder of a
    layer's files; `dockerfile`: returns a Dockerfile for a Python version, and for whether the image installs packages; `image`:
    what a container image of the folder runs, None for a target without containers; `reads`: the stores, by scheme, from which a
    function there loads models without a package; `batches`: whether the core keeps its scorer of record batches; `alone`:
    whether functions run in a Python of the place's own that has no other packages and reads no bytecode;
    `check`: refuses a folder that the place can't run, with its requirements listed and no package found yet;
    `further`: writes further files of a folder out of those that are in it, given the contents of its marker file: the same
    bytes each time.
    """

    architectures: tuple[str, ...] = ("x86_64", "arm64")
    packages: str | None = "."
    beside: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    systems: Mapping[str, System] = field(default_factory=dict)
    layer: str | None = None
    limits: tuple[Limit, ...] = ()
    dockerfile: Callable[[str, bool], str] | None = None
    image: Image | None = None
    reads: tuple[str, ...] = READS
    batches: bool = False
    alone: bool = False
    check: Callable[[Path], None] | None = None
    further: Callable[[Path, Mapping[str, Any]], None] | None = None

    def old_glibc(self, python: str) -> bool:
        """Tell whether the system of this Python version has a C library older than 2.28."""
        return python in self.systems and self.systems[python].glibc < OLD_GLIBC

    @property
    def unzipped_limit(self) -> int | None:
        """The largest size of code and libraries in bytes; None without a limit."""
        return next((one.size for one in self.limits if one.refuses and not one.zipped and "folder" in one.forms), None)


def image_of(folder: Path) -> Path:
    """Return where the image of a built folder is, if `flyweight build --as oci` wrote one."""
    return folder.with_name(f"{folder.name}.oci")


def read_marker(folder: Path) -> dict[str, Any]:
    """Read the marker file of a built folder: its `target`, `runtime` (the Python version), `arch`, model and packages."""
    document: dict[str, Any] = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    return document


def unfit(folder: Path, target: str, python: str = "", machine: str = "") -> str:
    """Say why a folder is not for a target, "" if it is; a folder without a marker file is somebody's own, and is for any.

    :param folder: a folder that `flyweight build` made, or that somebody wrote by hand.
    :param python: the Python version that is to run it, "" for the one that it was built for.
    :param machine: the architecture that is to run it, as wheels name it; one that no wheel names is not compared.
    """
    if not (folder / MARKER).is_file():
        return ""
    try:
        marker = read_marker(folder)
    except (ValueError, OSError) as error:
        return f"{folder / MARKER} can't be read: {error}"
    if not isinstance(marker, dict) or not all(isinstance(marker.get(key), str) for key in ("target", "runtime", "model")):
        return f"{folder / MARKER} does not say what the folder was built for"
    if marker["target"] != target:
        return f"{folder} was built for {marker['target']}, not for {target}"
    arch = marker.get("arch")  # None without packages, when every Python and machine can run the folder
    if arch and python not in ("", marker["runtime"]):
        return f"{folder} has packages for Python {marker['runtime']}, not for {python}"
    if arch and machine in MACHINES.values() and MACHINES.get(str(arch)) != machine:
        return f"{folder} has packages for {arch}, not for {machine}"
    return ""
