"""What Azure's triggers pass to records; the reply is silence, or a raised error, by which the host delivers all of it again.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages
A Storage queue's message comes five times, then goes to NAME-poison; a Service Bus message as often as its queue says, then it
is a dead letter there; an Event Hubs batch comes until it is done; an Event Grid event is tried for a day.
"""

import json

from flyweight.records import Record, Trigger, content_type_of, raise_failed
from flyweight.records.scoring import score

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

CREATED = "Microsoft.Storage.BlobCreated"
# seconds that a file is scored for before the rest waits for the next delivery: Event Grid gives an invocation up after thirty,
# the others wait as long as the host lets a function run, which is five minutes where nothing else is set
GRID, OTHERS = 25.0, 240.0


def queue(name: str) -> Trigger:
    """A Storage queue's trigger: a message at a time."""

    def records(sent: "Any", context: "Any", trigger: Trigger) -> "list[Record]":
        origin = {"source": name, "time": _text(sent.insertion_time), "received": sent.dequeue_count}
        return _unwrapped(Record(sent.id, sent.get_body(), "", origin))

    return Trigger("queue", records, _raised, request_id, score=_score(OTHERS))


def service_bus(name: str) -> Trigger:
    """The trigger of a Service Bus queue or topic's subscription: many messages at a time.

    The id is the number that the service gives, since a sender may use a message id twice.
    """

    def records(sent: "Any", context: "Any", trigger: Trigger) -> "list[Record]":
        return [record for message in sent for record in _unwrapped(_bus_message(message, name))]

    return Trigger("servicebus", records, _raised, request_id, score=_score(OTHERS))


def _bus_message(message: "Any", name: str) -> Record:
    origin = {"source": name, "time": _text(message.enqueued_time_utc), "received": message.delivery_count}
    told = {"message_id": message.message_id, "session": message.session_id, "subject": message.subject}
    origin |= {key: value for key, value in told.items() if value}
    identity = message.message_id if message.sequence_number is None else message.sequence_number
    return Record(str(identity), message.get_body(), message.content_type or "", origin, message.session_id or "")


def event_hub(name: str) -> Trigger:
    """An event hub's trigger: many events of one partition at a time."""

    def records(sent: "Any", context: "Any", trigger: Trigger) -> "list[Record]":
        told = sent[0].metadata if sent else {}
        partition = str((told.get("PartitionContext") or {}).get("PartitionId", ""))
        properties = told.get("PropertiesArray") or []
        return [
            Record(
                f"{partition}-{event.sequence_number}",
                event.get_body(),
                content_type_of((properties[place] if place < len(properties) else {}).items()),
                {"source": name, "partition": partition, "time": _text(event.enqueued_time), "key": event.partition_key},
            )
            for place, event in enumerate(sent)
        ]

    return Trigger("eventhub", records, _raised, request_id)


def event_grid() -> Trigger:
    """Event Grid's trigger, in its own schema and in CloudEvents'; of a blob that was created only the name comes."""

    def records(sent: "Any", context: "Any", trigger: Trigger) -> "list[Record]":
        own = hasattr(sent, "event_type")
        kind, source, time = (sent.event_type, sent.topic, sent.event_time) if own else (sent.type, sent.source, sent.time)
        origin = {"source": source, "event": kind, "subject": sent.subject, "time": _text(time)}
        data = sent.get_json()
        if kind == CREATED:
            from azure_files import blob

            return blob(data, origin)
        return [Record(sent.id, data if isinstance(data, bytes) else json.dumps(data).encode(), "", origin)]

    return Trigger("eventgrid", records, _raised, request_id, score=_score(GRID))


def _unwrapped(record: Record) -> "list[Record]":
    """What a message is a record of: the blobs, where it is Event Grid's word of them."""
    if CREATED.encode() not in record.body:
        return [record]
    from azure_files import told

    return told(record, CREATED)


def _score(seconds: float) -> "Callable[..., list[Outcome]]":
    def scored(predictor: "Predictor", records: "Sequence[Record]", *event: "Any") -> "list[Outcome]":
        """The outcomes of bodies by one predict, then those of files, so many seconds."""
        if not any("address" in record.origin for record in records):
            return score(predictor, records)
        from azure_files import scored

        return scored(predictor, records, seconds)

    return scored


def timer() -> Trigger:
    """A timer's trigger: the model is loaded and checked, nothing is scored."""
    return Trigger("timer", lambda *event: [], _raised, request_id)


def _text(time: "datetime | str | None") -> "str | None":
    return time if isinstance(time, str) or time is None else time.isoformat()


def _raised(outcomes: "Sequence[Outcome]", *event: "Any") -> None:
    """Nothing where all is done.

    :raises Exception: what failed for now.
    """
    raise_failed(outcomes)


def request_id(sent: "Any", context: "Any", trigger: Trigger) -> str:
    """The invocation's id."""
    identity: str = context.invocation_id
    return identity
