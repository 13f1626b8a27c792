"""The buckets of tests/services, and small models whose answer tells their version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor

import flyweight
from tests.services.fixtures import az, bucket, gs, s3, servers

__all__ = ["az", "bucket", "gs", "s3", "servers"]


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Model files of `m` in versions 1.0.0 to 5.0.0, each of which answers its number."""
    folder = tmp_path_factory.mktemp("versions")
    made = {}
    for number in range(1, 6):
        made[number] = folder / f"{number}.safetensors"
        estimator = DummyRegressor(strategy="constant", constant=float(number)).fit(np.zeros((4, 1)), np.zeros(4))
        flyweight.pack(estimator, made[number], sample=np.zeros((4, 1)), name="m", version=f"{number}.0.0")
    return made
