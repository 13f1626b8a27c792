"""Read events of Kinesis, DynamoDB and Firehose; the reply is a checkpoint or each record's result.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html (ReportBatchItemFailures has to be set)
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html (state of tumbling windows)
https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
"""

from binascii import a2b_base64, b2a_base64

from aws_items import identity, unread
from aws_replies import item_failures, names_of, request_id

from flyweight import strict_json
from flyweight.errors import MalformedRequest, preview
from flyweight.records import Record, Trigger, failed, raise_failed, records_of
from flyweight.records.fields import fact, fields, items, required, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from flyweight.records import Outcome

SHARD = "shard"  # the sequence of all records of a batch, which come from one shard, in its order
KPL = b"\xf3\x89\x9a\xc2"  # begins a record that holds many records
KEYS_ONLY = ("KEYS_ONLY", "OLD_IMAGE")  # views of a table's stream without new images


def _kinesis(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each record of a shard; of an aggregate, a record of each user record in it."""
    return records_of(items(event.get("Records", event)), kinesis_records, unread_kinesis)


def kinesis_records(item: "Any") -> "list[Record]":
    """Make the records of one record of a stream, as Lambda or as a pipe sends it.

    :raises MalformedRequest: it has no data, or holds an aggregate that is damaged.
    """
    # types are checked in place, not by functions: there are thousands of records
    sent: Any = item.get("kinesis", item) if type(item) is dict else None
    data = sent.get("data") if type(sent) is dict else None
    if type(data) is not str:
        data = required(sent, "data")
    name, key, place, source = (
        sent.get("sequenceNumber"),
        sent.get("partitionKey"),
        item.get("eventID"),
        item.get("eventSourceARN"),
    )
    time = sent.get("approximateArrivalTimestamp")
    origin = {
        "source": source if type(source) is str else "",
        "shard": place.partition(":")[0] if type(place) is str else "",
        "key": key if type(key) is str else "",
        "time": time if type(time) is float else fact(time),
    }
    name = name if name and type(name) is str else identity(name, item)
    record = decoded(name, data, "", origin, SHARD)
    if not record.body.startswith(KPL) or record.fault is not None:
        return [record]
    from aws_kpl import split  # imported late: few producers aggregate

    return [
        Record(f"{name}/{place}", body, "", {**origin, "key": key, "aggregate": name}, SHARD)
        for place, (key, body) in enumerate(split(record.body))
    ]


def unread_kinesis(item: "Any", error: Exception) -> Record:
    """Make the record of a record of a stream that can't be read."""
    known = fields(item)
    name = fields(known.get("kinesis") or known).get("sequenceNumber")
    return unread(item, error, "record", name, known.get("eventSourceARN"), SHARD)


def _dynamodb(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of the new image of each item that was put or changed, without the attributes of the item's key."""
    return records_of(items(event.get("Records", event)), dynamodb_records, unread_dynamodb)


def dynamodb_records(item: "Any") -> "list[Record]":
    """Make the record of one change of a table; none for a removed item, or if the stream has no new images.

    :raises MalformedRequest: the change or its new image is absent or no object, or an attribute is not typed.
    """
    change = _object(item, "dynamodb")
    if "NewImage" not in change and (item.get("eventName") == "REMOVE" or change.get("StreamViewType") in KEYS_ONLY):
        return []
    image, keys = _object(change, "NewImage"), fields(change.get("Keys"))
    features = {name: _plain(value) for name, value in image.items() if name not in keys}
    origin = {
        "source": text(item.get("eventSourceARN")),
        "event": fact(item.get("eventName")),
        "keys": {name: _plain(value) for name, value in keys.items()},
        "time": fact(change.get("ApproximateCreationDateTime")),
    }
    return [Record(identity(change.get("SequenceNumber"), item), strict_json.encode(features), "", origin, SHARD)]


def unread_dynamodb(item: "Any", error: Exception) -> Record:
    """Make the record of a change of a table that can't be read."""
    known = fields(item)
    return unread(item, error, "change", fields(known.get("dynamodb")).get("SequenceNumber"), known.get("eventSourceARN"), SHARD)


def _object(item: "Any", name: str) -> "dict[str, Any]":
    """Get the object in a field.

    :raises MalformedRequest: none exists.
    """
    found = item.get(name) if isinstance(item, dict) else None
    if not isinstance(found, dict):
        raise MalformedRequest(f"the field {name!r} should be an object, got {preview(found)}")
    return found


def _plain(attribute: "Any") -> "Any":
    """Convert a typed attribute to a plain value; a number with a fraction or an exponent becomes a double, bytes stay base64.

    :raises MalformedRequest: it has no type, or its number can't be read.
    """
    if not isinstance(attribute, dict) or len(attribute) != 1:
        raise MalformedRequest(f"an attribute should be an object of its type and value, got {preview(attribute)}")
    ((kind, value),) = attribute.items()
    if kind == "N":
        return _number(value)
    if kind == "NULL":
        return None
    if kind == "M":
        return {name: _plain(item) for name, item in _object(attribute, "M").items()}
    if kind == "L":
        return [_plain(item) for item in items(value)]
    return [_number(item) for item in items(value)] if kind == "NS" else value


def _number(digits: "Any") -> "int | float":
    """Read a number of DynamoDB, which is a text.

    :raises MalformedRequest: it is no number.
    """
    try:
        return int(digits) if digits.lstrip("-").isdecimal() else float(digits)
    except (AttributeError, TypeError, ValueError):
        raise MalformedRequest(f"a number should be a text of digits, got {preview(digits)}") from None


def _firehose(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each record that has data."""
    source = text(event.get("deliveryStreamArn"))

    def made(item: "Any") -> "list[Record]":
        if _is_empty(item):
            return []
        data = required(item, "data")
        origin = {"source": source, "time": fact(item.get("approximateArrivalTimestamp"))}
        return [decoded(identity(item.get("recordId"), item), data, "", origin, "")]

    def unreadable(item: "Any", error: Exception) -> Record:
        return unread(item, error, "record", fields(item).get("recordId"), source)

    return records_of(items(event.get("records")), made, unreadable)


def _is_empty(item: "Any") -> bool:
    """Tell whether a record of Firehose has an id and no data; it is dropped."""
    return isinstance(item, dict) and "recordId" in item and item.get("data") in (None, "")


def decoded(name: str, data: str, content_type: str, origin: "Mapping[str, Any]", sequence: str) -> Record:
    """Make a record of data in base64; data that is not base64 becomes the record's fault."""
    try:
        return Record._make((name, a2b_base64(data, strict_mode=True), content_type, origin, sequence, None))
    except ValueError as error:
        fault = MalformedRequest(f"the record's data is not base64: {error}")
        return Record(name, data.encode("utf-8", "surrogatepass"), content_type, origin, sequence, fault)


def _checkpoint(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """Reply with the first record that failed: Lambda continues from it, and takes all records before it as done.

    A tumbling window gets its state back unchanged: the model keeps none.

    :raises Exception: a record without a sequence number failed, so that the reply can't name it.
    """
    reply = item_failures(names_of(failed(outcomes)[:1]))
    return {**reply, "state": fields(event.get("state"))} if "window" in event or "isFinalInvokeForWindow" in event else reply


def _transformed(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """Reply with the result of each record.

    It is Ok with the answer as a line of JSON, ProcessingFailed with the data of a rejected record, which Firehose keeps, or
    Dropped for a record without data. A record without an id can't be named, and only its dead letter has it.

    :raises Exception: a record failed. Firehose then invokes the function again, some three times, before it gives up the batch.
    """
    raise_failed(outcomes)
    following = iter(outcomes)
    results = []
    for item in items(event.get("records")):
        outcome = None if _is_empty(item) else next(following)
        if not isinstance(item, dict) or "recordId" not in item:
            continue
        result, data = "Dropped", ""
        if outcome is not None and outcome.error is not None:
            result, data = "ProcessingFailed", text(item.get("data"))
        elif outcome is not None:
            result, data = "Ok", b2a_base64(strict_json.encode(outcome.answer) + b"\n", newline=False).decode()
        results.append({"recordId": item["recordId"], "result": result, "data": data})
    return {"records": results}


KINESIS = Trigger("kinesis", _kinesis, _checkpoint, request_id)
DYNAMODB = Trigger("dynamodb", _dynamodb, _checkpoint, request_id)
FIREHOSE = Trigger("firehose", _firehose, _transformed, request_id, answers=True)
