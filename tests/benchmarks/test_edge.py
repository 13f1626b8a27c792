"""Asking the cloud for what the edge is unsure of gains accuracy, for a share of the instances."""

from __future__ import annotations

import sys

import pytest

from flyweight.toolkit import resources

sys.path.extend(str(resources.folder("handlers") / name) for name in ("server", "edge"))


@pytest.mark.slow
def test_a_higher_confidence_asks_for_more_and_is_right_more_often() -> None:
    from benchmarks.edge import THRESHOLDS, hybrid

    table = hybrid()
    asked, right = ([float(cell.rstrip("%")) for cell in table.columns[place].cells] for place in (1, 2))
    assert table.row_count == len(THRESHOLDS) + 1
    assert asked == sorted(asked) and asked[0] == 0.0 and asked[-1] == 100.0
    assert right[0] < right[-1] and max(right[1:-2]) > right[0] + 5.0
