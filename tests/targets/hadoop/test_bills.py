"""The bill of a cluster of one's own: none."""

from __future__ import annotations

from tests.toolkit.costs.bills import TEN, planned


def test_a_cluster_of_ones_own_has_no_bill() -> None:
    assert planned("hadoop", TEN) == {"hardware": 0.0}
