"""Plain HTTP requests, the format of `events/http`, which a target's runtime converts to events of that target.

A plain request has `method`, `path`, `headers` (names in lower case, {} if absent) and at most one body: `body`, which is text or
another JSON value, sent as its JSON text, or `body_base64`, for bytes that are not text.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from flyweight.toolkit.errors import RuntimeFailed

REQUIRED = {"method", "path"}
OPTIONAL = {"headers", "body", "body_base64"}


def is_plain(event: Any) -> bool:
    """Tell whether an event is a plain request: it has a method, a path and no unknown field."""
    return isinstance(event, dict) and REQUIRED <= event.keys() <= REQUIRED | OPTIONAL


def body_of(request: Mapping[str, Any]) -> bytes:
    """Read the bytes of a request's body; b"" without one."""
    if "body_base64" in request:
        return base64.b64decode(request["body_base64"])
    body = request.get("body", "")
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def field_of(event: Any, name: str) -> str:
    """Get a field that a request must have.

    :raises RuntimeFailed: the event lacks it, as the body of a request does.
    """
    try:
        value: str = event[name]
    except (KeyError, TypeError):
        step = "make one with `flyweight events new TARGET predict`; `flyweight events request` makes the body of one alone"
        raise RuntimeFailed(f"the event is no request: it has no field {name!r}", step) from None
    return value


def body_fields(body: bytes) -> dict[str, str]:
    """Write a body as a field of a request: `body` if it is text, else `body_base64`; {} for an empty one."""
    try:
        return {"body": body.decode()} if body else {}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
