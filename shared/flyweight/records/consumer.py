"""Consume a trigger's event: score its records, send results and dead letters, and reply to the platform."""

import gc
import os
from time import perf_counter

from flyweight.errors import FlyweightError, error_fields, log_level, problem, status_of
from flyweight.records import Outcome, failed, sound
from flyweight.records.scoring import score
from flyweight.records.sinks import BlockedBySequence, DeliveryFailed, LogLines, dead_letter, key_of, send_all
from flyweight.values import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.records import Record, Trigger
    from flyweight.records.sinks import Document, Sink
    from flyweight.serving.service import Service
    from flyweight.values import LogFields


def consume(
    service: "Service",
    trigger: "Trigger",
    event: "tuple[Any, ...]",
    results: "Sink | None" = None,
    dead_letters: "Sink | None" = None,
) -> "Any":
    """Score an event's records, send answers and rejected records to their sinks, and write one log line.

    :param event: the arguments of the platform's callable.
    :param results: takes the answers; None: only the trigger's reply holds them, if it can.
    :param dead_letters: takes rejected records; None: they are written to the log.
    :returns: the trigger's reply.
    :raises Exception: from `trigger.reply`, where the platform signals failure by raising; or from an event that can't be read:
        then nothing was scored. The platform delivers the event again in both cases.
    """
    # the objects of a batch live until the reply and have no cycles: the collector would walk through all of them again and again
    collects = gc.isenabled() and trigger.score is None
    if collects:
        gc.disable()
    try:
        return _consume(service, trigger, event, results, dead_letters)
    finally:
        if collects:
            gc.enable()


def _consume(
    service: "Service", trigger: "Trigger", event: "tuple[Any, ...]", results: "Sink | None", dead_letters: "Sink | None"
) -> "Any":
    began = perf_counter()
    log_fields: LogFields = {"operation": trigger.name}
    request_id = trigger.request_id(*event) or os.urandom(16).hex()
    try:
        records = sound(trigger.records(*event))
    except Exception as error:
        service.log({"level": log_level(status_of(error)), "request_id": request_id, **log_fields, **error_fields(error)})
        if trigger.refuse is None:
            raise
        return trigger.refuse(error, request_id, *event)
    outcomes = _score(service, trigger, records, event, log_fields, request_id)
    outcomes = _deliver(outcomes, results, dead_letters or LogLines(service.write), log_fields, request_id)
    outcomes = _with_problems(outcomes, request_id)
    delivered = results is not None or trigger.answers
    _log(service, outcomes, delivered, log_fields, request_id, began)
    return trigger.reply(outcomes, *event)


def _score(
    service: "Service",
    trigger: "Trigger",
    records: "list[Record]",
    event: "tuple[Any, ...]",
    log_fields: "LogFields",
    request_id: str,
) -> "list[Outcome]":
    """Score records by the default model; if it can't be loaded, all fail and are to be delivered again."""
    try:
        predictor = service.predictor(Request("POST", "/predict", {}, b"", request_id), log_fields, "")
        log_fields["key"] = predictor.file.sha256
        return score(predictor, records) if trigger.score is None else trigger.score(predictor, records, *event)
    except Exception as error:
        log_fields.update(error_fields(error))
        return [Outcome(record, None, error, False) for record in records]


def _deliver(
    outcomes: "list[Outcome]", results: "Sink | None", dead_letters: "Sink", log_fields: "LogFields", request_id: str
) -> "list[Outcome]":
    """Send answers and rejected records to their sinks.

    :returns: the outcomes; a record that a sink did not take has failed, and so has every record that follows it in its sequence.
    """
    sha256 = log_fields.pop("key", "")
    outcomes = _block_sequences(outcomes)
    if results is not None:
        scored = [place for place, outcome in enumerate(outcomes) if outcome.error is None]
        outcomes = _send(results, outcomes, scored, log_fields, sha256, _result)
    rejected = [place for place, outcome in enumerate(outcomes) if outcome.final and outcome.error is not None]

    def letter(key: str, outcome: Outcome) -> "Document":
        assert outcome.error is not None
        return dead_letter(key, outcome.record, problem(outcome.error, request_id))

    return _send(dead_letters, outcomes, rejected, log_fields, sha256, letter)


def _result(key: str, outcome: Outcome) -> "Document":
    """Make the document of a scored record."""
    return {"key": key, "origin": outcome.record.origin, **(outcome.answer or {})}


