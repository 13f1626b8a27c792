"""The client that is made from the protocol's own OpenAPI document accepts every answer."""

from __future__ import annotations

from tests.clients.conftest import Run


def test_every_answer_is_of_the_specification(run: Run) -> None:
    found = run("open_inference_openapi")
    assert found["server"]["name"] == "flyweight" and found["model"]["platform"] == "flyweight"
    assert found["answer"] == ["7", "numbers", "predictions", [1, 0]]
    assert found["again"] == ["predictions", "probabilities"]
    assert "should have 4 values, got 6" in found["wrong"] and "no model is called 'x'" in found["absent"]
