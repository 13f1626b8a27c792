"""Read events that Event Grid posts to the app's HTTP endpoint, and answer the handshake by which it asks for consent.

https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
https://learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema
https://learn.microsoft.com/azure/event-grid/delivery-and-retry (which statuses are tried again)
"""

import azure.functions as func
from azure_envelopes import CREATED, event_records

from flyweight import strict_json
from flyweight.errors import OK, MalformedRequest, NotServed
from flyweight.records import Record, Trigger, http_replies, records_of, unreadable
from flyweight.records.cloudevents import events_of, structured
from flyweight.records.fields import fields, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from flyweight.records import Outcome

VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
KIND, ORIGIN = "aeg-event-type", "webhook-request-origin"  # the headers by which the sender is known


def _records(sent: "Any", context: "Any", trigger: "Any" = None) -> "list[Record]":
    """Make the records of the events in a request; a handshake has none."""
    if _is_handshake(sent):
        return []
    body: bytes = sent.get_body()
    try:
        events = events_of(body)
    except MalformedRequest as error:
        return [unreadable(body, error, "event", "eventgrid")]
    return records_of(events, _event, lambda event, error: unreadable(event, error, "event", fields(event).get("topic")))


def _event(event: "Any") -> "Iterable[Record]":
    """Make the records of one event.

    :raises MalformedRequest: it is no event.
    :raises NotServed: it names a file, which takes longer than the sender waits, or is one of Azure's own events.
    """
    read = structured(event)
    if read.type == CREATED:
        raise NotServed("a file is not scored by HTTP: subscribe the function eventgrid, or a queue; see docs/triggers.md")
    return event_records(read, {})


def _reply(outcomes: "Sequence[Outcome]", sent: "Any", context: "Any", trigger: "Any" = None) -> func.HttpResponse:
    """Reply with the answers and a status, or with the consent that a handshake asks for."""
    if sent.method == "OPTIONS":
        consent = {"webhook-allowed-origin": sent.headers.get(ORIGIN) or "", "webhook-allowed-rate": "*"}
        return func.HttpResponse(b"", status_code=OK, headers=consent)
    if _is_handshake(sent):
        code = _validation_code(sent.get_body())
        body, status = strict_json.encode({"validationResponse": code}), OK
        return func.HttpResponse(body, status_code=status, headers={"content-type": "application/json"})
    body, status, headers = http_replies.answered(outcomes)
    return func.HttpResponse(body, status_code=status, headers=headers)


def _refuse(error: Exception, request_id: str, *event: "Any") -> func.HttpResponse:
    """Reply to a request that can't be read."""
    body, status, headers = http_replies.refused(error, request_id)
    return func.HttpResponse(body, status_code=status, headers=headers)


def _is_handshake(sent: "Any") -> bool:
    return sent.method == "OPTIONS" or (sent.headers.get(KIND) or "").lower() == "subscriptionvalidation"


def _validation_code(body: bytes) -> str:
    """Find the code that a handshake wants back; "" if it has none, and then the sender refuses the endpoint."""
    try:
        events = [fields(event) for event in events_of(body)]
    except MalformedRequest:
        return ""
    codes = [fields(event.get("data")).get("validationCode") for event in events if event.get("eventType") == VALIDATION]
    return text(codes[0]) if codes else ""


def _request_id(sent: "Any", context: "Any", trigger: "Any" = None) -> str:
    identity: str = context.invocation_id
    return identity


WEBHOOK = Trigger("webhook", _records, _reply, _request_id, answers=True, refuse=_refuse)
