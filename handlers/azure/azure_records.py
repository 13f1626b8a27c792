"""Read what Azure's triggers pass to a function; for a failure an error is raised, and the host delivers all records again.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages
A Storage queue's message comes five times, then goes to NAME-poison; a Service Bus message as often as its queue says, then it
is a dead letter there; an Event Hubs batch comes until it is done; an Event Grid event is tried for a day.
"""

import json
from collections import UserDict, UserList
from hashlib import sha256
from time import monotonic

from azure_envelopes import event_records, message_records

from flyweight.errors import MalformedRequest, preview
from flyweight.records import Record, Trigger, content_type_of, raise_failed, records_of, unreadable
from flyweight.records.cloudevents import CloudEvent
from flyweight.records.fields import fact, fields, text
from flyweight.records.scoring import score

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

# seconds for which a file is scored before the rest waits for the next delivery: Event Grid gives up an invocation after thirty,
# the other triggers wait as long as the host lets a function run, which is five minutes by default
GRID_SECONDS, OTHER_SECONDS = 25.0, 240.0
# the fields that Cosmos DB adds to each document: https://learn.microsoft.com/azure/cosmos-db/resource-model
SYSTEM_FIELDS = ("_rid", "_self", "_etag", "_attachments", "_ts", "_lsn", "_metadata")


def queue(name: str) -> Trigger:
    """Make the trigger of a Storage queue: one message at a time."""

    def read(message: "Any") -> "list[Record]":
        origin = {"source": name, "time": _text(message.insertion_time), "received": fact(message.dequeue_count)}
        return message_records(Record(_named(message.id, message), _body(message), "", origin))

    return _trigger("queue", read, name, OTHER_SECONDS)


def service_bus(name: str) -> Trigger:
    """Make the trigger of a Service Bus queue or a topic's subscription: many messages at a time.

    A record's id is the number that the service gives, since a sender may use a message id twice.
    """

    def read(message: "Any") -> "list[Record]":
        origin = {"source": name, "time": _text(message.enqueued_time_utc), "received": fact(message.delivery_count)}
        facts = {"message_id": message.message_id, "session": message.session_id, "subject": message.subject}
        origin |= {key: fact(value) for key, value in facts.items() if fact(value)}
        identity = message.message_id if message.sequence_number is None else str(message.sequence_number)
        session, content_type = text(message.session_id), text(message.content_type)
        return message_records(Record(_named(identity, message), _body(message), content_type, origin, session))

    return _trigger("servicebus", read, name, OTHER_SECONDS)


def event_hub(name: str) -> Trigger:
    """Make the trigger of an event hub: many events of one partition at a time."""

    def read(numbered: "Any") -> "list[Record]":
        index, event = numbered
        metadata = fields(event.metadata)
        partition = str(fields(metadata.get("PartitionContext")).get("PartitionId", ""))
        all_properties = metadata.get("PropertiesArray")
        properties = fields(all_properties[index]) if isinstance(all_properties, list) and index < len(all_properties) else {}
        origin = {"source": name, "partition": partition, "time": _text(event.enqueued_time), "key": fact(event.partition_key)}
        number = None if event.sequence_number is None else str(event.sequence_number)
        identity = f"{partition}-{_named(number, event)}"
        return message_records(Record(identity, _body(event), content_type_of(properties.items()), origin))

    return _trigger("eventhub", read, name, OTHER_SECONDS, numbered=True)


def event_grid() -> Trigger:
    """Make the trigger of Event Grid, for its own schema and for CloudEvents; the event of a created blob only names the blob."""

    def read(sent: "Any") -> "Iterable[Record]":
        own = hasattr(sent, "event_type")
        kind, source, time = (sent.event_type, sent.topic, sent.event_time) if own else (sent.type, sent.source, sent.time)
        event = CloudEvent(text(sent.id), text(source), text(kind), text(sent.subject), _text(time) or "", "", sent.get_json())
        return event_records(event, {})

    return _trigger("eventgrid", read, "eventgrid", GRID_SECONDS)


def documents(name: str) -> Trigger:
    """Make the trigger of a container in Cosmos DB: the new contents of many documents at a time, without their system fields."""

    def read(document: "Any") -> "list[Record]":
        contents = dict(document)
        origin = {"source": name, "id": fact(contents.get("id")), "time": fact(contents.get("_ts"))}
        body = {key: value for key, value in contents.items() if key != "id" and key not in SYSTEM_FIELDS}
        identity = f"{contents.get('id')}#{fact(contents.get('_lsn') or contents.get('_etag'))}"
        return [Record(identity, json.dumps(body).encode(), "", origin)]

    return _trigger("cosmos", read, name, OTHER_SECONDS)


def timer() -> Trigger:
    """Make the trigger of a timer: the model is loaded and checked, nothing is scored."""
    return Trigger("timer", lambda *event: [], raise_failed, request_id)


def request_id(sent: "Any", context: "Any", trigger: Trigger) -> str:
    """Get the invocation's id."""
    identity: str = context.invocation_id
    return identity


def _trigger(
    kind: str, read: "Callable[[Any], Iterable[Record]]", source: str, seconds: float, numbered: bool = False
) -> Trigger:
    """Make a trigger whose messages are read one by one, so that one that can't be read fails alone.

    :param numbered: whether `read` takes a message and its number, from 0, in the call.
    """

    def records(sent: "Any", context: "Any", trigger: Trigger) -> "list[Record]":
        messages = [*sent] if isinstance(sent, (list, tuple, UserList)) else [sent]
        return records_of(enumerate(messages) if numbered else messages, read, unread)

    def unread(item: "Any", error: Exception) -> Record:
        return _unread(item[1] if numbered else item, error, source)

    return Trigger(kind, records, raise_failed, request_id, score=_scoring(seconds))


def _unread(message: "Any", error: Exception, source: str) -> Record:
    """Make the record of a message that can't be read, with its body and its id if they can be had."""
    item, identity = message, None
    try:
        item = dict(message) if isinstance(message, UserDict) else message.get_body()
        identity = getattr(message, "message_id", None) or getattr(message, "id", None)
    except Exception:  # then the record says as much as Python can show of it
        pass
    return unreadable(item, error, "message", source, identity)


def _body(message: "Any") -> bytes:
    """Get the body of a message.

    :raises MalformedRequest: the host gave no bytes.
    """
    body = message.get_body()
    if not isinstance(body, (bytes, bytearray)):
        raise MalformedRequest(f"the body of the message should be bytes, got {preview(body)}")
    return bytes(body)


def _named(identity: "Any", message: "Any") -> str:
    """Get the id of a message; without one it is made of the body."""
    return identity if isinstance(identity, str) and identity else sha256(_body(message)).hexdigest()


def _scoring(seconds: float) -> "Callable[..., list[Outcome]]":
    """Make the function that scores bodies, and files for as long as `seconds`."""

    def score_records(predictor: "Predictor", records: "Sequence[Record]", *event: "Any") -> "list[Outcome]":
        if not any("address" in record.origin for record in records):
            return score(predictor, records)
        from flyweight.files.records import score_files

        return score_files(predictor, records, monotonic() + seconds)

    return score_records


def _text(time: "Any") -> "str | None":
    """Write a time, of which the host gives a text or a datetime; None for anything else."""
    return time if isinstance(time, str) else time.isoformat() if hasattr(time, "isoformat") else None
