"""Read events of SQS and SNS; the reply to SQS names the messages to deliver again, for SNS a failure is raised.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (ReportBatchItemFailures has to be set)
"""

from aws_envelopes import MARKS, body_of, content_type_in, unwrapped
from aws_items import identity, unread
from aws_replies import answers, item_failures, names_of, request_id

from flyweight.records import NOTHING, Record, Trigger, failed, records_of
from flyweight.records.fields import fact, fields, items, required, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.records import Outcome

POINTER = (b'["software.amazon.', b'["com.amazon.sqs.')  # begins a body that an extended client left in S3


def _messages(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each message; of a notification in a queue, a record of the message that was published."""
    return with_payloads(records_of(items(event.get("Records", event)), message_records, unread_message))


def message_records(message: "Any") -> "list[Record]":
    """Make the record of one message.

    :raises MalformedRequest: the message has no body.
    """
    # types are checked in place, not by functions: there are thousands of messages
    body: Any = message.get("body") if type(message) is dict else None
    if type(body) is not str:
        body = required(message, "body")
    system, source, name = message.get("attributes"), message.get("eventSourceARN"), message.get("messageId")
    system = system if type(system) is dict else NOTHING
    source = source if type(source) is str else ""
    sent, received = system.get("SentTimestamp"), system.get("ApproximateReceiveCount")
    attributes, group = message.get("messageAttributes"), system.get("MessageGroupId")
    content_type = content_type_in(attributes, "stringValue") if attributes else ""
    origin = {
        "source": source,
        "time": sent if type(sent) is str else fact(sent),
        "received": received if type(received) is str else fact(received),
    }
    sequence = ""
    if group and type(group) is str:
        origin["group"] = group
        # a group of a standard queue serves fair sharing, and keeps no order
        sequence = group if source.endswith(".fifo") else ""
    if MARKS[0] in body or MARKS[1] in body:
        body, content_type = unwrapped(body, content_type, origin)
    data = body.encode("utf-8", "surrogatepass") if type(body) is str else body_of(body)
    name = name if name and type(name) is str else identity(name, message)
    return [Record._make((name, data, content_type, origin, sequence, None))]  # in half the time of a call with fields


def unread_message(message: "Any", error: Exception) -> Record:
    """Make the record of a message that can't be read."""
    known = fields(message)
    return unread(message, error, "message", known.get("messageId"), known.get("eventSourceARN"))


def with_payloads(records: "list[Record]") -> "list[Record]":
    """Replace bodies that only point to an object in S3."""
    if not any([record.body.startswith(POINTER) for record in records]):
        return records
    from aws_payloads import fetched  # imported late: boto3 takes longer than a cold start

    return fetched(records)


def _notifications(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each notification."""
    return with_payloads(records_of(items(event.get("Records", event)), notification_records, unread_notification))


def notification_records(record: "Any") -> "list[Record]":
    """Make the record of one notification.

    :raises MalformedRequest: the notification has no message.
    """
    notification = fields(fields(record).get("Sns"))
    message = required(notification, "Message")
    origin = {"source": text(notification.get("TopicArn")), "time": fact(notification.get("Timestamp"))}
    if text(notification.get("Subject")):
        origin["subject"] = notification["Subject"]
    document, content_type = unwrapped(message, content_type_in(notification.get("MessageAttributes"), "Value"), origin)
    return [Record(identity(notification.get("MessageId"), record), body_of(document), content_type, origin)]


def unread_notification(record: "Any", error: Exception) -> Record:
    """Make the record of a notification that can't be read."""
    known = fields(fields(record).get("Sns"))
    return unread(record, error, "notification", known.get("MessageId"), known.get("TopicArn"))


def _failed_messages(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """Reply with the messages to deliver again.

    :raises Exception: a message without an id failed, so that the reply can't name it.
    """
    return item_failures(names_of(failed(outcomes)))


SQS = Trigger("sqs", _messages, _failed_messages, request_id)
SNS = Trigger("sns", _notifications, answers, request_id, answers=True)  # the answers go to the function's destination, if any
