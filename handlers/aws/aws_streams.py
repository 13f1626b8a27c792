"""Read events of Kinesis, DynamoDB, Kafka and Firehose; the reply is a checkpoint, a raised failure, or each record's result.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html (ReportBatchItemFailures has to be set)
https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-process.html
https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
"""

from binascii import a2b_base64, b2a_base64

from aws_replies import item_failures, request_id

from flyweight import strict_json
from flyweight.errors import MalformedRequest
from flyweight.records import Record, Trigger, content_type_of, failed, raise_failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from flyweight.records import Outcome

SHARD = "shard"  # the sequence of all records of a batch, which come from one shard, in its order


def _kinesis(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each record of a shard."""
    records = []
    for item in event["Records"]:
        sent = item["kinesis"]
        origin = {
            "source": item["eventSourceARN"],
            "shard": item["eventID"].partition(":")[0],
            "key": sent["partitionKey"],
            "time": sent["approximateArrivalTimestamp"],
        }
        records.append(_decoded(sent["sequenceNumber"], sent["data"], "", origin, SHARD))
    return records


def _dynamodb(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of the new image of each item that was put or changed, without the attributes of the item's key."""
    records = []
    for item in event["Records"]:
        change = item["dynamodb"]
        if "NewImage" not in change:  # a removed item, or a stream of keys only: nothing to score
            continue
        keys = change["Keys"]
        features = {name: _plain(value) for name, value in change["NewImage"].items() if name not in keys}
        origin = {
            "source": item["eventSourceARN"],
            "event": item["eventName"],
            "keys": {name: _plain(value) for name, value in keys.items()},
            "time": change.get("ApproximateCreationDateTime"),
        }
        records.append(Record(change["SequenceNumber"], strict_json.encode(features), "", origin, SHARD))
    return records


def _plain(attribute: "Mapping[str, Any]") -> "Any":
    """Convert a typed attribute to a plain value; a number with a fraction or an exponent becomes a double, bytes stay base64."""
    ((kind, value),) = attribute.items()
    if kind == "N":
        return _number(value)
    if kind == "NULL":
        return None
    if kind == "M":
        return {name: _plain(item) for name, item in value.items()}
    if kind == "L":
        return [_plain(item) for item in value]
    return [_number(item) for item in value] if kind == "NS" else value


def _number(text: str) -> "int | float":
    return int(text) if text.lstrip("-").isdecimal() else float(text)


def _kafka(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each record but tombstones; each partition is a sequence."""
    source = event.get("eventSourceArn") or event.get("bootstrapServers", "")
    records = []
    for name, items in event["records"].items():
        for item in items:
            if item.get("value") is None:
                continue
            origin = {
                "source": source,
                "topic": item["topic"],
                "partition": item["partition"],
                "offset": item["offset"],
                "time": item.get("timestamp"),
                "key": item.get("key"),  # in base64, as the event has it
            }
            records.append(_decoded(f"{name}-{item['offset']}", item["value"], _content_type(item.get("headers")), origin, name))
    return records


def _content_type(headers: "Sequence[Mapping[str, Sequence[int]]] | None") -> str:
    """Find the content type among a record's headers, each a name and the bytes of its value."""
    pairs = [(name, value) for header in headers or () for name, value in header.items() if name.lower() == "content-type"]
    return content_type_of([(name, bytes([byte & 0xFF for byte in value]).decode("utf-8", "replace")) for name, value in pairs])


def _firehose(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each record that has data."""
    source = event["deliveryStreamArn"]
    return [
        _decoded(item["recordId"], item["data"], "", {"source": source, "time": item.get("approximateArrivalTimestamp")}, "")
        for item in event["records"]
        if item.get("data")
    ]


def _decoded(identity: str, data: str, content_type: str, origin: "Mapping[str, Any]", sequence: str) -> Record:
    """Make a record of data in base64; data that is not base64 becomes the record's fault."""
    try:
        return Record(identity, a2b_base64(data, strict_mode=True), content_type, origin, sequence, None)
    except ValueError as error:
        fault = MalformedRequest(f"the record's data is not base64: {error}")
        return Record(identity, data.encode("utf-8", "surrogatepass"), content_type, origin, sequence, fault)


def _checkpoint(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """Reply with the first record that failed: Lambda continues from it, and takes all records before it as done."""
    return item_failures([outcome.record.id for outcome in failed(outcomes)[:1]])


def _transformed(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """Reply with the result of each record.

    It is Ok with the answer as a line of JSON, ProcessingFailed with the data of a rejected record, which Firehose keeps, or
    Dropped for a record without data.

    :raises Exception: a record failed. Firehose then invokes the function again, some three times, before it gives up the batch.
    """
    raise_failed(outcomes)
    by_id = {outcome.record.id: outcome for outcome in outcomes}
    results = []
    for item in event["records"]:
        identity = item["recordId"]
        if identity not in by_id:
            results.append({"recordId": identity, "result": "Dropped", "data": ""})
        elif by_id[identity].error is not None:
            results.append({"recordId": identity, "result": "ProcessingFailed", "data": item["data"]})
        else:
            line = b2a_base64(strict_json.encode(by_id[identity].answer) + b"\n", newline=False).decode()
            results.append({"recordId": identity, "result": "Ok", "data": line})
    return {"records": results}


KINESIS = Trigger("kinesis", _kinesis, _checkpoint, request_id)
DYNAMODB = Trigger("dynamodb", _dynamodb, _checkpoint, request_id)
KAFKA = Trigger("kafka", _kafka, raise_failed, request_id)
FIREHOSE = Trigger("firehose", _firehose, _transformed, request_id, answers=True)
