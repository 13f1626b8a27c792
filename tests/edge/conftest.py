"""The modules of `handlers/edge`, and small models whose answer tells their version."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flyweight.toolkit import resources
from tests.versions import bucket, s3, servers, versions

__all__ = ["bucket", "s3", "servers", "versions"]

for folder in ("server", "edge"):
    place = str(resources.folder("handlers") / folder)
    if place not in sys.path:
        sys.path.append(place)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder of a device's state."""
    return tmp_path / "state"
