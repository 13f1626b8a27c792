"""What event buses, destinations and Map states send, and the answers that they get."""

from __future__ import annotations

import json

from tests.targets.aws.events import folder, read, reply, sample

__all__ = ["folder"]


def test_answers_are_strict_json() -> None:
    assert reply(sample("map"), "scored", "scored", "rejected")[0]["n"] is None
    assert reply(sample("eventbridge"), "scored")["n"] is None


def test_a_destination_of_a_failure_scores_the_request() -> None:
    event = sample("destination")
    event["requestContext"]["condition"], event["requestPayload"] = "RetriesExhausted", [{"sex": "male"}]
    assert json.loads(read(event)[0].body) == [{"sex": "male"}]
