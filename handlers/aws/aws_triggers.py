"""Find the trigger of a Lambda event by a few of its keys; None for HTTP and for direct invocations."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.records import Trigger

# an event's source -> the module of its trigger, which is imported when such an event comes, and the trigger's name in it
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
S3 = ("aws:s3", "aws.s3", "s3:TestEvent")  # in its notifications, in its events on a bus, in its test message
# a key at the top of an event that only this kind of event has
BY_KEY = {
    "deliveryStreamArn": ("aws_streams", "FIREHOSE"),
    "detail-type": ("aws_events", "EVENT"),
    "requestPayload": ("aws_events", "DESTINATION"),
    "Items": ("aws_events", "MAP"),
    "tasks": ("aws_files", "BATCH"),
}


def find(event: "Any", context: "Any") -> "Trigger | None":
    """Find the trigger of an event; None for HTTP and for direct invocations."""
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
    module, name = place
    trigger: Trigger = getattr(__import__(module), name)
    return trigger


def _names_objects(event: "Any", records: "Any") -> bool:
    """Tell whether an event may be from S3, also within messages of a queue or topic; `aws_files` reads them more closely."""
    if event.get("source") == "aws.s3" or event.get("Event") == "s3:TestEvent":
        return True
    texts = [record.get("body") or record.get("Sns", {}).get("Message") for record in records if isinstance(record, dict)]
    text = "\n".join([text for text in texts if isinstance(text, str)])
    return "s3" in text and any(word in text for word in S3)
