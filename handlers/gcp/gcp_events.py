"""Read CloudEvents, Pub/Sub pushes, tasks and schedules; the reply is a status: 2xx means done, 5xx asks to deliver again.

Push: https://cloud.google.com/pubsub/docs/push    Unwrapped: https://cloud.google.com/pubsub/docs/payload-unwrapping
Pull: https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/pull
Tasks: https://cloud.google.com/tasks/docs/creating-http-target-tasks
Schedules: https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#HttpTarget
Events of Google: https://cloud.google.com/eventarc/docs/event-types
"""

import json
from hashlib import sha256

from gcp_cloudevents import PUBLISHED, answered, body_of, data_of, event_records, refused, request_id
from gcp_senders import check

from flyweight.errors import MalformedRequest, NotServed
from flyweight.records import Record, Trigger, content_type_of, records_of, unreadable
from flyweight.records.cloudevents import MEDIA_TYPE, events_of, record_of, structured
from flyweight.records.fields import decoded, fact, fields, items, text
from flyweight.records.scoring import score

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome
    from flyweight.records.cloudevents import CloudEvent

EXECUTED = "google.cloud.scheduler.job.v1.executed"
FINALIZED = ("google.cloud.storage.object.v1.finalized", "google.storage.object.finalize")  # an object was written whole
STORED = ("google.cloud.storage.object.v1.", "google.storage.object.")  # these and the events about deletions and metadata
OWN = ("google.", "providers/")  # Google's own events begin with these, today's and those of background functions
NOTIFICATION = ("bucketId", "objectId", "eventType")  # the attributes of a message that a bucket sends about an object


def _events(sent: "Any", context: "Any" = None) -> "list[Record]":
    """Make the records of CloudEvents."""
    return event_records(_event, sent, context)


def _event(event: "CloudEvent") -> "Iterable[Record]":
    """Make the records of one CloudEvent.

    :raises MalformedRequest: its data is not what its type says.
    :raises NotServed: it is one of Google's own events that has no instances.
    """
    kind = event.type
    if kind == PUBLISHED:
        return _message(data_of(event.data), event.source)
    if kind in FINALIZED:
        from gcp_files import finalized_records

        return finalized_records(data_of(event.data))
    if kind.startswith(STORED):  # an object was deleted or archived, or its metadata changed: there is nothing to score
        return []
    if kind == EXECUTED:
        body = decoded(fields(data_of(event.data)).get("customData"), "customData")
        # without data it is a schedule by which the model is only loaded and checked
        return [record_of(event._replace(data=body, content_type=""), {})] if body else []
    if kind.startswith(OWN):
        raise NotServed(f"events of the type {kind[:200]!r} are not served; see docs/triggers.md")
    record = record_of(event, {})
    return [record if record.id else record._replace(id=sha256(record.body).hexdigest())]


def _message(envelope: "Any", topic: str = "") -> "Iterable[Record]":
    """Make the records of a message: one, or that of an object for a bucket's notification, or those of the CloudEvents in it.

    :raises MalformedRequest: there is no message.
    """
    message = fields(envelope).get("message")
    if not isinstance(message, dict):
        raise MalformedRequest("the field 'message' is missing, or no object")
    attributes = fields(message.get("attributes"))
    if all([name in attributes for name in NOTIFICATION]):
        from gcp_files import notified_records

        return notified_records(attributes)
    sequence = text(message.get("orderingKey") or message.get("ordering_key"))
    origin = {"source": text(envelope.get("subscription")) or topic, "time": fact(message.get("publishTime"))}
    facts = {"ordering_key": sequence, "attributes": attributes, "attempt": fact(envelope.get("deliveryAttempt"))}
    origin |= {name: value for name, value in facts.items() if value}
    content_type = content_type_of(attributes.items())
    data = message.get("data")
    identity = text(message.get("messageId") or message.get("message_id")) or sha256(json.dumps(message).encode()).hexdigest()
    try:
        record = Record(identity, decoded(data, "data"), content_type, origin, sequence)
    except MalformedRequest as error:
        body = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else json.dumps(data).encode()
        return [Record(identity, body, content_type, origin, sequence, error)]
    return _enveloped(record) if content_type.startswith(MEDIA_TYPE) else [record]


