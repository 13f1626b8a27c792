"""Take the data out of events that a message holds: Event Grid delivers to queues, Service Bus and Event Hubs as well.

https://learn.microsoft.com/azure/event-grid/event-schema    https://learn.microsoft.com/azure/event-grid/cloud-event-schema
https://learn.microsoft.com/azure/event-grid/system-topics (the types that begin with "Microsoft.")
"""

import json

from flyweight.errors import MalformedRequest, NotServed
from flyweight.records import Record, records_of, unreadable
from flyweight.records.cloudevents import is_event, record_of, structured
from flyweight.records.fields import items, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from flyweight.records.cloudevents import CloudEvent

CREATED = "Microsoft.Storage.BlobCreated"
STORED = "Microsoft.Storage."
OWN = "Microsoft."
MARKS = (b'"specversion"', b'"eventType"', CREATED.encode())  # one of them is in each event


def event_records(event: "CloudEvent", origin: "Mapping[str, Any]") -> "Iterable[Record]":
    """Make the records of one event: that of its data, or that of the blob that was created.

    :param origin: facts about the message that the event came in.
    :raises MalformedRequest: the event of a created blob names none.
    :raises NotServed: it is one of Azure's own events that has no instances.
    """
    if event.type == CREATED:
        from azure_files import blob_records

        return blob_records(event.data, {"source": event.source, **origin, "event": event.type, "time": event.time})
    if event.type.startswith(STORED):  # a blob was deleted or renamed, or its tier changed: there is nothing to score
        return []
    if event.type.startswith(OWN):
        raise NotServed(f"events of the type {event.type[:200]!r} are not served; see docs/triggers.md")
    record = record_of(event, dict(origin))
    return [record if record.id else record._replace(id=unreadable(record.body, NotServed()).id)]


def message_records(record: Record) -> "list[Record]":
    """Make the records of the events that a message holds; a message that holds its data itself is returned as it is."""
    if not any([mark in record.body for mark in MARKS]):
        return [record]
    try:
        events = items(json.loads(record.body))
    except (ValueError, RecursionError):
        return [record]
    if not events or not all([is_event(event) or _names_blob(event) for event in events]):
        return [record]
    origin = {**record.origin, "message": record.id}

    def read(event: "Any") -> "list[Record]":
        made = event_records(structured(event), origin)
        return [_within(record, part) for part in made]

    def unread(event: "Any", error: Exception) -> Record:
        if isinstance(error, NotServed):  # it becomes a dead letter: a failure would hold up the other messages of the call
            error = MalformedRequest(str(error))
        return _within(record, unreadable(event, error, "event", text(record.origin.get("source"))))

    return records_of(events, read, unread)


def _names_blob(event: "Any") -> bool:
    return isinstance(event, dict) and CREATED in (event.get("eventType"), event.get("type"))


def _within(message: Record, record: Record) -> Record:
    """Give a record an id that is unique among all messages, and the place of its message in a sequence."""
    named = record.id if "address" in record.origin else f"{message.id}/{record.id}"
    return record._replace(id=named, sequence=message.sequence)
