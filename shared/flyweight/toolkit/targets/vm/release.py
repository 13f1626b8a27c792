"""Pack a built folder as a release: a zip whose sha256 is its name, which a machine checks before it unpacks it."""

import hashlib
from pathlib import Path

from flyweight.toolkit.building import archive
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.package import MARKER, read_marker

HOME = "/opt/flyweight"  # on a machine: a folder for each model, in it one for each release
PYTHON = "3.12"  # of Ubuntu 24.04, whose image the templates name


def packed(deployment: Deployment) -> tuple[Path, str]:
    """Write the folder's zip to the work folder.

    :returns: its path, which has the name of the release in it, and that name: the zip's sha256.
    """
    deployment.work.mkdir(parents=True, exist_ok=True)
    draft = deployment.work / f"{deployment.name}.zip"
    archive.write(deployment.folder, draft)
    name = hashlib.sha256(draft.read_bytes()).hexdigest()
    return draft.replace(draft.with_name(f"{name}.zip")), name


def refuse_python(folder: Path) -> None:
    """Check that the system of a cloud's machines runs the folder.

    :raises DeployFailed: the folder has packages for another Python.
    """
    made = read_marker(folder) if (folder / MARKER).is_file() else {}
    if made.get("arch") and made["runtime"] != PYTHON:
        message = f"{folder} has packages for Python {made['runtime']}, and the machines have {PYTHON}"
        raise DeployFailed(message, f"build it for them: flyweight build vm --python {PYTHON} --model FILE")
