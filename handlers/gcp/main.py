"""Google Cloud Functions' entry: a Flask request in, HTTP's or an event's, Flask's (body, status, headers) out."""

import os

from gcp_request import decode, encode
from gcp_triggers import SINKS, find

from flyweight.handler import bind
from flyweight.serving import logs


def lines() -> "logs.Log":
    """One line of JSON an entry, under the names that Cloud Logging reads (https://cloud.google.com/logging/docs/structured-logging)."""
    return logs.line({"level": "severity", "timestamp": "time"})


# functions-framework imports this file in gunicorn's master and forks: each child loads the model before its first request.
predict = bind(
    decode,
    encode,
    folder=os.path.dirname(__file__),
    logs={"": lines},
    after_fork=True,
    triggers=find,
    sinks=SINKS,
)
