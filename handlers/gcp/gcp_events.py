"""Read CloudEvents, Pub/Sub pushes, tasks and schedules; the reply is a status: 2xx means done, 5xx asks to deliver again.

Push: https://cloud.google.com/pubsub/docs/push    Unwrapped: https://cloud.google.com/pubsub/docs/payload-unwrapping
Tasks: https://cloud.google.com/tasks/docs/creating-http-target-tasks
Schedules: https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#HttpTarget
"""

import json
from binascii import a2b_base64
from hashlib import sha256

from gcp_cloudevents import ATTRIBUTES, PUBLISHED, answered, data_of, events, request_id

from flyweight.errors import MalformedRequest
from flyweight.records import Record, Trigger, content_type_of
from flyweight.records.scoring import score

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

EXECUTED = "google.cloud.scheduler.job.v1.executed"
DEFAULT_CONTENT_TYPE = "application/octet-stream"  # what tasks and schedules send if no content type was set
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)  # raised by a body that is not what it should be


def _records(sent: "Any", context: "Any" = None) -> "list[Record]":
    """Make the records of CloudEvents; a request that can't be read becomes one record with its fault.

    :raises Exception: an event of another signature can't be read, and there is no body to keep.
    """
    try:
        return [record for attributes, data in events(sent, context) for record in _record(attributes, data)]
    except UNREADABLE as error:
        if context is not None or not hasattr(sent, "method"):
            raise
        identity, source = sent.headers.get("ce-id"), sent.headers.get("ce-source", "")
        return [_unreadable("event", sent.get_data(), error, source, identity)]


def _unreadable(kind: str, body: bytes, error: Exception, source: str, identity: "str | None" = None) -> Record:
    """Make the record of a body that can't be read; it fails alone and becomes a dead letter."""
    fault = MalformedRequest(f"the {kind} can't be read: {type(error).__name__}: {error}")
    return Record(identity or sha256(body).hexdigest(), body, "", {"source": source}, "", fault)


def _record(attributes: "Mapping[str, str]", data: "Any") -> "list[Record]":
    """Make the records of one CloudEvent."""
    if attributes["type"] == PUBLISHED:
        return _message(data_of(data), attributes["source"])
    content_type = attributes["content_type"]
    if attributes["type"] == EXECUTED:
        data, content_type = a2b_base64((data_of(data) or {}).get("customData") or "", strict_mode=True), ""
        if not data:  # a schedule by which the model is only loaded and checked
            return []
    origin = {"event" if name == "type" else name: attributes[name] for name in ATTRIBUTES[1:] if attributes[name]}
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return [Record(attributes["id"], body, content_type, origin)]


def _message(envelope: "dict[str, Any]", topic: str = "") -> "list[Record]":
    """Make the record of a message; for a bucket's notification, a record of the object if it was created."""
    message = envelope["message"]
    attributes = message.get("attributes") or {}
    if "bucketId" in attributes and "objectId" in attributes and "eventType" in attributes:
        from gcp_files import object_records

        if attributes["eventType"] != "OBJECT_FINALIZE":
            return []
        generation, time = attributes.get("objectGeneration"), attributes.get("eventTime")
        return object_records(attributes["bucketId"], attributes["objectId"], generation, time)
    identity = message.get("messageId") or message["message_id"]
    origin = {"source": envelope.get("subscription") or topic, "time": message.get("publishTime")}
    sequence = message.get("orderingKey") or message.get("ordering_key") or ""
    facts = {"ordering_key": sequence, "attributes": attributes, "attempt": envelope.get("deliveryAttempt")}
    origin |= {name: value for name, value in facts.items() if value}
    content_type = content_type_of(attributes.items())
    data = message.get("data") or ""
    try:
        return [Record(identity, a2b_base64(data, strict_mode=True), content_type, origin, sequence)]
    except ValueError as error:
        fault = MalformedRequest(f"the message's data is not base64: {error}")
        return [Record(identity, data.encode("utf-8", "surrogatepass"), content_type, origin, sequence, fault)]


def _pushed(sent: "Any") -> "list[Record]":
    """Make the record of a push; a push that can't be read becomes a record with its fault."""
    body = sent.get_data()
    try:
        return _message(json.loads(body))
    except UNREADABLE as error:
        return [_unreadable("push", body, error, "push")]


def _unwrapped(sent: "Any") -> "list[Record]":
    """Make the record of an unwrapped push: the body is the message's data, headers hold the rest."""
    names = ("message-id", "subscription-name", "publish-time", "ordering-key")
    identity, source, time, key = (sent.headers.get(f"x-goog-pubsub-{name}", "") for name in names)
    origin = {"source": source, "time": time, **({"ordering_key": key} if key else {})}
    return [Record(identity, sent.get_data(), _content_type(sent), origin, key)]


def _task(sent: "Any") -> "list[Record]":
    """Make the record of a task."""
    names = ("taskname", "queuename", "taskretrycount")
    identity, source, retries = (sent.headers.get(f"x-cloudtasks-{name}", "") for name in names)
    return [Record(identity, sent.get_data(), _content_type(sent), {"source": source, "retries": retries})]


def _schedule(sent: "Any") -> "list[Record]":
    """Make the record of a job's body; none for a job without a body, by which the model is only loaded and checked."""
    job, time = (sent.headers.get(f"x-cloudscheduler-{name}", "") for name in ("jobname", "scheduletime"))
    body = sent.get_data()
    origin = {"source": job, "time": time}
    return [Record(time or sha256(body).hexdigest(), body, _content_type(sent), origin)] if body else []


def _content_type(sent: "Any") -> str:
    """Get the content type of a request; "" for the platform's default, which says nothing."""
    content_type: str = sent.content_type or ""
    return "" if content_type.startswith(DEFAULT_CONTENT_TYPE) else content_type


def _score(predictor: "Predictor", records: "Sequence[Record]", *event: "Any") -> "list[Outcome]":
    """Score the bodies of records, or the files that records name."""
    if any("address" in record.origin for record in records):
        from gcp_files import score_objects

        return score_objects(predictor, records)
    return score(predictor, records)


BINARY = STRUCTURED = CLOUD_EVENT = BACKGROUND = Trigger("event", _records, answered, request_id, score=_score)
PUSH = Trigger("pubsub", _pushed, answered, request_id, score=_score)
UNWRAPPED = Trigger("pubsub", _unwrapped, answered, request_id)
TASK = Trigger("task", _task, answered, request_id)
SCHEDULE = Trigger("schedule", _schedule, answered, request_id)
