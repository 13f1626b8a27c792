"""kserve's client reads every answer of its protocols v1 and v2."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.conftest import Run

# kserve's client takes a server of v1 for live if `GET /` says so in KServe's words; after native it has native's
FIRST = "kserve open_inference native"


@pytest.fixture(scope="module")
def found(run: Run) -> Any:
    """What the client got."""
    return run("kserve", protocols=FIRST)


def test_v1_has_health_readiness_and_predictions(found: Any) -> None:
    assert (found["v1"]["live"], found["v1"]["ready"]) == (True, True)
    assert found["v1"]["answers"] == [{"predictions": ["Gentoo", "Gentoo"]}] * 2


def test_v1_has_errors_with_the_status_400(found: Any) -> None:
    assert "400" in found["v1"]["wrong"]


def test_v2_has_json_and_bytes_in_both_directions(found: Any) -> None:
    assert (found["v2"]["live"], found["v2"]["ready"]) == (True, [True, True])
    assert len(found["v2"]["labels"]) == 4
    assert all(answer == ["Gentoo", "7"] for answer in found["v2"]["labels"].values()), found["v2"]["labels"]
