"""A request, or what another signature passes, to the trigger that sent it, by a few looks; None for everybody else's HTTP."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.records import Trigger
    from flyweight.records.sinks import Sink

# headers that one kind of sender sets, and the trigger's name in gcp_events
BY_HEADER = {
    "ce-id": "BINARY",
    "x-cloudtasks-taskname": "TASK",
    "x-cloudscheduler": "SCHEDULE",
    "x-goog-pubsub-message-id": "UNWRAPPED",
}
FINALIZED = ("google.cloud.storage.object.v1.finalized", "google.storage.object.finalize")  # an object is there, whole


def find(sent: "Any", context: "Any" = None) -> "Trigger | None":
    """The trigger of a Flask request; of a CloudEvent, or of data with a context, where the function has such a signature."""
    if context is not None:
        return _object() if context.event_type in FINALIZED else _event("BACKGROUND")
    if not hasattr(sent, "method"):
        return _object() if sent["type"] in FINALIZED else _event("CLOUD_EVENT")
    if sent.method != "POST":
        return None
    headers = sent.headers
    for header in BY_HEADER:
        if header in headers:
            return _object() if headers.get("ce-type") in FINALIZED else _event(BY_HEADER[header])
    media = sent.content_type or ""
    if media.startswith("application/cloudevents"):
        return _object() if FINALIZED[0].encode() in sent.get_data() else _event("STRUCTURED")
    return _event("PUSH") if media.startswith("application/json") and _is_pushed(sent) else None


def _is_pushed(request: "Any") -> bool:
    """Whether a body is the envelope of a Pub/Sub push, which no header tells; nothing that a caller may post begins so."""
    try:
        body = request.get_data()  # kept for `decode`
    except Exception:  # `decode` will say it in its own words
        return False
    begin = body[:64].split(b'"', 2)
    return len(begin) > 2 and begin[1] in (b"message", b"subscription", b"deliveryAttempt") and b'"subscription"' in body


def _event(name: str) -> "Trigger":
    import gcp_events  # imported when such an event comes

    found: Trigger = getattr(gcp_events, name)
    return found


def _object() -> "Trigger":
    from gcp_files import OBJECT

    return OBJECT


def sink(address: str) -> "Sink":
    """The sink at an address; its module is imported for those who set one."""
    from gcp_sinks import open_sink

    return open_sink(address)


SINKS = dict.fromkeys(("pubsub", "gs"), sink)
