"""SQS and SNS events to records; the reply to SQS names the messages to be delivered again, SNS is told by raising.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (ReportBatchItemFailures has to be set)
https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html (the envelope of a notification in a queue)
"""

import json

from aws_triggers import request_id

from flyweight.records import Record, Trigger, content_type_of, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.records import Outcome


def _messages(event: "Any", context: "Any") -> "list[Record]":
    """A record a message; of a notification in a queue the message that was published."""
    return [_message(message) for message in event["Records"]]


def _message(message: "dict[str, Any]") -> Record:
    attributes, source, body = message["attributes"], message["eventSourceARN"], message["body"]
    named = message.get("messageAttributes")
    content_type = _content_type(named, "stringValue") if named else ""
    origin = {"source": source, "time": attributes.get("SentTimestamp"), "received": attributes.get("ApproximateReceiveCount")}
    group = attributes.get("MessageGroupId", "")
    if group:
        origin["group"] = group
    if '"TopicArn"' in body or '"detail-type"' in body:
        body, content_type = _unwrapped(body, content_type, origin)
    # a group of a standard queue is for fair shares, and keeps no order
    sequence = group if source.endswith(".fifo") else ""
    values = (message["messageId"], body.encode("utf-8", "surrogatepass"), content_type, origin, sequence, None)
    return Record._make(values)  # in half the time, and there are thousands


def _unwrapped(body: str, content_type: str, origin: "dict[str, Any]") -> "tuple[str, str]":
    """What was published, where the body is the envelope of a notification or of an event from a bus."""
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


def _content_type(attributes: "dict[str, Any] | None", value: str) -> str:
    """Find the content type among a message's attributes, whose text is under the key `value`."""
    return content_type_of((name, attribute.get(value)) for name, attribute in (attributes or {}).items())


def _notifications(event: "Any", context: "Any") -> "list[Record]":
    return [_notification(record["Sns"]) for record in event["Records"]]


def _notification(sent: "dict[str, Any]") -> Record:
    origin = {"source": sent["TopicArn"], "time": sent.get("Timestamp")}
    if sent.get("Subject"):
        origin["subject"] = sent["Subject"]
    body = sent["Message"].encode("utf-8", "surrogatepass")
    return Record(sent["MessageId"], body, _content_type(sent.get("MessageAttributes"), "Value"), origin)


def _batch_item_failures(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    return {"batchItemFailures": [{"itemIdentifier": outcome.record.id} for outcome in failed(outcomes)]}


def _answers(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "Any":
    """All answers, for the function's destination if it has one; a failure is raised, and Lambda tries again."""
    from aws_events import answers

    return answers(outcomes)


SQS = Trigger("sqs", _messages, _batch_item_failures, request_id)
SNS = Trigger("sns", _notifications, _answers, request_id, answers=True)
