"""Read events of a bus or a schedule, destinations and batches of a Map state, and reply to them.

Event bus: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
Scheduler: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html (its default input)
Destinations: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
Batches of a Map state: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

import json

from aws_envelopes import body_of, unwrapped
from aws_items import identity, unread
from aws_replies import answers, request_id

from flyweight.errors import MalformedRequest
from flyweight.records import Record, Trigger, records_of
from flyweight.records.fields import fact, fields, items, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.records import Outcome

SCHEDULES = ("aws.events", "aws.scheduler")
NO_DETAIL: "tuple[Any, ...]" = (None, "", "{}", {})
AS_TEXTS = "application/json; parse_text=true"  # numbers in strings, as in CSV


def _answer(outcomes: "Sequence[Outcome]", *event: "Any") -> "Any":
    """Reply with the answer of the only record; None if there was nothing to score.

    :raises Exception: the record failed.
    """
    return next(iter(answers(outcomes)), None)


def _event(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of the detail; none for a schedule without a detail, by which the model is loaded and checked."""
    if text(event.get("source")) in SCHEDULES and event.get("detail") in NO_DETAIL:
        return []
    return records_of([event], _event_records, lambda item, error: unread(item, error, "event", item.get("id"), _sources(item)))


def _event_records(event: "Any") -> "list[Record]":
    """Make the record of an event of a bus.

    :raises MalformedRequest: it has no detail.
    """
    if "detail" not in event:
        raise MalformedRequest("the field 'detail' is missing")
    origin = {
        "source": _sources(event),
        "event": fact(event.get("source")),
        "detail_type": fact(event.get("detail-type")),
        "time": fact(event.get("time")),
    }
    document, content_type = unwrapped(event["detail"], "", origin)
    return [Record(identity(event.get("id"), event), body_of(document), content_type, origin)]


def _sources(event: "Any") -> str:
    """Join the resources of an event; without any, it is from its source."""
    resources = event.get("resources")
    names = [name for name in resources if isinstance(name, str)] if isinstance(resources, list) else []
    return ",".join(names) or text(event.get("source"))


def _destination(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of another function's response or, if that function failed for good, of its request."""

    def unreadable(item: "Any", error: Exception) -> Record:
        return unread(item, error, "event", fields(item.get("requestContext")).get("requestId"))

    return records_of([event], _destination_records, unreadable)


def _destination_records(event: "Any") -> "list[Record]":
    """Make the record of a destination's event.

    :raises MalformedRequest: the payload that is to be scored is missing.
    """
    sender = fields(event.get("requestContext"))
    name = "responsePayload" if sender.get("condition") == "Success" else "requestPayload"
    if name not in event:
        raise MalformedRequest(f"the field {name!r} is missing")
    origin = {
        "source": text(sender.get("functionArn")),
        "condition": fact(sender.get("condition")),
        "time": fact(event.get("timestamp")),
    }
    return [Record(identity(sender.get("requestId"), event), json.dumps(event[name]).encode(), "", origin)]


def _items(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each item; an item may be an object that holds many instances."""
    invocation = request_id(event, context)

    def made(pair: "tuple[int, Any]") -> "list[Record]":
        place, item = pair
        return [Record(f"{invocation}/{place}", json.dumps(item).encode(), _item_type(item))]

    def unreadable(pair: "tuple[int, Any]", error: Exception) -> Record:
        return unread(pair[1], error, "item", f"{invocation}/{pair[0]}")

    return records_of(enumerate(items(event.get("Items"))), made, unreadable)


def _item_type(item: "Any") -> str:
    """Choose the content type of an item: a distributed map that reads CSV gives all values of a row as strings."""
    rows = isinstance(item, dict) and bool(item) and all([isinstance(value, str) for value in item.values()])
    return AS_TEXTS if rows else ""


EVENT = Trigger("event", _event, _answer, request_id, answers=True)
DESTINATION = Trigger("destination", _destination, _answer, request_id, answers=True)
MAP = Trigger("map", _items, answers, request_id, answers=True)
