"""Lambda's usual entry around a model: the body's JSON in, JSON out."""

import json
from typing import Any

from model import answer


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an event of an HTTP API."""
    body = json.dumps(answer(json.loads(event["body"])))
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
