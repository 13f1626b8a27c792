"""Every line that a dry run prints is one that gcloud takes, as far as that can be told without an account."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.targets.gcp.gcloud import complaints, needs_gcloud


@needs_gcloud
@pytest.mark.parametrize("target", ["gcp", "cloudrun"])
def test_gcloud_takes_every_line(target: str, printed: Callable[[str], list[str]], tmp_path: Path) -> None:
    lines = printed(target)
    assert len(lines) > 10 and all(line.startswith("gcloud ") for line in lines)
    assert complaints(lines, tmp_path) == []
