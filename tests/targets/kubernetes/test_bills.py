"""The bill of a cluster reckoned by hand from the table of prices."""

from __future__ import annotations

import pytest

from tests.toolkit.costs.bills import TEN, amounts, named, planned


def test_a_cluster_has_a_control_plane_three_nodes_and_a_balancer() -> None:
    told = amounts(named("Kubernetes", TEN))
    assert told["control plane"] == pytest.approx(73) and told["nodes (t4g.small)"] == pytest.approx(3 * 730 * 0.0168)
    assert told["load balancer"] == pytest.approx(730 * 0.0225)


def test_a_model_on_a_cluster_adds_its_image() -> None:
    assert planned("kubernetes", TEN)["image kept, GB"] == pytest.approx(0.0001)  # 1 MB x 0.10
