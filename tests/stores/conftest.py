"""The buckets of tests/services, and a store of each kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flyweight.stores import open_store
from tests.services.fixtures import PATIENT, az, bucket, gs, s3, servers

if TYPE_CHECKING:
    from flyweight.stores import Store

__all__ = ["az", "bucket", "gs", "s3", "servers"]


@pytest.fixture(params=["file", "s3", "gs", "az"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind in turn."""
    return _opened(request, tmp_path)


@pytest.fixture(params=["file", "s3", "az"])
def strict(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind whose server obeys conditions: fake-gcs-server does not, see test_objects.py."""
    return _opened(request, tmp_path)


def _opened(request: pytest.FixtureRequest, folder: Path) -> Store:
    if request.param == "file":
        return open_store(f"file://{folder}/sub folder", PATIENT)
    opened: Store = request.getfixturevalue(request.param).open()
    return opened
