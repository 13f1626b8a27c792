"""Find the model that Azure Machine Learning has mounted for a deployment or a batch job.

A registered file is in the folder that AZUREML_MODEL_DIR names, a registered folder is one level below it:
https://learn.microsoft.com/azure/machine-learning/concept-online-deployment-model-specification
"""

import os

from flyweight.errors import InvalidSetting
from flyweight.settings import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOUNT = "AZUREML_MODEL_DIR"
SUFFIX = ".safetensors"


def mounted() -> str:
    """Find the only model file that is mounted.

    :returns: its path; "" if none is mounted: then the model is in the handler's folder, or where FLYWEIGHT_MODEL says.
    :raises InvalidSetting: several are mounted, and FLYWEIGHT_MODEL names none of them.
    """
    place = variable(MOUNT)
    if not place or variable("FLYWEIGHT_MODEL"):
        return ""
    if os.path.isfile(place):
        return place
    found = _files(place) or [path for folder in _entries(place, os.path.isdir) for path in _files(folder)]
    if len(found) > 1:
        listed = ", ".join([os.path.relpath(path, place) for path in found[:5]])
        raise InvalidSetting(f"{MOUNT} has several model files: {listed}; name one in FLYWEIGHT_MODEL")
    return found[0] if found else ""


def _files(folder: str) -> "list[str]":
    return [path for path in _entries(folder, os.path.isfile) if path.endswith(SUFFIX)]


def _entries(folder: str, kind: "Callable[[str], bool]") -> "list[str]":
    """List the paths of one kind in a folder, sorted; [] if there is no such folder."""
    try:
        return [path for name in sorted(os.listdir(folder)) if kind(path := os.path.join(folder, name))]
    except OSError:
        return []
