"""The entry of Cloud Run functions: it takes a Flask request, of HTTP or of an event, and answers with body, status, headers."""

import os

import flask
from gcp_message import opened
from gcp_paths import join_slashes
from gcp_request import decode, encode
from gcp_triggers import find

from flyweight.handler import bind
from flyweight.serving import logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def lines() -> "logs.Log":
    """Log one line of JSON an entry, with the names that Cloud Logging reads (https://cloud.google.com/logging/docs/structured-logging)."""
    return logs.line({"level": "severity", "timestamp": "time"})


# functions-framework imports this file in gunicorn's master, which forks; each child loads the model before its first request.
answer = bind(
    decode,
    encode,
    folder=os.path.dirname(__file__),
    logs={"": lines},
    after_fork=True,
    triggers=find,
    sinks="gcp_sinks",
)


def predict(*event: "Any") -> "Any":
    """Answer a Flask request; or consume a CloudEvent, or data and context, which the framework's other signatures pass."""
    return answer(*map(opened, event))


if flask.has_app_context():  # the framework imports this file within its application
    join_slashes(flask.current_app._get_current_object())  # type: ignore[attr-defined]
