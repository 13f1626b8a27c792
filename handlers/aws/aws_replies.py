"""What the triggers of AWS share: the invocation's id, and the forms of a reply.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (ReportBatchItemFailures has to be set)
"""

import json

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


def item_failures(names: "Iterable[str]") -> "dict[str, Any]":
    """Reply with the messages or records to deliver again.

    :param names: the identifiers that the event gave them.
    """
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}
