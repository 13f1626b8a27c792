"""CloudEvents, Pub/Sub pushes, tasks, schedules to records; the reply is a status: 2xx is done with it, 5xx asks for it again.

Binary and structured mode: https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md
Push: https://cloud.google.com/pubsub/docs/push    Unwrapped: https://cloud.google.com/pubsub/docs/payload-unwrapping
Tasks: https://cloud.google.com/tasks/docs/creating-http-target-tasks
Schedules: https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#HttpTarget
"""

import json
from binascii import a2b_base64
from hashlib import sha256
from urllib.parse import unquote

from flyweight import strict_json
from flyweight.errors import OK, FlyweightError, MalformedRequest, status_of
from flyweight.records import Record, Trigger, content_type_of, failed, raise_failed
from flyweight.records.scoring import score

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

ATTRIBUTES = ("id", "source", "type", "subject", "time")
PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
EXECUTED = "google.cloud.scheduler.job.v1.executed"
UNTOLD = "application/octet-stream"  # what tasks and schedules say where nobody told them a content type


def events(sent: "Any", context: "Any" = None) -> "list[tuple[dict[str, str], Any]]":
    """The attributes and the data of each CloudEvent in what came: a request in either mode, or what a signature passes."""
    if context is not None:
        return [_background(sent, context)]
    if not hasattr(sent, "method"):
        attributes = {**{name: str(sent.get(name) or "") for name in ATTRIBUTES}, "media": sent.get("datacontenttype") or ""}
        return [(attributes, sent.data)]
    if "ce-id" in sent.headers:
        told = {name: unquote(sent.headers.get(f"ce-{name}", "")) for name in ATTRIBUTES}
        return [({**told, "media": sent.content_type or ""}, sent.get_data())]
    document = json.loads(sent.get_data())
    return [_structured(event) for event in (document if isinstance(document, list) else [document])]


def _structured(event: "dict[str, Any]") -> "tuple[dict[str, str], Any]":
    attributes = {name: str(event.get(name) or "") for name in ATTRIBUTES}
    attributes["media"] = event.get("datacontenttype") or ""
    if "data_base64" in event:
        return attributes, a2b_base64(event["data_base64"], strict_mode=True)
    data = event.get("data")
    return attributes, data.encode() if isinstance(data, str) and attributes["media"] else data


def _background(data: "Any", context: "Any") -> "tuple[dict[str, str], Any]":
    """Data and context as the CloudEvent that they stand for."""
    resource = context.resource
    source = str(resource.get("name") if isinstance(resource, dict) else resource or "")
    told = {"id": context.event_id, "source": source, "type": context.event_type, "subject": "", "time": context.timestamp}
    if str(context.event_type).startswith("google.pubsub.topic"):
        return {**told, "type": PUBLISHED, "media": ""}, {"message": {"messageId": context.event_id, **data}}
    return {**told, "media": ""}, data


