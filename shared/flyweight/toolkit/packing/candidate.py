"""What a model file would hold for one engine, and what every maker of candidates needs to build it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


class EngineSkipped(Exception):
    """An engine can't run this estimator; the message says why. `EngineSelection` catches it and keeps the reason."""


@dataclass(frozen=True)
class Candidate:
    """The content of a model file for one engine, before parity is proved.

    :param engine: the engine's name.
    :param entries: what this engine adds to the file's document.
    :param arrays: the arrays that the file holds beside the document, by name.
    :param requires: the packages that the engine needs in a function, each with the version that made the file.
    """

    engine: str
    entries: dict[str, Any]
    arrays: dict[str, np.ndarray[Any, Any]]
    requires: dict[str, str] = field(default_factory=dict)


def as_bytes(data: bytes) -> np.ndarray[Any, Any]:
    """Wrap the bytes of a foreign model as the U8 tensor that a model file holds.

    :returns: a uint8 array of shape (bytes,).
    """
    import numpy as np

    return np.frombuffer(data, np.uint8)


def versions(*packages: str) -> dict[str, str]:
    """Look up the installed version of each package.

    :raises importlib.metadata.PackageNotFoundError: a package is not installed.
    """
    from importlib import metadata

    return {package: metadata.version(package) for package in packages}
