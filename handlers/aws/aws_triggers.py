"""A Lambda event to the trigger that sent it, by a few looks at its keys; None for HTTP and for direct invocations."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.records import Trigger
    from flyweight.records.sinks import Sink

# where a trigger is: its module, imported when it fires, and its name there
BY_SOURCE = {
    "aws:sqs": ("aws_queues", "SQS"),
    "aws:sns": ("aws_queues", "SNS"),
    "aws:s3": ("aws_files", "NOTIFIED"),
    "aws:kinesis": ("aws_streams", "KINESIS"),
    "aws:dynamodb": ("aws_streams", "DYNAMODB"),
    "aws:kafka": ("aws_streams", "KAFKA"),
    "SelfManagedKafka": ("aws_streams", "KAFKA"),
    "aws:SelfManagedKafka": ("aws_streams", "KAFKA"),
}
S3 = ("aws:s3", "aws.s3", "s3:TestEvent")  # its notifications, its events on a bus, and its greeting
# what stands at the top of one kind of event only
BY_KEY = {
    "deliveryStreamArn": ("aws_streams", "FIREHOSE"),
    "detail-type": ("aws_events", "EVENT"),
    "requestPayload": ("aws_events", "DESTINATION"),
    "Items": ("aws_events", "MAP"),
    "tasks": ("aws_files", "BATCH"),
}


def find(event: "Any", context: "Any") -> "Trigger | None":
    """The trigger of an event."""
    if not isinstance(event, dict):
        return None
    records = event.get("Records")
    records = records if isinstance(records, list) else []
    first = records[0] if records else event
    source = (first.get("eventSource") or first.get("EventSource")) if isinstance(first, dict) else None
    place = BY_SOURCE.get(source) if isinstance(source, str) else None
    if place is None:
        place = next((BY_KEY[key] for key in BY_KEY if key in event), None)
    if _names_objects(event, records):
        place = ("aws_files", "QUEUED" if source == "aws:sqs" else "NOTIFIED")
    if place is None:
        return None
    found: Trigger = getattr(__import__(place[0]), place[1])
    return found


def _names_objects(event: "Any", records: "Any") -> bool:
    """Whether an event looks like S3's, in messages of a queue or of a topic as well; who reads it looks more closely."""
    if event.get("source") == "aws.s3" or event.get("Event") == "s3:TestEvent":
        return True
    texts = [record.get("body") or record.get("Sns", {}).get("Message") for record in records if isinstance(record, dict)]
    whole = "\n".join([text for text in texts if isinstance(text, str)])
    return "s3" in whole and any(word in whole for word in S3)


def request_id(event: "Any", context: "Any") -> str:
    """The invocation's id."""
    return getattr(context, "aws_request_id", "")


def sink(address: str) -> "Sink":
    """The sink at an address; its module is imported for those who set one."""
    from aws_sinks import open_sink

    return open_sink(address)


SINKS = dict.fromkeys(("sqs", "sns", "kinesis", "dynamodb", "events", "s3"), sink)