def _records(sent: "Any", context: "Any" = None) -> "list[Record]":
    """A record an event; what claims to be an event and can't be read is one as well, with its fault."""
    try:
        return [record for attributes, data in events(sent, context) for record in _record(attributes, data)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if context is not None or not hasattr(sent, "method"):
            raise  # there is no body to keep
        body = sent.get_data()
        fault = MalformedRequest(f"the event can't be read: {type(error).__name__}: {error}")
        name = sent.headers.get("ce-id") or sha256(body).hexdigest()
        return [Record(name, body, "", {"source": sent.headers.get("ce-source", "")}, "", fault)]


def _record(attributes: "Mapping[str, str]", data: "Any") -> "list[Record]":
    if attributes["type"] == PUBLISHED:
        return _message(_value(data), attributes["source"])
    media = attributes["media"]
    if attributes["type"] == EXECUTED:
        data, media = a2b_base64((_value(data) or {}).get("customData") or "", strict_mode=True), ""
        if not data:  # only to have the model loaded and checked
            return []
    origin = {"event" if name == "type" else name: attributes[name] for name in ATTRIBUTES[1:] if attributes[name]}
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return [Record(attributes["id"], body, media, origin)]


def _value(data: "Any") -> "Any":
    return json.loads(data) if isinstance(data, (bytes, str)) else data


def _message(envelope: "dict[str, Any]", topic: str = "") -> "list[Record]":
    """A record of a message; of a bucket's notification one of the object, where one is there now."""
    message = envelope["message"]
    attributes = message.get("attributes") or {}
    if "bucketId" in attributes and "objectId" in attributes and "eventType" in attributes:
        from gcp_files import landed

        generation, time = attributes.get("objectGeneration"), attributes.get("eventTime")
        there = attributes["eventType"] == "OBJECT_FINALIZE"
        return landed(attributes["bucketId"], attributes["objectId"], generation, time) if there else []
    name = message.get("messageId") or message["message_id"]
    origin = {"source": envelope.get("subscription") or topic, "time": message.get("publishTime")}
    sequence = message.get("orderingKey") or message.get("ordering_key") or ""
    told = {"ordering_key": sequence, "attributes": attributes, "attempt": envelope.get("deliveryAttempt")}
    origin |= {key: value for key, value in told.items() if value}
    media = content_type_of(attributes.items())
    data = message.get("data") or ""
    try:
        return [Record(name, a2b_base64(data, strict_mode=True), media, origin, sequence)]
    except ValueError as error:
        fault = MalformedRequest(f"the message's data can't be decoded: {error}")
        return [Record(name, data.encode("utf-8", "surrogatepass"), media, origin, sequence, fault)]


def _pushed(sent: "Any") -> "list[Record]":
    """The message of a push, which fails alone."""
    body = sent.get_data()
    try:
        return _message(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        fault = MalformedRequest(f"the push can't be read: {type(error).__name__}: {error}")
        return [Record(sha256(body).hexdigest(), body, "", {"source": "push"}, "", fault)]


def _unwrapped(sent: "Any") -> "list[Record]":
    """A push that is the message's data alone, with what is known of it in headers."""
    names = ("message-id", "subscription-name", "publish-time", "ordering-key")
    identity, source, time, key = (sent.headers.get(f"x-goog-pubsub-{name}", "") for name in names)
    origin = {"source": source, "time": time, **({"ordering_key": key} if key else {})}
    return [Record(identity, sent.get_data(), _media(sent), origin, key)]


def _task(sent: "Any") -> "list[Record]":
    names = ("taskname", "queuename", "taskretrycount")
    identity, source, retries = (sent.headers.get(f"x-cloudtasks-{name}", "") for name in names)
    return [Record(identity, sent.get_data(), _media(sent), {"source": source, "retries": retries})]


def _schedule(sent: "Any") -> "list[Record]":
    """The job's body; without one the model is only loaded and checked."""
    job, time = (sent.headers.get(f"x-cloudscheduler-{name}", "") for name in ("jobname", "scheduletime"))
    body = sent.get_data()
    return [Record(time or sha256(body).hexdigest(), body, _media(sent), {"source": job, "time": time})] if body else []


def _media(sent: "Any") -> str:
    media: str = sent.content_type or ""
    return "" if media.startswith(UNTOLD) else media


def _scored(predictor: "Predictor", records: "Sequence[Record]", *event: "Any") -> "list[Outcome]":
    """The outcomes of bodies by one predict; where an object is named, of its file."""
    if any("address" in record.origin for record in records):
        from gcp_files import scored

        return scored(predictor, records)
    return score(predictor, records)


def answered(outcomes: "Sequence[Outcome]", sent: "Any", context: "Any" = None) -> "Any":
    """The answers, problem documents among them, under a status that says whether all is done.

    :raises Exception: what failed for now, where the function's signature has no other way to say it.
    """
    if not hasattr(sent, "method"):
        raise_failed(outcomes)
        return None
    statuses = [max(FlyweightError.status, status_of(outcome.error)) for outcome in failed(outcomes) if outcome.error is not None]
    body = strict_json.encode([outcome.answer for outcome in outcomes])
    return body, max(statuses, default=OK), {"content-type": "application/json"}


def request_id(sent: "Any", context: "Any" = None) -> str:
    """The id of the execution, where the platform gives one."""
    headers: Mapping[str, str] = getattr(sent, "headers", {})
    return headers.get("function-execution-id", "")


BINARY = STRUCTURED = CLOUD_EVENT = BACKGROUND = Trigger("event", _records, answered, request_id, score=_scored)
PUSH = Trigger("pubsub", _pushed, answered, request_id, score=_scored)
UNWRAPPED = Trigger("pubsub", _unwrapped, answered, request_id)
TASK = Trigger("task", _task, answered, request_id)
SCHEDULE = Trigger("schedule", _schedule, answered, request_id)
