"""Find the trigger of a Flask request, CloudEvent or background event; None for plain HTTP."""

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
FINALIZED = ("google.cloud.storage.object.v1.finalized", "google.storage.object.finalize")  # an object was written whole


def find(sent: "Any", context: "Any" = None) -> "Trigger | None":
    """Find the trigger of an event; None for plain HTTP.

    :param sent: a Flask request, a CloudEvent, or the data of a background event, depending on the function's signature.
    :param context: of a background event.
    """
    if context is not None:
        return _trigger("BACKGROUND", context.event_type in FINALIZED)
    if not hasattr(sent, "method"):
        return _trigger("CLOUD_EVENT", sent["type"] in FINALIZED)
    if sent.method != "POST":
        return None
    headers = sent.headers
    for header in BY_HEADER:
        if header in headers:
            return _trigger(BY_HEADER[header], headers.get("ce-type") in FINALIZED)
    content_type = sent.content_type or ""
    if content_type.startswith("application/cloudevents"):
        return _trigger("STRUCTURED", FINALIZED[0].encode() in sent.get_data())
    return _trigger("PUSH", False) if content_type.startswith("application/json") and _is_pushed(sent) else None


def _is_pushed(request: "Any") -> bool:
    """Tell whether a body is the envelope of a Pub/Sub push, which no header says; no body of a prediction begins like it."""
    try:
        body = request.get_data()  # kept for `decode`
    except Exception:  # `decode` meets the same error, and reports it
        return False
    begin = body[:64].split(b'"', 2)
    return len(begin) > 2 and begin[1] in (b"message", b"subscription", b"deliveryAttempt") and b'"subscription"' in body


def _trigger(name: str, finalized: bool) -> "Trigger":
    """Import a trigger: that of objects if the event says that one was finalized, else the one of this name in gcp_events."""
    module, name = ("gcp_files", "OBJECT") if finalized else ("gcp_events", name)
    trigger: Trigger = getattr(__import__(module), name)
    return trigger
