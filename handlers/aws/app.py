"""AWS Lambda's entry: an event of any HTTP source, or plain JSON, comes in; the answer goes out in that source's shape."""

import os

from aws_event import decode, encode
from aws_triggers import SINKS, find

from flyweight import settings
from flyweight.handler import bind
from flyweight.serving import logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.serving.service import Service


def lines() -> "logs.Log":
    """One line of JSON an entry, under the field names of Lambda's own JSON logs."""
    return logs.line({"request_id": "requestId"})


def powertools() -> "logs.Log":
    """Powertools' Logger and Metrics, imported for those who ask: they take longer than all the rest of a cold start."""
    from aws_powertools import log

    return log()


def tracer() -> "logs.Log":
    """The same, and Powertools' Tracer, which needs the X-Ray SDK."""
    from aws_tracer import log

    return log()


def hooks(served: "Service") -> None:
    """SnapStart's, where the function has it."""
    if settings.variable("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from aws_snapshot import register

        register(served)


# Lambda freezes a process between invocations: a request waits for the check of a model that it starts, but not for long.
lambda_handler = bind(
    decode,
    encode,
    folder=os.path.dirname(__file__),
    logs={"": lines, "powertools": powertools, "tracer": tracer},
    refresh_wait_seconds=0.1,
    hooks=hooks,
    triggers=find,
    sinks=SINKS,
)
