"""Read events of SQS and SNS; the reply to SQS names the messages to deliver again, for SNS a failure is raised.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (ReportBatchItemFailures has to be set)
https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html (the envelope of a notification in a queue)
"""

import json

from aws_replies import answers, item_failures, request_id

from flyweight.records import Record, Trigger, content_type_of, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.records import Outcome


def _messages(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each message; of a notification in a queue, a record of the message that was published."""
    return [_message(message) for message in event["Records"]]


def _message(message: "dict[str, Any]") -> Record:
    system, source, body = message["attributes"], message["eventSourceARN"], message["body"]
    attributes = message.get("messageAttributes")
    content_type = _content_type(attributes, "stringValue") if attributes else ""
    origin = {"source": source, "time": system.get("SentTimestamp"), "received": system.get("ApproximateReceiveCount")}
    group = system.get("MessageGroupId", "")
    if group:
        origin["group"] = group
    if '"TopicArn"' in body or '"detail-type"' in body:
        body, content_type = _unwrapped(body, content_type, origin)
    # a group of a standard queue serves fair sharing, and keeps no order
    sequence = group if source.endswith(".fifo") else ""
    values = (message["messageId"], body.encode("utf-8", "surrogatepass"), content_type, origin, sequence, None)
    return Record._make(values)  # in half the time of a call with fields, and there are thousands


def _unwrapped(body: str, content_type: str, origin: "dict[str, Any]") -> "tuple[str, str]":
    """Take a published message or an event of a bus out of its envelope; any other body stays as it is.

    :param origin: gets the facts that the envelope has.
    :returns: the body and its content type.
    """
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return body, content_type
    if not isinstance(envelope, dict):
        return body, content_type
    if envelope.get("Type") == "Notification" and isinstance(envelope.get("Message"), str):
        origin["topic"] = envelope.get("TopicArn")
        return envelope["Message"], _content_type(envelope.get("MessageAttributes"), "Value") or content_type
    if "detail-type" in envelope and "detail" in envelope:
        origin["event"], origin["detail_type"] = envelope.get("source"), envelope["detail-type"]
        return json.dumps(envelope["detail"]), ""
    return body, content_type


def _content_type(attributes: "dict[str, Any] | None", key: str) -> str:
    """Find the content type among a message's attributes.

    :param key: under which an attribute has its text.
    """
    return content_type_of((name, attribute.get(key)) for name, attribute in (attributes or {}).items())


def _notifications(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each notification."""
    return [_notification(record["Sns"]) for record in event["Records"]]


def _notification(notification: "dict[str, Any]") -> Record:
    origin = {"source": notification["TopicArn"], "time": notification.get("Timestamp")}
    if notification.get("Subject"):
        origin["subject"] = notification["Subject"]
    content_type = _content_type(notification.get("MessageAttributes"), "Value")
    return Record(notification["MessageId"], notification["Message"].encode("utf-8", "surrogatepass"), content_type, origin)


def _failed_messages(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """Reply with the messages to deliver again."""
    return item_failures([outcome.record.id for outcome in failed(outcomes)])


SQS = Trigger("sqs", _messages, _failed_messages, request_id)
SNS = Trigger("sns", _notifications, answers, request_id, answers=True)  # the answers go to the function's destination, if any
