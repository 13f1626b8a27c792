"""Read what Azure's triggers pass to a function; for a failure an error is raised, and the host delivers all records again.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages
A Storage queue's message comes five times, then goes to NAME-poison; a Service Bus message as often as its queue says, then it
is a dead letter there; an Event Hubs batch comes until it is done; an Event Grid event is tried for a day.
"""

import json
from time import monotonic

from flyweight.records import Record, Trigger, content_type_of, raise_failed
from flyweight.records.scoring import score

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

BLOB_CREATED = "Microsoft.Storage.BlobCreated"
# seconds for which a file is scored before the rest waits for the next delivery: Event Grid gives up an invocation after thirty,
# the other triggers wait as long as the host lets a function run, which is five minutes by default
GRID_SECONDS, OTHER_SECONDS = 25.0, 240.0


def queue(name: str) -> Trigger:
    """Make the trigger of a Storage queue: one message at a time."""

    def records(sent: "Any", context: "Any", trigger: Trigger) -> "list[Record]":
        origin = {"source": name, "time": _text(sent.insertion_time), "received": sent.dequeue_count}
        return _unwrapped(Record(sent.id, sent.get_body(), "", origin))

    return Trigger("queue", records, raise_failed, request_id, score=_scoring(OTHER_SECONDS))


def service_bus(name: str) -> Trigger:
    """Make the trigger of a Service Bus queue or a topic's subscription: many messages at a time.

    A record's id is the number that the service gives, since a sender may use a message id twice.
    """

    def records(sent: "Any", context: "Any", trigger: Trigger) -> "list[Record]":
        return [record for message in sent for record in _unwrapped(_bus_message(message, name))]

    return Trigger("servicebus", records, raise_failed, request_id, score=_scoring(OTHER_SECONDS))


def _bus_message(message: "Any", name: str) -> Record:
    origin = {"source": name, "time": _text(message.enqueued_time_utc), "received": message.delivery_count}
    facts = {"message_id": message.message_id, "session": message.session_id, "subject": message.subject}
    origin |= {key: value for key, value in facts.items() if value}
    identity = message.message_id if message.sequence_number is None else message.sequence_number
    return Record(str(identity), message.get_body(), message.content_type or "", origin, message.session_id or "")


def event_hub(name: str) -> Trigger:
    """Make the trigger of an event hub: many events of one partition at a time."""

    def records(sent: "Any", context: "Any", trigger: Trigger) -> "list[Record]":
        metadata = sent[0].metadata if sent else {}
        partition = str((metadata.get("PartitionContext") or {}).get("PartitionId", ""))
        properties = metadata.get("PropertiesArray") or []
        return [
            Record(
                f"{partition}-{event.sequence_number}",
                event.get_body(),
                content_type_of((properties[index] if index < len(properties) else {}).items()),
                {"source": name, "partition": partition, "time": _text(event.enqueued_time), "key": event.partition_key},
            )
            for index, event in enumerate(sent)
        ]

    return Trigger("eventhub", records, raise_failed, request_id)


def event_grid() -> Trigger:
    """Make the trigger of Event Grid, for its own schema and for CloudEvents; the event of a created blob only names the blob."""

    def records(sent: "Any", context: "Any", trigger: Trigger) -> "list[Record]":
        own_schema = hasattr(sent, "event_type")
        kind, source, time = (sent.event_type, sent.topic, sent.event_time) if own_schema else (sent.type, sent.source, sent.time)
        origin = {"source": source, "event": kind, "subject": sent.subject, "time": _text(time)}
        data = sent.get_json()
        if kind == BLOB_CREATED:
            from azure_files import blob_records

            return blob_records(data, origin)
        return [Record(sent.id, data if isinstance(data, bytes) else json.dumps(data).encode(), "", origin)]

    return Trigger("eventgrid", records, raise_failed, request_id, score=_scoring(GRID_SECONDS))


def timer() -> Trigger:
    """Make the trigger of a timer: the model is loaded and checked, nothing is scored."""
    return Trigger("timer", lambda *event: [], raise_failed, request_id)


def request_id(sent: "Any", context: "Any", trigger: Trigger) -> str:
    """Get the invocation's id."""
    identity: str = context.invocation_id
    return identity


def _unwrapped(record: Record) -> "list[Record]":
    """Replace a message by the blobs that it names, if it is an event of Event Grid about created blobs."""
    if BLOB_CREATED.encode() not in record.body:
        return [record]
    from azure_files import message_records

    return message_records(record, BLOB_CREATED)


def _scoring(seconds: float) -> "Callable[..., list[Outcome]]":
    """Make the function that scores bodies, and files for as long as `seconds`."""

    def score_records(predictor: "Predictor", records: "Sequence[Record]", *event: "Any") -> "list[Outcome]":
        if not any("address" in record.origin for record in records):
            return score(predictor, records)
        from flyweight.files.records import score_files

        return score_files(predictor, records, monotonic() + seconds)

    return score_records


def _text(time: "datetime | str | None") -> "str | None":
    return time if isinstance(time, str) or time is None else time.isoformat()
