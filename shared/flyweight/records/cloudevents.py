"""Read CloudEvents in structured mode, one or a batch; several clouds and brokers send them.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
Event Grid's own schema has the same facts under other names:
https://learn.microsoft.com/azure/event-grid/event-schema
"""

import json
from math import inf

from flyweight.errors import MalformedRequest, preview
from flyweight.records import Record
from flyweight.records.fields import decoded, items, text
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DIGITS = 320  # more than any float64 has before its point
MEDIA_TYPE = "application/cloudevents"  # and "-batch", and "+json"
# a fact -> its name in CloudEvents, and in Event Grid's own schema
NAMES = {
    "id": ("id", "id"),
    "source": ("source", "topic"),
    "type": ("type", "eventType"),
    "subject": ("subject", "subject"),
    "time": ("time", "eventTime"),
}


class CloudEvent(Value):
    """One event; `data`: bytes, or a value that JSON can hold."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    content_type: str
    data: "Any"

    @property
    def body(self) -> bytes:
        """Get the data as the body of a record."""
        return self.data if isinstance(self.data, bytes) else json.dumps(self.data).encode()


def events_of(body: bytes) -> "list[Any]":
    """Parse a body that holds one event or a batch.

    A number of too many digits becomes infinite, which no model takes: it spoils its own event and not the batch.

    :raises MalformedRequest: the body is not JSON.
    """
    try:
        try:
            return items(json.loads(body))
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise
        except ValueError:  # int() refuses more digits than `sys.get_int_max_str_digits`
            return items(json.loads(body, parse_int=lambda text: int(text) if len(text) < MAX_DIGITS else inf))
    except ValueError as error:
        raise MalformedRequest(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise MalformedRequest("the body is nested too deeply") from None


def structured(event: "Any") -> CloudEvent:
    """Read one event: a CloudEvent, or one in Event Grid's own schema. An attribute that is no text counts as absent.

    :raises MalformedRequest: the event is no object, or its data is not base64 where it should be.
    """
    if not isinstance(event, dict):
        raise MalformedRequest(f"an event should be an object, got {preview(event)}")
    schema = 1 if "eventType" in event and "type" not in event else 0
    facts = {fact: text(event.get(names[schema])) for fact, names in NAMES.items()}
    content_type = text(event.get("datacontenttype"))
    if "data_base64" in event:
        data: Any = decoded(event["data_base64"], "data_base64")
    else:
        data = event.get("data")
        if isinstance(data, str) and content_type:
            data = data.encode("utf-8", "surrogatepass")
    return CloudEvent(**facts, content_type=content_type, data=data)


def is_event(document: "Any") -> bool:
    """Tell whether a parsed body is an event around the data, and not the data itself; no model has features of these names."""
    if not isinstance(document, dict):
        return False
    cloud = "specversion" in document and "type" in document and "source" in document
    return cloud or ("eventType" in document and "eventTime" in document and "data" in document)


def record_of(event: CloudEvent, origin: "dict[str, Any]") -> Record:
    """Make the record of an event's data.

    :param origin: facts about the message that the event came in; those of the event are added.
    """
    named = {"event": event.type, "subject": event.subject, "time": event.time}
    facts = {name: value for name, value in named.items() if value}
    return Record(event.id, event.body, event.content_type, {"source": event.source, **origin, **facts})
