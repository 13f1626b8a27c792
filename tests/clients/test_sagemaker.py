"""SageMaker's SDK sends what its serializers write, reads the answers, and its own batch transform engine keeps every line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.conftest import Run

LABELS = ["Gentoo", "Adelie"]


@pytest.fixture(scope="module", params=["", "sagemaker"])
def found(request: pytest.FixtureRequest, run: Run) -> Any:
    """What the client got, from all protocols together and from this one alone."""
    return run("sagemaker", protocols=request.param)


def test_json_csv_and_json_lines_have_an_answer_for_each_row(found: Any) -> None:
    assert found["json"] == {"predictions": LABELS}
    assert found["csv"] == [[label] for label in LABELS]
    assert found["lines"] == LABELS


def test_arrays_of_numpy_go_to_the_model_that_the_header_names(found: Any) -> None:
    assert len(found["numbers"]) == 2 and {*found["numbers"]} <= {0, 1}


def test_batch_transform_has_a_line_for_each_line_of_the_file(found: Any) -> None:
    lines = "Gentoo\nAdelie\nGentoo\n"
    assert found["transformed"] == {"SingleRecord": lines, "MultiRecord": lines}


def test_a_fault_has_its_status_and_names_the_instance(found: Any) -> None:
    status, body = found["wrong"]
    assert status == 400 and "instance 0" in body
