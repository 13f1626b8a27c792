"""Take documents out of envelopes: a notification of SNS, an event of EventBridge, one inside the other to any depth.

SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
EventBridge: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
"""

import json

from flyweight.records import content_type_of
from flyweight.records.fields import fact, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MARKS = ('"TopicArn"', '"detail-type"')  # one of them is in every envelope
S3_BUS = "aws.s3"  # the source of S3's events on a bus, which name an object and hold no instances


def unwrapped(document: "Any", content_type: str, origin: "dict[str, Any]") -> "tuple[Any, str]":
    """Take a document out of its envelopes; one that is in none stays as it is.

    Each step reads a text that is shorter than the one before it, or a part of what is parsed: the work is in proportion to the
    text.

    :param document: a text, or a value that is parsed already.
    :param origin: gets the facts that the envelopes have.
    :returns: the document, and its content type.
    """
    while True:
        envelope = _parsed(document) if isinstance(document, str) else document
        if not isinstance(envelope, dict):
            return document, content_type
        if envelope.get("Type") == "Notification" and isinstance(envelope.get("Message"), str):
            origin["topic"] = text(envelope.get("TopicArn"))
            document = envelope["Message"]
            content_type = content_type_in(envelope.get("MessageAttributes"), "Value") or content_type
        elif "detail-type" in envelope and "detail" in envelope and envelope.get("source") != S3_BUS:
            origin["event"], origin["detail_type"] = fact(envelope.get("source")), fact(envelope["detail-type"])
            document, content_type = envelope["detail"], ""
        else:
            return document, content_type


def body_of(document: "Any") -> bytes:
    """Write a document as the body of a record: a text as it is, anything else as JSON."""
    return (document if isinstance(document, str) else json.dumps(document)).encode("utf-8", "surrogatepass")


def content_type_in(attributes: "Any", key: str) -> str:
    """Find the content type among a message's attributes.

    :param key: under which an attribute has its text.
    """
    if not isinstance(attributes, dict):
        return ""
    found = [(name, attribute.get(key)) for name, attribute in attributes.items() if isinstance(attribute, dict)]
    return content_type_of([(name, value) for name, value in found if isinstance(value, str)])


def _parsed(document: str) -> "Any":
    """Parse a text that may be an envelope; None for any other text."""
    if not any([mark in document for mark in MARKS]):
        return None
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        return None
