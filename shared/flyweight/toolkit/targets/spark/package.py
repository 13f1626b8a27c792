"""The layout of a job's folder: its entries, the core also as a zip for the workers, the model, and what submits it."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flyweight.toolkit.building import archive
from flyweight.toolkit.targets.package import PackageSpec

ZIP = "flyweight.zip"


def zipped(draft: Path, marker: Mapping[str, Any]) -> None:
    """Write the core and the modules of the jobs as a zip, which Spark puts on the path of drivers and workers."""
    with tempfile.TemporaryDirectory() as place:
        chosen = Path(place)
        shutil.copytree(draft / "flyweight", chosen / "flyweight", ignore=shutil.ignore_patterns("__pycache__"))
        for path in draft.glob("*.py"):
            shutil.copyfile(path, chosen / path.name)
        archive.write(chosen, draft / ZIP)


# A service or a cluster has Python, pyarrow and NumPy of its own.
PACKAGE = PackageSpec(packages=None, batches=True, further=zipped)
