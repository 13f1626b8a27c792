"""Events from a bus or a schedule, destinations and Map batches to records, and their replies.

Event bus: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
Destinations: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
Batches of a Map state: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

import json

from aws_triggers import request_id

from flyweight import strict_json
from flyweight.records import Record, Trigger, raise_failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.records import Outcome


def answers(outcomes: "Sequence[Outcome]", *event: "Any") -> "Any":
    """The answers in their order, problem documents among them.

    :raises Exception: what failed for now; Lambda, or the state machine, tries again.
    """
    raise_failed(outcomes)
    return json.loads(strict_json.encode([outcome.answer for outcome in outcomes]))


def _answer(outcomes: "Sequence[Outcome]", *event: "Any") -> "Any":
    """The one answer, or None where there was nothing to score."""
    return next(iter(answers(outcomes)), None)


def _event(event: "Any", context: "Any") -> "list[Record]":
    """The detail; a schedule without one only has the model loaded and checked."""
    if not event["detail"]:
        return []
    source = ",".join(event.get("resources") or [event["source"]])
    origin = {"source": source, "event": event["source"], "detail_type": event["detail-type"], "time": event["time"]}
    return [Record(event["id"], json.dumps(event["detail"]).encode(), "", origin)]


def _destination(event: "Any", context: "Any") -> "list[Record]":
    """What another function returned or, where it failed for good, what it had been given."""
    asked = event["requestContext"]
    done = asked["condition"] == "Success"
    payload = event["responsePayload"] if done else event["requestPayload"]
    origin = {"source": asked["functionArn"], "condition": asked["condition"], "time": event.get("timestamp")}
    return [Record(asked["requestId"], json.dumps(payload).encode(), "", origin)]


def _items(event: "Any", context: "Any") -> "list[Record]":
    """A record an item; where they are objects that hold instances each may hold many."""
    invocation = request_id(event, context)
    return [Record(f"{invocation}/{place}", json.dumps(item).encode()) for place, item in enumerate(event["Items"])]


EVENT = Trigger("event", _event, _answer, request_id, answers=True)
DESTINATION = Trigger("destination", _destination, _answer, request_id, answers=True)
MAP = Trigger("map", _items, answers, request_id, answers=True)
