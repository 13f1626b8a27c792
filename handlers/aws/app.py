"""The entry of AWS Lambda: it takes an event of any HTTP source, or plain JSON, and answers in the form of that source."""

from aws_event import decode, encode
from aws_triggers import find

from flyweight import settings
from flyweight.handler import bind
from flyweight.serving import logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.serving.service import Service


def lines() -> "logs.Log":
    """Log one line of JSON an entry, with the field names of Lambda's own JSON logs."""
    return logs.line({"request_id": "requestId"})


def powertools() -> "logs.Log":
    """Log by Powertools' Logger and Metrics, imported only if chosen: they take longer than all the rest of a cold start."""
    from aws_powertools import log

    return log()


def tracer() -> "logs.Log":
    """Log by Powertools as well, and trace by its Tracer, which needs the X-Ray SDK."""
    from aws_tracer import log

    return log()


def hooks(service: "Service") -> None:
    """Register SnapStart's hooks if the function has SnapStart."""
    if settings.variable("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from aws_snapshot import register

        register(service)


# Lambda freezes a process between invocations, so a request that starts the check of a model waits for it, but not for long.
lambda_handler = bind(
    decode,
    encode,
    folder=__file__.rpartition("/")[0],
    logs={"": lines, "powertools": powertools, "tracer": tracer},
    refresh_wait_seconds=0.1,
    hooks=hooks,
    triggers=find,
    sinks="aws_sinks",
)
