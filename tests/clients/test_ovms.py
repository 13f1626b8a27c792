"""OpenVINO's client reads the answers of TensorFlow Serving's REST API."""

from __future__ import annotations

from tests.clients.conftest import Run


def test_status_metadata_predictions_and_errors_are_read(run: Run) -> None:
    found = run("ovms")
    assert found["status"] == {"1": {"state": "AVAILABLE", "error_code": 0, "error_message": ""}}
    assert found["metadata"]["version"] == "1"
    assert found["answer"] == found["version"] == [1, 0]
    assert "has the shape [2, 2]" in found["wrong"]
