"""google-cloud-aiplatform asks a deployed container: its LocalEndpoint directly, its client through the front of the platform."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.conftest import Run


@pytest.fixture(scope="module", params=["", "vertex"])
def found(request: pytest.FixtureRequest, run: Run) -> Any:
    """What the clients got, from all protocols together and from this one alone."""
    return run("vertex", protocols=request.param)


def test_the_local_endpoint_is_healthy_and_predicts(found: Any) -> None:
    assert found["health"] == 200 and found["local"] == {"predictions": ["Gentoo"]}


def test_whole_numbers_that_arrive_as_fractions_are_read(found: Any) -> None:
    """Protobuf's Struct, in which the client sends instances, has no whole numbers."""
    assert found["answers"] == ["Gentoo", "Gentoo"]


def test_parameters_ask_for_several_outputs(found: Any) -> None:
    assert found["keys"] == ["prediction", "probabilities"]


def test_a_fault_is_an_error_of_the_client_that_names_the_instance(found: Any) -> None:
    kind, message = found["wrong"]
    assert kind in ("BadRequest", "InvalidArgument") and "instance 0" in message
