"""Read events of Kafka and of Amazon MQ's brokers, ActiveMQ and RabbitMQ; a failure is raised, and the batch comes again.

https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-process.html
https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html (partial batch responses, in provisioned mode)
https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
"""

from aws_items import UNNAMED, identity, unread
from aws_replies import item_failures, request_id
from aws_streams import decoded

from flyweight import settings
from flyweight.errors import MalformedRequest, preview
from flyweight.records import Record, Trigger, content_type_of, failed, raise_failed, records_of
from flyweight.records.fields import fact, fields, items, required, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from flyweight.records import Outcome

CONTENT_TYPES = ("content_type", "contentType", "content-type")  # properties of a message in ActiveMQ that may tell it
PLAIN = "text/plain"  # what clients of RabbitMQ send if nobody chose a type


def _kafka(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each record but tombstones; each partition is a sequence."""
    source = text(event.get("eventSourceArn")) or text(event.get("bootstrapServers"))
    return _by_name(event.get("records"), lambda name, item: kafka_records(item, source, name), "record", source)


def _by_name(groups: "Any", make: "Callable[[str, Any], Iterable[Record]]", what: str, source: str) -> "list[Record]":
    """Make the records of the items of an object's lists.

    :param make: makes the records of one item from the name of its list and the item.
    :param what: the word for an item.
    """

    def unreadable(item: "Any", error: Exception) -> Record:
        return unread(item, error, what, None, source)

    if not isinstance(groups, dict):
        return [unreadable(groups, MalformedRequest(f"expected an object of lists, got {preview(groups)}"))]
    records: list[Record] = []
    for name, group in groups.items():
        records += records_of(items(group), lambda item, name=name: make(name, item), unreadable)  # type: ignore[misc]
    return records


def kafka_records(item: "Any", source: str, name: str) -> "list[Record]":
    """Make the record of one record of a partition, as Lambda or as a pipe sends it; none for a tombstone.

    :param name: of the topic and the partition, which is the record's sequence.
    :raises MalformedRequest: its value is no text.
    """
    if isinstance(item, dict) and item.get("value") is None and "offset" in item:
        return []
    value, number = required(item, "value"), item.get("offset")
    origin = {
        "source": source,
        **{field: fact(item.get(field)) for field in ("topic", "partition", "offset")},
        "time": fact(item.get("timestamp")),
        "key": fact(item.get("key")),  # in base64, as the event has it
    }
    record_id = f"{name}-{number}" if type(number) in (int, str) else identity(None, item)
    return [decoded(record_id, value, _kafka_content_type(item.get("headers")), origin, name)]


def _kafka_content_type(headers: "Any") -> str:
    """Find the content type among a record's headers, each a name and the bytes of its value."""
    pairs = [pair for header in items(headers) if isinstance(header, dict) for pair in header.items()]
    return content_type_of([(name, _header_text(value)) for name, value in pairs if name.lower() == "content-type"])


def _header_text(value: "Any") -> str:
    """Read the value of a header, which is a list of bytes, signed or not; "" for anything else."""
    if not isinstance(value, list) or not all([type(byte) is int for byte in value]):
        return text(value)
    return bytes([byte & 0xFF for byte in value]).decode("utf-8", "replace")


def _kafka_reply(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "Any":
    """Reply with the failed records if the mapping takes such a reply, which FLYWEIGHT_KAFKA_PARTIAL says.

    :raises Exception: a record failed, and the mapping takes no such reply, or the event does not tell the record's place.
    """
    if not settings.kafka_partial():
        return raise_failed(outcomes)
    places = [(outcome.record.sequence, outcome.record.origin.get("offset")) for outcome in failed(outcomes)]
    if not all([name and type(offset) is int for name, offset in places]):
        raise_failed(outcomes)
    return item_failures([{"partition": name, "offset": offset} for name, offset in places])


def _activemq(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each message of an ActiveMQ broker."""
    source = text(event.get("eventSourceArn"))

    def unreadable(item: "Any", error: Exception) -> Record:
        return unread(item, error, "message", fields(item).get("messageID"), source)

    return records_of(items(event.get("messages")), lambda item: activemq_records(item, source), unreadable)


def activemq_records(item: "Any", source: str) -> "list[Record]":
    """Make the record of one message of ActiveMQ.

    :raises MalformedRequest: it has no data.
    """
    data = required(item, "data")
    queue = text(fields(item.get("destination")).get("physicalName"))
    origin = {"source": source, "queue": queue, "time": fact(item.get("timestamp")), "redelivered": fact(item.get("redelivered"))}
    properties = fields(item.get("properties"))
    content_type = next((text(properties[name]) for name in CONTENT_TYPES if name in properties), "")
    return [decoded(identity(item.get("messageID"), item), data, content_type, origin, "")]


def _rabbitmq(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each message of a RabbitMQ broker."""
    source, groups = text(event.get("eventSourceArn")), event.get("rmqMessagesByQueue")
    records = _by_name(groups, lambda name, item: rabbitmq_records(item, source, name), "message", source)
    return numbered(records, request_id(event, context))


def numbered(records: "list[Record]", invocation: str) -> "list[Record]":
    """Give records without an id the invocation's and their number, so that two messages of the same contents differ."""
    return [
        record._replace(id=f"{UNNAMED}{invocation}/{place}") if record.id.startswith(UNNAMED) else record
        for place, record in enumerate(records)
    ]


def rabbitmq_records(item: "Any", source: str, queue: str) -> "list[Record]":
    """Make the record of one message of RabbitMQ.

    :param queue: its name, two colons and the virtual host.
    :raises MalformedRequest: it has no data.
    """
    data = required(item, "data")
    properties = fields(item.get("basicProperties"))
    content_type = text(properties.get("contentType"))
    origin = {
        "source": source,
        "queue": queue,
        "time": fact(properties.get("timestamp")),
        "redelivered": fact(item.get("redelivered")),
    }
    content_type = "" if content_type.partition(";")[0].strip().lower() == PLAIN else content_type
    return [decoded(identity(properties.get("messageId"), item), data, content_type, origin, "")]


KAFKA = Trigger("kafka", _kafka, _kafka_reply, request_id)
ACTIVEMQ = Trigger("activemq", _activemq, raise_failed, request_id)
RABBITMQ = Trigger("rabbitmq", _rabbitmq, raise_failed, request_id)
