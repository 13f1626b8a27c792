"""Find the trigger of a message, CloudEvent or background event; None for plain HTTP."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.records import Trigger

# a header that only one kind of sender sets -> the trigger's name in gcp_events
BY_HEADER = {
    "ce-id": "BINARY",
    "x-cloudtasks-taskname": "TASK",
    "x-cloudscheduler": "SCHEDULE",
    "x-goog-pubsub-message-id": "UNWRAPPED",
}
STORED = ("google.cloud.storage.object.", "google.storage.object.")  # the types of events about an object
PUSHED = (b"message", b"subscription", b"deliveryAttempt")  # the first key of a push; no body of a prediction begins like it


def find(sent: "Any", context: "Any" = None) -> "Trigger | None":
    """Find the trigger of an event; None for plain HTTP.

    :param sent: the message of a request, a CloudEvent, or the data of a background event, as the signature says.
    :param context: of a background event.
    """
    if context is not None:
        return _trigger("BACKGROUND", context.event_type)
    if not hasattr(sent, "method"):
        return _trigger("CLOUD_EVENT", sent.get("type"))
    if sent.method != "POST":
        return None
    headers = sent.headers
    for header in BY_HEADER:
        if header in headers:
            return _trigger(BY_HEADER[header], headers.get("ce-type") if header == "ce-id" else "")
    content_type = headers.get("content-type", "").lower()
    if content_type.startswith("application/cloudevents"):
        return _trigger("STRUCTURED", "")
    return _trigger("PUSH", "") if content_type.startswith("application/json") and _is_pushed(sent) else None


def _is_pushed(message: "Any") -> bool:
    """Tell whether a body is the envelope of a Pub/Sub push or the answer of a pull, which no header says."""
    body = message.body
    begin = body[:64].split(b'"', 2)
    if len(begin) < 3 or begin[0].strip() != b"{":
        return False
    return (begin[1] in PUSHED and b'"subscription"' in body) or (begin[1] == b"receivedMessages" and b'"ackId"' in body)


def _trigger(name: str, kind: "Any") -> "Trigger":
    """Import a trigger: the one of this name, or that of objects if the type of the event says that it is about one."""
    if isinstance(kind, str) and kind.startswith(STORED):
        name = f"STORED_{name}"
    trigger: Trigger = getattr(__import__("gcp_events"), name)
    return trigger
