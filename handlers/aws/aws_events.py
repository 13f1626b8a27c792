"""Read events of a bus or a schedule, destinations and batches of a Map state, and reply to them.

Event bus: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
Destinations: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
Batches of a Map state: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

import json

from aws_replies import answers, request_id

from flyweight.records import Record, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.records import Outcome


def _answer(outcomes: "Sequence[Outcome]", *event: "Any") -> "Any":
    """Reply with the answer of the only record; None if there was nothing to score.

    :raises Exception: the record failed.
    """
    return next(iter(answers(outcomes)), None)


def _event(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of the detail; none for a schedule without a detail, by which the model is loaded and checked."""
    if not event["detail"]:
        return []
    source = ",".join(event.get("resources") or [event["source"]])
    origin = {"source": source, "event": event["source"], "detail_type": event["detail-type"], "time": event["time"]}
    return [Record(event["id"], json.dumps(event["detail"]).encode(), "", origin)]


def _destination(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of another function's response or, if that function failed for good, of its request."""
    sender = event["requestContext"]
    payload = event["responsePayload"] if sender["condition"] == "Success" else event["requestPayload"]
    origin = {"source": sender["functionArn"], "condition": sender["condition"], "time": event.get("timestamp")}
    return [Record(sender["requestId"], json.dumps(payload).encode(), "", origin)]


def _items(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each item; an item may be an object that holds many instances."""
    invocation = request_id(event, context)
    return [Record(f"{invocation}/{index}", json.dumps(item).encode()) for index, item in enumerate(event["Items"])]


EVENT = Trigger("event", _event, _answer, request_id, answers=True)
DESTINATION = Trigger("destination", _destination, _answer, request_id, answers=True)
MAP = Trigger("map", _items, answers, request_id, answers=True)
