"""A trigger's event to its reply: records are scored, results and dead letters sent on, failures said to the platform."""

import gc
import os
from time import perf_counter

from flyweight.errors import FlyweightError, log_fields, problem
from flyweight.records import Outcome, failed
from flyweight.records.scoring import score
from flyweight.records.sinks import BlockedBySequence, DeliveryFailed, LogLines, dead_letter, key_of
from flyweight.serving.service import status_of
from flyweight.values import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.protocols.native import Notes
    from flyweight.records import Record, Trigger
    from flyweight.records.sinks import Document, Sink
    from flyweight.serving.service import Service


def consume(service: "Service", trigger: "Trigger", event: "tuple[Any, ...]") -> "Any":
    """What the platform is answered with; one log line a batch.

    It raises what `trigger.reply` raises, where that is the platform's word for a failure, and what an event raises that is
    not what it claims to be: then nothing was done, and the platform keeps it.
    """
    # what is made of a batch stays until the reply, and has no cycles: the collector would walk through all of it, over and over
    collects = gc.isenabled() and trigger.score is None
    if collects:
        gc.disable()
    try:
        return _consumed(service, trigger, event)
    finally:
        if collects:
            gc.enable()


def _consumed(service: "Service", trigger: "Trigger", event: "tuple[Any, ...]") -> "Any":
    began = perf_counter()
    notes: Notes = {"operation": trigger.name}
    request_id = trigger.request_id(*event) or os.urandom(16).hex()
    try:
        records = trigger.records(*event)
    except Exception as error:
        service.tell({"level": "ERROR", "request_id": request_id, **notes, **log_fields(error)})
        raise
    outcomes = _scored(service, trigger, records, event, notes, request_id)
    outcomes = _explained(_delivered(service, outcomes, notes, request_id), request_id)
    _tell(service, trigger, outcomes, notes, request_id, began)
    return trigger.reply(outcomes, *event)


def _scored(
    service: "Service", trigger: "Trigger", records: "list[Record]", event: "tuple[Any, ...]", notes: "Notes", request_id: str
) -> "list[Outcome]":
    """The outcomes of records by the usual model; without one all have failed for now."""
    try:
        predictor = service.predictor(Request("POST", "/predict", {}, b"", request_id), notes, "")
        notes["key"] = predictor.file.sha256
        return score(predictor, records) if trigger.score is None else trigger.score(predictor, records, *event)
    except Exception as error:
        notes.update(log_fields(error))
        return [Outcome(record, None, error, False) for record in records]


def _delivered(service: "Service", outcomes: "list[Outcome]", notes: "Notes", request_id: str) -> "list[Outcome]":
    """The outcomes after results and dead letters are sent: what was not taken has failed, and so has what stands behind it."""
    sha256 = notes.pop("key", "")
    outcomes = _in_sequence(outcomes)
    if service.results is not None:
        scored = [place for place, outcome in enumerate(outcomes) if outcome.error is None]
        outcomes = _sent(service.results, outcomes, scored, notes, sha256, _result)
    rejected = [place for place, outcome in enumerate(outcomes) if outcome.final and outcome.error is not None]

    def letter(key: str, outcome: Outcome) -> "Document":
        assert outcome.error is not None
        return dead_letter(key, outcome.record, problem(outcome.error, status_of(outcome.error), request_id))

    return _sent(service.dead_letters or LogLines(service.tell), outcomes, rejected, notes, sha256, letter)


def _result(key: str, outcome: Outcome) -> "Document":
    return {"key": key, "origin": outcome.record.origin, **(outcome.answer or {})}


def _sent(
    sink: "Sink",
    outcomes: "list[Outcome]",
    places: "list[int]",
    notes: "Notes",
    sha256: str,
    document: "Callable[[str, Outcome], Document]",
) -> "list[Outcome]":
    """The outcomes after those at some places were sent to a sink."""
    if not places:
        return outcomes
    keys = {place: key_of(outcomes[place].record, sha256) for place in places}
    # a record that came twice in a batch is sent once
    documents = {key: document(key, outcomes[place]) for place, key in keys.items()}
    try:
        left = sink.send([*documents.items()])
    except Exception as error:
        notes.update(log_fields(error))
        left = dict.fromkeys(documents, type(error).__name__)
    if not left:
        return outcomes
    notes.setdefault("message", f"a sink did not take {len(left)} of {len(documents)}: {next(iter(left.values()))}"[:1000])
    changed = [*outcomes]
    for place, key in keys.items():
        if key in left:
            changed[place] = Outcome(
                outcomes[place].record, None, DeliveryFailed(f"the sink did not take it: {left[key]}"), False
            )
    return _in_sequence(changed)


def _in_sequence(outcomes: "list[Outcome]") -> "list[Outcome]":
    """The outcomes where behind the first of a sequence that failed all of it have failed."""
    halted = {outcome.record.sequence for outcome in failed(outcomes)} - {""}
    if not halted:
        return outcomes
    seen: set[str] = set()
    kept = []
    for outcome in outcomes:
        sequence = outcome.record.sequence
        if sequence in seen:
            outcome = Outcome(outcome.record, None, BlockedBySequence("a record before it in its sequence failed"), False)
        elif sequence in halted and outcome.error is not None and not outcome.final:
            seen.add(sequence)
        kept.append(outcome)
    return kept


def _explained(outcomes: "list[Outcome]", request_id: str) -> "list[Outcome]":
    """The outcomes with a problem document as the answer of each that has none."""
    if all([outcome.error is None for outcome in outcomes]):
        return outcomes
    explained = []
    for outcome in outcomes:
        error = outcome.error
        if error is not None:
            answer = {"id": outcome.record.id, **problem(error, status_of(error), request_id)}
            outcome = Outcome(outcome.record, answer, error, outcome.final)
        explained.append(outcome)
    return explained


def _tell(
    service: "Service", trigger: "Trigger", outcomes: "list[Outcome]", notes: "Notes", request_id: str, began: float
) -> None:
    """The line of a batch; what nobody foresaw is told with its traceback."""
    others = [outcome for outcome in outcomes if outcome.error is not None]
    counts = {"scored": len(outcomes) - len(others), "rejected": 0, "failed": 0}
    for outcome in others:
        counts[outcome.state] = counts.get(outcome.state, 0) + 1  # unfinished: only files are, and only some batches have any
        if outcome.error is not None and not isinstance(outcome.error, FlyweightError):
            notes.setdefault("exception", log_fields(outcome.error)["exception"])
    nowhere = service.results is None and not trigger.answers
    if nowhere and any([outcome.state == "scored" and "address" not in outcome.record.origin for outcome in outcomes]):
        notes.setdefault("message", "scored, and the results go nowhere: set FLYWEIGHT_RESULTS")
    milliseconds = 1000 * (perf_counter() - began)
    level = "ERROR" if counts["failed"] else "WARNING" if counts["rejected"] or "message" in notes else "INFO"
    entry: Notes = {"level": level, "message": "consumed", "request_id": request_id, **notes, "records": len(outcomes), **counts}
    _, cold = service.timing(milliseconds - notes.get("load_ms", 0.0))
    entry["duration_ms"], entry["cold"] = round(milliseconds, 3), bool(cold)
    if cold:
        entry["cold_start_ms"] = cold
    service.tell(entry)
