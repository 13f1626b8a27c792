"""A function for tests of Runtime API clients: it runs the code in an event, or returns a value of the event."""

import sys

STARTED = [*sys.modules]


class Custom(Exception):
    """An error of the function's own."""


def dive(depth):
    """Call itself."""
    return dive(depth + 1)


def handler(event, context):
    """Run `event["run"]`, which sets `result`; without it return `event["return"]`, or else the event."""
    if not isinstance(event, dict) or "run" not in event:
        return event["return"] if isinstance(event, dict) and "return" in event else event
    scope = {"event": event, "context": context, "dive": dive, "Custom": Custom, "STARTED": STARTED}
    exec(event["run"], scope)
    return scope.get("result")
