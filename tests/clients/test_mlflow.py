"""MLflow's client waits for the server, sends data frames with NaN and parameters, and reads answers and errors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.conftest import Run


@pytest.fixture(scope="module")
def found(run: Run) -> Any:
    """What the client got."""
    return run("mlflow")


def test_a_data_frame_has_one_label_a_row(found: Any) -> None:
    assert found["answers"] == ["Gentoo", "Gentoo"]


def test_parameters_ask_for_several_outputs(found: Any) -> None:
    assert found["keys"] == ["prediction", "probabilities"]


def test_an_error_names_the_feature(found: Any) -> None:
    assert "BAD_REQUEST" in found["wrong"] and "year" in found["wrong"]
