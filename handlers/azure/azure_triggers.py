"""Find the trigger of an invocation: each function of the app passes on its own; None for a request of HTTP."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.records import Trigger


def find(sent: "Any", context: "Any", trigger: "Trigger | None" = None) -> "Trigger | None":
    """Find the trigger of an invocation: the one that its function was registered for; None for a request."""
    if trigger is not None:
        return trigger
    posted = sent.method == "POST" and "aeg-event-type" in sent.headers
    if posted or (sent.method == "OPTIONS" and "webhook-request-origin" in sent.headers):
        from azure_webhook import WEBHOOK  # imported late: requests do not need it

        return WEBHOOK
    return None
