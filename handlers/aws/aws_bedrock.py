"""Read calls of Bedrock agents' action groups, described by an API schema or by functions, and answer in their form.

https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
All values are texts beside the name of their type. A function's parameters are one instance, and an API's properties are the
fields of a body.
"""

import json

from flyweight.errors import OK, FlyweightError
from flyweight.records.fields import fields, items, text
from flyweight.values import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.values import Response

JSON = "application/json"
FAILED = FlyweightError.status
TYPED = ("number", "integer", "boolean", "array", "object")  # types whose values are JSON in a text


def request_of(event: "dict[str, Any]", request_id: str, decode_http: object) -> Request:
    """Decode a call to a request."""
    if "apiPath" in event:
        method, path = text(event.get("httpMethod")) or "POST", text(event["apiPath"])
        properties = fields(fields(fields(event.get("requestBody")).get("content")).get(JSON)).get("properties", [])
    else:
        method, path, properties = "POST", "/predict", event.get("parameters", [])
    values = {text(one.get("name")): _value(one) for one in items(properties) if isinstance(one, dict)}
    body: Any = values if "instances" in values else {"instances": [values]}
    data = json.dumps(body).encode() if method.upper() == "POST" else b""
    return Request(method, path, {"content-type": JSON}, data, request_id)


def answer_of(response: "Response", event: "dict[str, Any]", encode_http: object) -> "dict[str, Any]":
    """Encode a response; a refused call of a function asks the agent to correct the parameters."""
    body = response.body.decode()
    answer: dict[str, Any] = {"actionGroup": event["actionGroup"]}
    if "apiPath" in event:
        answer |= {"apiPath": event["apiPath"], "httpMethod": event.get("httpMethod"), "httpStatusCode": response.status}
        answer["responseBody"] = {JSON: {"body": body}}
    else:
        refused = {} if response.status == OK else {"responseState": "REPROMPT" if response.status < FAILED else "FAILURE"}
        answer |= {"function": event.get("function"), "functionResponse": {**refused, "responseBody": {"TEXT": {"body": body}}}}
    kept = {name: event[name] for name in ("sessionAttributes", "promptSessionAttributes") if isinstance(event.get(name), dict)}
    return {"messageVersion": "1.0", "response": answer, **kept}


def _value(parameter: "dict[str, Any]") -> "Any":
    """Read the value of a parameter by its type; a text that is not of its type stays a text, and the model refuses it."""
    value = parameter.get("value")
    if not isinstance(value, str) or parameter.get("type") not in TYPED:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