def _enveloped(record: Record) -> "list[Record]":
    """Make the records of the CloudEvents in a message; they keep the message's place in its sequence."""
    try:
        events = events_of(record.body)
    except MalformedRequest as error:
        return [unreadable(record.body, error, "event", record.origin["source"], record.id, record.sequence)]

    def read(event: "Any") -> "list[Record]":
        made = record_of(structured(event), {**record.origin, "message": record.id})
        return [made._replace(id=f"{record.id}/{made.id}", sequence=record.sequence)]

    return records_of(events, read, lambda event, error: _unread(event, error, record))


def _unread(event: "Any", error: Exception, message: Record) -> Record:
    """Make the record of an event that can't be read, in a message."""
    record = unreadable(event, error, "event", message.origin["source"], None, message.sequence)
    return record._replace(id=f"{message.id}/{record.id}")


def _pushed(sent: "Any") -> "list[Record]":
    """Make the records of a push, or of the answer of a pull that somebody posts."""
    body = body_of(sent)
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError) as error:
        return [unreadable(body, error, "push", "push")]
    pulled = fields(envelope).get("receivedMessages")
    return records_of(
        [envelope] if pulled is None else items(pulled),
        _message,
        lambda item, error: unreadable(item, error, "message", text(fields(item).get("subscription")) or "push"),
    )


def _unwrapped(sent: "Any") -> "list[Record]":
    """Make the record of an unwrapped push: the body is the message's data, headers hold the rest, its attributes among it."""
    headers = sent.headers
    if all([name.lower() in headers for name in NOTIFICATION]):
        from gcp_files import notified_records

        attributes = {name: headers.get(name.lower()) for name in (*NOTIFICATION, "objectGeneration", "eventTime")}
        return records_of([attributes], notified_records, lambda item, error: unreadable(item, error, "push", "push"))
    names = ("message-id", "subscription-name", "publish-time", "ordering-key")
    identity, source, time, key = (headers.get(f"x-goog-pubsub-{name}", "") for name in names)
    origin = {"source": source, "time": time, **({"ordering_key": key} if key else {})}
    body = body_of(sent)
    return [Record(identity or sha256(body).hexdigest(), body, sent.headers.get("content-type", ""), origin, key)]


def _task(sent: "Any") -> "list[Record]":
    """Make the record of a task."""
    names = ("taskname", "queuename", "taskretrycount")
    identity, source, retries = (sent.headers.get(f"x-cloudtasks-{name}", "") for name in names)
    body, origin = body_of(sent), {"source": source, "retries": retries}
    return [Record(identity or sha256(body).hexdigest(), body, sent.headers.get("content-type", ""), origin)]


def _schedule(sent: "Any") -> "list[Record]":
    """Make the record of a job's body; none for a job without a body, by which the model is only loaded and checked.

    :raises Forbidden: there is a body, and the sender may not send events.
    """
    job, time = (sent.headers.get(f"x-cloudscheduler-{name}", "") for name in ("jobname", "scheduletime"))
    body = body_of(sent)
    if not body:
        return []
    check(sent)
    return [Record(time or sha256(body).hexdigest(), body, sent.headers.get("content-type", ""), {"source": job, "time": time})]


def _checked(records: "Callable[[Any], list[Record]]") -> "Callable[[Any], list[Record]]":
    """Make the records of a request only if its sender may send events."""

    def of_known_senders(sent: "Any") -> "list[Record]":
        check(sent)
        return records(sent)

    return of_known_senders


def _score(predictor: "Predictor", records: "Sequence[Record]", *event: "Any") -> "list[Outcome]":
    """Score the bodies of records, or the files that records name."""
    if any("address" in record.origin for record in records):
        from gcp_files import score_objects

        return score_objects(predictor, records)
    return score(predictor, records)


def _trigger(name: str, records: "Callable[..., list[Record]]") -> Trigger:
    return Trigger(name, records, answered, request_id, score=_score, refuse=refused)


BINARY = STRUCTURED = _trigger("event", _checked(_events))
STORED_BINARY = _trigger("object", _checked(_events))
CLOUD_EVENT = BACKGROUND = _trigger("event", _events)  # functions that serve events alone: the platform says who may call them
STORED_CLOUD_EVENT = STORED_BACKGROUND = _trigger("object", _events)
PUSH = _trigger("pubsub", _checked(_pushed))
UNWRAPPED = _trigger("pubsub", _checked(_unwrapped))
TASK = _trigger("task", _checked(_task))
SCHEDULE = _trigger("schedule", _schedule)
