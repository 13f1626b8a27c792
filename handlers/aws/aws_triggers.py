"""Find the trigger of a Lambda event by a few of its keys; None for HTTP and for direct invocations."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.records import Trigger

    Place = tuple[str, str]  # the module of a trigger, which is imported when such an event comes, and the trigger's name in it

QUEUE, TOPIC = ("aws_queues", "SQS"), ("aws_queues", "SNS")
KAFKA = ("aws_brokers", "KAFKA")
QUEUED, NOTIFIED = ("aws_files", "QUEUED"), ("aws_files", "NOTIFIED")
KINESIS, DYNAMODB = ("aws_streams", "KINESIS"), ("aws_streams", "DYNAMODB")
FOREIGN, UNREADABLE = ("aws_foreign", "FOREIGN"), ("aws_foreign", "UNREADABLE")
# the source that an event or its records name
BY_SOURCE: "dict[str, Place]" = {
    "aws:sqs": QUEUE,
    "aws:sns": TOPIC,
    "aws:s3": NOTIFIED,
    "aws:kinesis": KINESIS,
    "aws:dynamodb": DYNAMODB,
    "aws:kafka": KAFKA,
    "SelfManagedKafka": KAFKA,
    "aws:SelfManagedKafka": KAFKA,
    "aws:mq": ("aws_brokers", "ACTIVEMQ"),
    "aws:amq": ("aws_brokers", "ACTIVEMQ"),
    "aws:rmq": ("aws_brokers", "RABBITMQ"),
}
# a key of a record, for records whose source is absent or odd
BY_FIELD: "dict[str, Place]" = {"body": QUEUE, "Sns": TOPIC, "kinesis": KINESIS, "dynamodb": DYNAMODB, "s3": NOTIFIED}
# a key at the top of an event that only this kind of event has
BY_KEY: "dict[str, Place]" = {
    "deliveryStreamArn": ("aws_streams", "FIREHOSE"),
    "rmqMessagesByQueue": ("aws_brokers", "RABBITMQ"),
    "isFinalInvokeForWindow": KINESIS,  # the last call of a window has no records
    "detail-type": ("aws_events", "EVENT"),
    "requestPayload": ("aws_events", "DESTINATION"),
    "responsePayload": ("aws_events", "DESTINATION"),
    "Items": ("aws_events", "MAP"),
    "BatchInput": ("aws_events", "MAP"),
    "tasks": ("aws_files", "BATCH"),
    "invocationSchemaVersion": ("aws_files", "BATCH"),
    "methodArn": FOREIGN,  # authorizers, whose events hold a whole request
    "routeArn": FOREIGN,
}
# the keys by which `_place` may find a trigger; an event without them is of none
TELLING = frozenset(("eventSource", "EventSource", "Records", "source", "Event", *BY_KEY))
S3 = ("aws:s3", "aws.s3", "s3:TestEvent")  # in its notifications, in its events on a bus, in its test message


def find(event: "Any", context: "Any") -> "Trigger | None":
    """Find the trigger of an event; None for HTTP and for direct invocations.

    An event of a sender that is not served has a trigger that refuses it.
    """
    if getattr(context, "client_context", None) is not None:
        from aws_agentcore import call  # imported late: few callers send a client context

        if call(context) is not None:  # the event is the arguments of a tool, which may have any names
            return None
    if isinstance(event, dict):
        place = None if TELLING.isdisjoint(event) else _place(event)
        if place is None and not _is_request(event):
            from aws_foreign import recognized  # imported late: only events that nothing else matches are looked up

            place = recognized(event)
    else:
        place = _place_of_other(event)
    if place is None:
        return None
    module, name = place
    trigger: Trigger = getattr(__import__(module), name)
    return trigger


def _place(event: "dict[str, Any]") -> "Place | None":
    """Find the trigger of an event by its records, its source or a key; None if none of them tells it."""
    source = event.get("eventSource") or event.get("EventSource")  # of one record by itself, as a state machine may pass it on
    place = BY_SOURCE.get(source) if isinstance(source, str) else None
    records = [event]
    if place is None and "Records" in event:
        records = event["Records"] if isinstance(event["Records"], list) else []
        place = _place_of_records(records)
    if place in (QUEUE, TOPIC) and _names_objects(records):
        return QUEUED if place is QUEUE else NOTIFIED
    if event.get("source") == "aws.s3" or event.get("Event") == "s3:TestEvent":
        return NOTIFIED
    if place is None and not BY_KEY.keys().isdisjoint(event):
        place = next(BY_KEY[key] for key in BY_KEY if key in event)
    return place


def _place_of_records(records: "list[Any]") -> "Place | None":
    """Find the trigger by the first record that names a known source, or else by the first that has a known field."""
    known = [record for record in records if isinstance(record, dict)]
    for record in known:
        source = record.get("eventSource") or record.get("EventSource")
        if isinstance(source, str) and source in BY_SOURCE:
            return BY_SOURCE[source]
    return next((BY_FIELD[key] for record in known for key in record if key in BY_FIELD), None)


def _names_objects(records: "list[Any]") -> bool:
    """Tell whether messages of a queue or topic may be from S3; `aws_files` reads them more closely."""
    for record in records:
        if isinstance(record, dict):
            notification = record.get("Sns")
            text = record.get("body") or (notification.get("Message") if isinstance(notification, dict) else None)
            if isinstance(text, str) and "s3" in text and any([word in text for word in S3]):
                return True
    return False


def _is_request(event: "dict[str, Any]") -> bool:
    """Tell whether an event carries HTTP, or is a direct invocation for certain."""
    if "instances" in event or "operation" in event:
        return True
    if "rawPath" in event or "raw_path" in event or not {"method", "path"}.difference(event):
        return True
    sender = event.get("requestContext")
    return "httpMethod" in event or (isinstance(sender, dict) and "http" in sender)


def _place_of_other(event: "Any") -> "Place | None":
    """Find the trigger of an event that is no object: an array of records, or a text that keeps a function warm."""
    if isinstance(event, list) and any([isinstance(item, dict) and "eventSource" in item for item in event[:100]]):
        from aws_pipes import source_of

        source = source_of(event)
        if source == "aws:sqs" and _names_objects(event):
            return QUEUED
        return ("aws_pipes", "PIPES") if source else FOREIGN
    if isinstance(event, list) and event and isinstance(event[0], dict) and not {"arguments", "info"}.difference(event[0]):
        return FOREIGN  # AppSync, which may batch its calls
    return ("aws_foreign", "WARM_UP") if isinstance(event, str) and event.startswith("#warmup") else None
