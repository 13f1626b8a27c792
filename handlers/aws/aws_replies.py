"""What the triggers of AWS share: the invocation's id, and the forms of a reply.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (ReportBatchItemFailures has to be set)
"""

import json

from aws_items import UNNAMED

from flyweight import strict_json
from flyweight.records import raise_failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from flyweight.records import Outcome


def request_id(event: "Any", context: "Any") -> str:
    """Get the invocation's id."""
    return getattr(context, "aws_request_id", "")


def answers(outcomes: "Sequence[Outcome]", *event: "Any") -> "Any":
    """Reply with a list of all answers, in the order of the records; a rejected record's answer is a problem document.

    :raises Exception: the first failure; Lambda, or the state machine, tries the event again.
    """
    raise_failed(outcomes)
    return json.loads(strict_json.encode([outcome.answer for outcome in outcomes]))


def names_of(outcomes: "Iterable[Outcome]") -> "list[str]":
    """List the names that the event gave to failed records, each once, in their order.

    Many records may come from one message or one aggregate, whose name is in their origin.

    :raises Exception: the error of a record without a name: the whole event has to be delivered again.
    """
    names: dict[str, None] = {}
    for outcome in outcomes:
        origin = outcome.record.origin
        name = origin.get("message") or origin.get("aggregate") or outcome.record.id
        if name.startswith(UNNAMED) and outcome.error is not None:
            raise outcome.error
        names[name] = None
    return [*names]


def item_failures(names: "Iterable[Any]") -> "dict[str, Any]":
    """Reply with the messages or records to deliver again.

    :param names: the identifiers that the event gave them.
    """
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}