def _send(
    sink: "Sink",
    outcomes: "list[Outcome]",
    places: "list[int]",
    log_fields: "LogFields",
    sha256: str,
    document: "Callable[[str, Outcome], Document]",
) -> "list[Outcome]":
    """Send some outcomes to a sink, and fail those that it does not take.

    :param places: indices into `outcomes`.
    :param document: makes the document of an outcome from its key.
    """
    if not places:
        return outcomes
    keys = _keys(outcomes, places, sha256)
    # a record that comes twice in a batch is sent once
    documents = {key: document(key, outcomes[place]) for place, key in keys.items()}
    try:
        refused = send_all(sink, [*documents.items()])
    except Exception as error:
        log_fields.update(error_fields(error))
        refused = dict.fromkeys(documents, type(error).__name__)
    if not refused:
        return outcomes
    reason = next(iter(refused.values()))
    log_fields.setdefault("message", f"a sink did not take {len(refused)} of {len(documents)} documents: {reason}"[:1000])
    changed = [*outcomes]
    for place, key in keys.items():
        if key in refused:
            failure = DeliveryFailed(f"the sink did not take it: {refused[key]}")
            changed[place] = Outcome(outcomes[place].record, None, failure, False)
    return _block_sequences(changed)


def _keys(outcomes: "list[Outcome]", places: "list[int]", sha256: str) -> "dict[int, str]":
    """Make the key of each document; records of one id have different keys if their bodies differ, so that none is lost.

    :returns: the key of each place.
    """
    keys = {place: key_of(outcomes[place].record, sha256) for place in places}
    if len({*keys.values()}) == len(keys):
        return keys
    bodies: dict[str, bytes] = {}
    for place, key in keys.items():
        record = outcomes[place].record
        if bodies.setdefault(key, record.body) != record.body:
            text = record.body.decode("latin-1")  # any bytes
            keys[place] = key_of(record._replace(id=f"{record.id} {text}"), sha256)
    return keys


def _block_sequences(outcomes: "list[Outcome]") -> "list[Outcome]":
    """Fail every record that follows the first failed record of its sequence."""
    halted = {outcome.record.sequence for outcome in failed(outcomes)} - {""}
    if not halted:
        return outcomes
    seen: set[str] = set()
    blocked = []
    for outcome in outcomes:
        sequence = outcome.record.sequence
        if sequence in seen:
            outcome = Outcome(outcome.record, None, BlockedBySequence("an earlier record of its sequence failed"), False)
        elif sequence in halted and outcome.error is not None and not outcome.final:
            seen.add(sequence)
        blocked.append(outcome)
    return blocked


def _with_problems(outcomes: "list[Outcome]", request_id: str) -> "list[Outcome]":
    """Make a problem document the answer of each outcome that has an error."""
    if all([outcome.error is None for outcome in outcomes]):
        return outcomes
    complete = []
    for outcome in outcomes:
        if outcome.error is not None:
            answer = {"id": outcome.record.id, **problem(outcome.error, request_id)}
            outcome = Outcome(outcome.record, answer, outcome.error, outcome.final)
        complete.append(outcome)
    return complete


def _log(
    service: "Service", outcomes: "list[Outcome]", delivered: bool, log_fields: "LogFields", request_id: str, began: float
) -> None:
    """Write the log line of a batch; an unexpected error is logged with its traceback.

    :param delivered: whether a sink or the trigger's reply holds the answers.
    """
    with_errors = [outcome for outcome in outcomes if outcome.error is not None]
    counts = {"scored": len(outcomes) - len(with_errors), "rejected": 0, "failed": 0}
    for outcome in with_errors:
        counts[outcome.state] = counts.get(outcome.state, 0) + 1  # "unfinished" is counted for files only
        if outcome.error is not None and not isinstance(outcome.error, FlyweightError):
            log_fields.setdefault("exception", error_fields(outcome.error)["exception"])
    if not delivered and any([outcome.state == "scored" and "address" not in outcome.record.origin for outcome in outcomes]):
        log_fields.setdefault("message", "the answers of scored records have no sink: set FLYWEIGHT_RESULTS")
    milliseconds = 1000 * (perf_counter() - began)
    level = "ERROR" if counts["failed"] else "WARNING" if counts["rejected"] or "message" in log_fields else "INFO"
    entry: LogFields = {"level": level, "message": "consumed", "request_id": request_id, **log_fields}
    entry.update({"records": len(outcomes), **counts})
    _, cold = service.timing(milliseconds - log_fields.get("load_ms", 0.0))
    entry["duration_ms"], entry["cold"] = round(milliseconds, 3), bool(cold)
    if cold:
        entry["cold_start_ms"] = cold
    service.log(entry)
