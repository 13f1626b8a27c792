"""Read calls of Athena's UDFs, and answer them; a call that fails raises, because Athena shows the errors of invocations alone.

https://docs.aws.amazon.com/athena/latest/ug/querying-udf.html
"""

import json

from flyweight.errors import OK, FlyweightError
from flyweight.values import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.values import Response


class QueryFailed(FlyweightError):
    """The query can't be answered; Athena shows the message."""


def request_of(event: "dict[str, Any]", request_id: str, decode_http: object) -> Request:
    """Decode a call to a request."""
    return Request("POST", "/predict", {"content-type": "application/json"}, json.dumps(event).encode(), request_id)


def answer_of(response: "Response", event: "dict[str, Any]", encode_http: object) -> "Any":
    """Encode a response.

    :raises QueryFailed: it is an error.
    """
    document = json.loads(response.body)
    if response.status != OK:
        raise QueryFailed(document.get("error") or document.get("detail") or "internal error")
    return document
