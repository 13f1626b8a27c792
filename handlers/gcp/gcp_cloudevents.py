"""Read CloudEvents from a request or from the arguments of another signature, and reply to events.

Binary and structured mode: https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md
"""

import json
from binascii import a2b_base64
from urllib.parse import unquote

from flyweight import strict_json
from flyweight.errors import OK, FlyweightError, status_of
from flyweight.records import failed, raise_failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from flyweight.records import Outcome

    Attributes = dict[str, str]  # those in ATTRIBUTES, and "content_type"

ATTRIBUTES = ("id", "source", "type", "subject", "time")
PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"


def events(sent: "Any", context: "Any" = None) -> "list[tuple[Attributes, Any]]":
    """Read the CloudEvents that a function is called with.

    :param sent: a Flask request in binary or structured mode, a CloudEvent, or the data of a background event.
    :param context: of a background event.
    :returns: the attributes and the data of each event.
    :raises ValueError: a body that is not JSON, or data that is not base64.
    """
    if context is not None:
        return [_background(sent, context)]
    if not hasattr(sent, "method"):
        return [({**_attributes(sent), "content_type": sent.get("datacontenttype") or ""}, sent.data)]
    if "ce-id" in sent.headers:
        attributes = {name: unquote(sent.headers.get(f"ce-{name}", "")) for name in ATTRIBUTES}
        return [({**attributes, "content_type": sent.content_type or ""}, sent.get_data())]
    document = json.loads(sent.get_data())
    return [_structured(event) for event in (document if isinstance(document, list) else [document])]


def data_of(data: "Any") -> "Any":
    """Parse the data of an event, unless the platform has parsed it already."""
    return json.loads(data) if isinstance(data, (bytes, str)) else data


def answered(outcomes: "Sequence[Outcome]", sent: "Any", context: "Any" = None) -> "Any":
    """Reply with the answers, under a status that says whether all is done; a rejected record's answer is a problem document.

    :returns: body, status and headers; None for a signature without a status.
    :raises Exception: the first failure, for a signature without a status.
    """
    if not hasattr(sent, "method"):
        raise_failed(outcomes)
        return None
    statuses = [max(FlyweightError.status, status_of(outcome.error)) for outcome in failed(outcomes) if outcome.error is not None]
    body = strict_json.encode([outcome.answer for outcome in outcomes])
    return body, max(statuses, default=OK), {"content-type": "application/json"}


def request_id(sent: "Any", context: "Any" = None) -> str:
    """Get the id of the execution; "" if the platform gives none."""
    headers: Mapping[str, str] = getattr(sent, "headers", {})
    return headers.get("function-execution-id", "")


def _attributes(event: "Any") -> "Attributes":
    return {name: str(event.get(name) or "") for name in ATTRIBUTES}


def _structured(event: "dict[str, Any]") -> "tuple[Attributes, Any]":
    """Read one event of structured mode."""
    content_type = event.get("datacontenttype") or ""
    attributes = {**_attributes(event), "content_type": content_type}
    if "data_base64" in event:
        return attributes, a2b_base64(event["data_base64"], strict_mode=True)
    data = event.get("data")
    return attributes, data.encode() if isinstance(data, str) and content_type else data


def _background(data: "Any", context: "Any") -> "tuple[Attributes, Any]":
    """Convert data and context to the CloudEvent that they stand for."""
    resource = context.resource
    source = str(resource.get("name") if isinstance(resource, dict) else resource or "")
    attributes = {"id": context.event_id, "source": source, "type": context.event_type, "subject": "", "time": context.timestamp}
    attributes["content_type"] = ""
    if str(context.event_type).startswith("google.pubsub.topic"):
        return {**attributes, "type": PUBLISHED}, {"message": {"messageId": context.event_id, **data}}
    return attributes, data
