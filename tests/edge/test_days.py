"""Half a simulated day of the agent as a process, with cut lines and new models: a short `benchmarks.edge --hours 72`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.edge_days import STORE_BYTES, lived


@pytest.mark.slow
def test_for_half_a_day_nothing_grows_is_lost_or_comes_twice(tmp_path: Path) -> None:
    days = lived(12, tmp_path)
    assert (len(days.told), len(days.arrived), days.lost, days.twice) == (720, 720, 0, 0)
    early, late = days.readings
    assert [own["model"] for own in (early, late)] == ["penguins/2.0.0", "penguins/3.0.0"]
    assert late["trouble"] == {} and late["files"] == early["files"]
    assert late["bytes"] < STORE_BYTES + (1 << 20)
    assert late["resident"] - early["resident"] < 1 << 20
