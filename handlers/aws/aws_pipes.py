"""Read arrays of records, which EventBridge Pipes sends, from any of its sources.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-source.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html (the reply)
"""

import json

from aws_brokers import activemq_records, kafka_records, numbered, rabbitmq_records
from aws_items import unread
from aws_queues import message_records, unread_message, with_payloads
from aws_replies import item_failures, names_of, request_id
from aws_streams import dynamodb_records, kinesis_records, unread_dynamodb, unread_kinesis

from flyweight import settings, strict_json
from flyweight.records import Record, Trigger, failed, raise_failed, records_of
from flyweight.records.fields import fields, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from flyweight.records import Outcome

    Make = Callable[[Any], Iterable[Record]]
    Unread = Callable[[Any, Exception], Record]


def _arn(item: "Any") -> str:
    return text(item.get("eventSourceArn")) or text(item.get("bootstrapServers"))


def _unread(item: "Any", error: Exception) -> Record:
    known = fields(item)
    return unread(item, error, "record", known.get("messageID"), known.get("eventSourceArn"))


def _kafka(item: "Any") -> "list[Record]":
    return kafka_records(item, _arn(item), text(item.get("eventSourceKey")) or f"{item.get('topic')}-{item.get('partition')}")


READERS: "dict[str, tuple[Make, Unread]]" = {
    "aws:sqs": (message_records, unread_message),
    "aws:kinesis": (kinesis_records, unread_kinesis),
    "aws:dynamodb": (dynamodb_records, unread_dynamodb),
    "aws:kafka": (_kafka, _unread),
    "aws:SelfManagedKafka": (_kafka, _unread),
    "SelfManagedKafka": (_kafka, _unread),
    "aws:amq": (lambda item: activemq_records(item, _arn(item)), _unread),
    "aws:rmq": (lambda item: rabbitmq_records(item, _arn(item), text(item.get("eventSourceKey"))), _unread),
}
PARTIAL = ("aws:sqs", "aws:kinesis", "aws:dynamodb")  # sources for which a pipe takes a reply that names failed records


def source_of(event: "Any") -> str:
    """Find the source of an array of records, the first that one of them names; "" if none exists."""
    named = [text(item.get("eventSource")) for item in event if isinstance(item, dict)]
    return next((name for name in named if name in READERS), "")


def _records(event: "Any", context: "Any") -> "list[Record]":
    source = source_of(event)
    records = records_of(event, *READERS[source])
    return numbered(records, request_id(event, context)) if source == "aws:rmq" else with_payloads(records)


def _reply(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "Any":
    """Reply with the failed records, or with all answers if the pipe enriches its records with them.

    A pipe does not say whether the function is its target or its enrichment. With FLYWEIGHT_RESULTS the answers have a place,
    and the reply holds failures only.

    :raises Exception: all records failed, or one of a source whose records are delivered again all together.
    """
    left = failed(outcomes)
    if len(left) == len(outcomes) or source_of(event) not in PARTIAL:
        raise_failed(outcomes)
    if left or settings.variable("FLYWEIGHT_RESULTS"):
        stream = left[:1] if source_of(event) != "aws:sqs" else left
        return item_failures(names_of(stream))
    return json.loads(strict_json.encode([outcome.answer for outcome in outcomes]))


PIPES = Trigger("pipes", _records, _reply, request_id, answers=True)
