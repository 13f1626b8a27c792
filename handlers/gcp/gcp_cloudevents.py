"""Read CloudEvents from a request or from the arguments of another signature, and reply to events.

Binary and structured mode: https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md
"""

import json
from urllib.parse import unquote

from flyweight.errors import MalformedRequest
from flyweight.records import http_replies, raise_failed, records_of, unreadable
from flyweight.records.cloudevents import CloudEvent, events_of, structured
from flyweight.records.fields import fields, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from flyweight.records import Outcome, Record

ATTRIBUTES = ("id", "source", "type", "subject", "time")
PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"


def event_records(make: "Callable[[CloudEvent], Iterable[Record]]", sent: "Any", context: "Any" = None) -> "list[Record]":
    """Make the records of the CloudEvents that a function is called with; an event that can't be read fails alone.

    :param make: makes the records of one event.
    :param sent: a message in binary or structured mode, a CloudEvent, or the data of a background event.
    :param context: of a background event.
    """
    if context is not None:
        known = {"id": getattr(context, "event_id", ""), "type": getattr(context, "event_type", ""), "data": sent}
        return records_of([known], lambda item: make(_background(sent, context)), _unread)
    if not hasattr(sent, "method"):
        known = {**{name: sent.get(name) for name in ATTRIBUTES}, "data": _shown(sent.data)}
        return records_of([known], lambda item: make(_event(sent)), _unread)
    body = body_of(sent)
    if "ce-id" in sent.headers:
        attributes = {name: unquote(sent.headers.get(f"ce-{name}", "")) for name in ATTRIBUTES}
        event = CloudEvent(**attributes, content_type=sent.headers.get("content-type", ""), data=body)
        return records_of([body], lambda item: make(event), lambda item, error: _unread(item, error, attributes))
    try:
        events = events_of(body)
    except MalformedRequest as error:
        return [_unread(body, error)]
    return records_of(events, lambda item: make(structured(item)), _unread)


def body_of(message: "Any") -> bytes:
    """Get the body of a message.

    :raises FlyweightError: it can't be read.
    """
    if message.error is not None:
        raise message.error
    body: bytes = message.body
    return body


def data_of(data: "Any") -> "Any":
    """Parse the data of an event, unless the platform has parsed it already.

    :raises MalformedRequest: it is not JSON.
    """
    if not isinstance(data, (bytes, str)):
        return data
    try:
        return json.loads(data)
    except ValueError as error:
        raise MalformedRequest(f"the event's data is not JSON: {error}") from None
    except RecursionError:
        raise MalformedRequest("the event's data is nested too deeply") from None


def answered(outcomes: "Sequence[Outcome]", sent: "Any", context: "Any" = None) -> "Any":
    """Reply with the answers, under a status that says whether all is done; a rejected record's answer is a problem document.

    :returns: body, status and headers; None for a signature without a status.
    :raises Exception: the first failure, for a signature without a status.
    """
    if not hasattr(sent, "method"):
        raise_failed(outcomes)
        return None
    return http_replies.answered(outcomes)


def refused(error: Exception, request_id: str, sent: "Any", context: "Any" = None) -> "Any":
    """Reply to an event that is not read at all, with a problem document and its status.

    :raises Exception: the error, for a signature without a status.
    """
    if not hasattr(sent, "method"):
        raise error
    return http_replies.refused(error, request_id)


def request_id(sent: "Any", context: "Any" = None) -> str:
    """Get the id of the execution; "" if the platform gives none."""
    headers: Mapping[str, str] = getattr(sent, "headers", {})
    return headers.get("function-execution-id") or headers.get("x-request-id", "")


def _unread(item: "Any", error: Exception, attributes: "Mapping[str, Any] | None" = None) -> "Record":
    """Make the record of an event that can't be read.

    :param attributes: of the event, if they are not in the item itself.
    """
    known = fields(item) if attributes is None else attributes
    return unreadable(item, error, "event", known.get("source"), known.get("id"))


def _shown(data: "Any") -> "Any":
    return data.decode(errors="replace") if isinstance(data, bytes) else data


def _event(event: "Any") -> CloudEvent:
    """Read the CloudEvent of the framework's own library."""
    attributes = {name: str(event.get(name) or "") for name in ATTRIBUTES}
    return CloudEvent(**attributes, content_type=str(event.get("datacontenttype") or ""), data=event.data)


def _background(data: "Any", context: "Any") -> CloudEvent:
    """Convert data and context to the CloudEvent that they stand for."""
    resource = context.resource
    source = text(resource.get("name")) if isinstance(resource, dict) else text(resource)
    identity, kind = text(context.event_id), text(context.event_type)
    if kind.startswith("google.pubsub.topic"):
        kind, data = PUBLISHED, {"message": {"messageId": identity, **data}}
    return CloudEvent(identity, source, kind, "", text(context.timestamp), "", data)
