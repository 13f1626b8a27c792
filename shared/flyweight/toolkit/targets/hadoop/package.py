"""The layout of a folder for Hadoop: the mapper, the core and the model in one file, and the script that submits it."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flyweight.settings import ADDRESS_FILE
from flyweight.toolkit.building import archive
from flyweight.toolkit.building.assembly import MODEL, REQUIREMENTS
from flyweight.toolkit.errors import BuildFailed
from flyweight.toolkit.targets.package import PackageSpec

MAPPER = "mapper.pyz"
MAIN = "from hadoop_main import main\n\nmain()\n"  # every Python 3 can read it
SHEBANG = b"#!/usr/bin/env python3\n"


def refuse_unfit(folder: Path) -> None:
    """Check that a node's plain Python can run the model.

    :raises BuildFailed: the model, or the store of its address, needs a package, which no node of a cluster has for sure.
    """
    listed = folder / REQUIREMENTS
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    packages = [line for line in lines if line and not line.startswith("#")]
    if packages:
        words = f"a mapper runs under a node's plain Python, and this one needs {', '.join(packages)}"
        raise BuildFailed(words, "pack the model with --engine pure; a model's address is a file, or at webhdfs://")


def write_mapper(folder: Path, marker: Mapping[str, Any]) -> None:
    """Write the mapper's file: a zip that Python runs, as https://docs.python.org/3/library/zipapp.html describes it."""
    with tempfile.TemporaryDirectory() as place:
        parts = Path(place)
        shutil.copytree(folder / "flyweight", parts / "flyweight", ignore=shutil.ignore_patterns("__pycache__"))
        for path in [*folder.glob("*.py"), folder / MODEL, folder / ADDRESS_FILE]:
            if path.is_file():  # there is the model or its address
                shutil.copyfile(path, parts / path.name)
        (parts / "__main__.py").write_text(MAIN, encoding="utf-8", newline="\n")
        with (folder / MAPPER).open("wb") as out:
            out.write(SHEBANG)
            archive.write(parts, out)
    (folder / MAPPER).chmod(0o755)


PACKAGE = PackageSpec(packages=None, check=refuse_unfit, further=write_mapper)
