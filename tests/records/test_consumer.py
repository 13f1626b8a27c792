"""Consuming a batch: after any failure a record is scored, rejected with a reason, or delivered again."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flyweight.errors import ModelUnavailable
from flyweight.handler import bind
from flyweight.predictor import Predictor
from flyweight.records import InProgress, Outcome, Record, Trigger, consumer, failed, raise_failed
from flyweight.serving.service import Service
from flyweight.settings import Settings
from tests.serving.test_service import GENTOO


class Killed(BaseException):
    """The process is gone."""


class Once:
    """An idempotent sink that takes each key once; tests set when it throttles, breaks and dies."""

    def __init__(self) -> None:
        self.kept: dict[str, Mapping[str, Any]] = {}
        self.order: list[str] = []  # ids of the records, as they landed
        self.throttled: set[int] = set()  # places in the next call
        self.dies = ""  # "before", "half" or "after" the next call's writes
        self.breaks = ""  # the same, but it raises an error, though it has written

    def send(self, documents: list[tuple[str, Mapping[str, Any]]]) -> Mapping[str, str]:
        throttled, self.throttled = self.throttled, set()
        ends = {Killed: self.dies, ConnectionError: self.breaks}
        self.dies = self.breaks = ""
        self._end(ends, "before")
        left = {}
        for place, (key, document) in enumerate(documents):
            if place > len(documents) // 2:
                self._end(ends, "half")
            if place in throttled:
                left[key] = "throttled"
            elif key in self.kept:
                assert self.kept[key]["id"] == document["id"]
            else:
                self.kept[key] = document
                self.order.append(document["id"])
        self._end(ends, "after")
        return left

    def _end(self, ends: Mapping[type[BaseException], str], moment: str) -> None:
        for kind, when in ends.items():
            if when == moment:
                raise kind


class Brittle:
    """A predictor that fails with an unexpected error on some rows, and without memory on others while memory is scarce."""

    def __init__(self, predictor: Any, scarce: bool) -> None:
        self._predictor, self._scarce = predictor, scarce

    def __getattr__(self, name: str) -> Any:
        return getattr(self._predictor, name)

    predict_each = Predictor.predict_each

    def answer(self, rows: Any, *arguments: Any) -> Any:
        if any(row[1] == BREAKING for row in rows):
            raise ZeroDivisionError("in the middle of a plan")
        if self._scarce and any(row[1] == HUNGRY for row in rows):
            raise MemoryError
        return self._predictor.answer(rows, *arguments)


class Deployed(Service):
    """A service whose model may be unavailable, with the sinks of the tests."""

    def __init__(self, model: Path) -> None:
        self.logged: list[dict[str, Any]] = []
        super().__init__(Settings(str(model)), lambda entry: self.logged.append(dict(entry)))
        self.results: Once = Once()
        self.dead_letters: Once = Once()
        self.away = self.scarce = False

    def predictor(self, *arguments: Any) -> Any:
        if self.away:
            raise ModelUnavailable("away")
        return Brittle(super().predictor(*arguments), self.scarce)


def consume(service: Any, trigger: Trigger, event: tuple[Any, ...]) -> Any:
    """Consume an event with the sinks of the tests, if the service has any."""
    sinks = (service.results, service.dead_letters) if isinstance(service, Deployed) else ()
    return consumer.consume(service, trigger, event, *sinks)


def records(event: list[dict[str, Any]]) -> list[Record]:
    return [Record(item["id"], item["body"].encode(), "", {"source": "here"}, item.get("sequence", "")) for item in event]


def ids(outcomes: list[Outcome], event: Any) -> list[str]:
    return [outcome.record.id for outcome in failed(outcomes)]


def request_id(event: Any) -> str:
    return "r-1"


PARTIAL = Trigger("partial", records, ids, request_id)
RAISING = Trigger("raising", records, raise_failed, request_id)
ANSWERING = Trigger("answering", records, lambda outcomes, event: [o.answer for o in outcomes], request_id, answers=True)

BREAKING, HUNGRY = 77.5, 46.2
GOOD, BAD = json.dumps(GENTOO), json.dumps({**GENTOO, "year": "x"})
BREAKS, STRAINS = (json.dumps({**GENTOO, "bill_length_mm": length}) for length in (BREAKING, HUNGRY))


def items(*bodies: str, sequence: str = "") -> list[dict[str, Any]]:
    return [{"id": f"m{number}", "body": body, "sequence": sequence} for number, body in enumerate(bodies)]


@pytest.fixture
def deployed(penguins: Path) -> Deployed:
    return Deployed(penguins)


def test_results_and_dead_letters_go_to_their_sinks_with_the_key_the_origin_and_the_reason(deployed: Deployed) -> None:
    assert consume(deployed, PARTIAL, (items(GOOD, BAD),)) == []
    (result,) = deployed.results.kept.values()
    (letter,) = deployed.dead_letters.kept.values()
    assert (result["id"], result["predictions"], result["origin"]) == ("m0", ["Gentoo"], {"source": "here"})
    assert [*deployed.results.kept] == [result["key"]]
    assert (letter["id"], letter["body"], letter["problem"]["status"]) == ("m1", BAD, 422)
    assert letter["problem"]["errors"][0]["feature"] == "year"


def test_a_batch_writes_one_log_line(deployed: Deployed) -> None:
    consume(deployed, PARTIAL, (items(GOOD, BAD),))
    (line,) = deployed.logged
    expected = {"operation": "partial", "request_id": "r-1", "records": 2, "scored": 1, "rejected": 1, "failed": 0}
    assert expected.items() <= line.items()
    assert (line["model"], line["version"], line["level"], line["cold"]) == ("penguins", "1.0.0", "WARNING", True)


@pytest.mark.parametrize(("other", "level"), [(None, "INFO"), (ModelUnavailable("away"), "ERROR")])
def test_an_unfinished_record_is_delivered_again_and_is_no_failure(
    deployed: Deployed, other: Exception | None, level: str
) -> None:
    def halfway(predictor: Any, records: list[Record], event: Any) -> list[Outcome]:
        errors = (InProgress("half"), other)
        return [Outcome(record, {"id": record.id}, error, False) for record, error in zip(records, errors, strict=True)]

    trigger = Trigger("files", records, ids, request_id, score=halfway)
    again = consume(deployed, trigger, (items("{}", "{}"),))
    assert again == ["m0", "m1"][: 1 if other is None else 2]
    (line,) = deployed.logged
    assert (line["level"], line["unfinished"], line["failed"]) == (level, 1, int(other is not None))


def test_without_sinks_the_log_holds_the_whole_rejected_record(penguins: Path) -> None:
    logged: list[Any] = []
    service = Service(Settings(str(penguins)), logged.append)
    assert consume(service, PARTIAL, (items(BAD),)) == []
    assert (logged[0]["level"], logged[0]["body"], logged[0]["problem"]["status"]) == ("ERROR", BAD, 422)


def test_answers_without_a_sink_are_a_warning(penguins: Path) -> None:
    logged: list[Any] = []
    service = Service(Settings(str(penguins)), logged.append)
    consume(service, PARTIAL, (items(GOOD),))
    assert logged[-1]["level"] == "WARNING" and "FLYWEIGHT_RESULTS" in logged[-1]["message"]
    consume(service, ANSWERING, (items(GOOD),))
    assert logged[-1]["level"] == "INFO"


def test_without_a_model_every_record_is_delivered_again(deployed: Deployed) -> None:
    deployed.away = True
    assert consume(deployed, PARTIAL, (items(GOOD, BAD),)) == ["m0", "m1"]
    with pytest.raises(ModelUnavailable):
        consume(deployed, RAISING, (items(GOOD),))
    assert deployed.logged[-1]["level"] == "ERROR"
    assert not deployed.results.kept and not deployed.dead_letters.kept


def test_a_record_whose_dead_letter_was_not_taken_is_delivered_again(deployed: Deployed) -> None:
    deployed.dead_letters.throttled = {0}
    assert consume(deployed, PARTIAL, (items(GOOD, BAD),)) == ["m1"]


def test_a_sink_that_raises_has_taken_nothing(deployed: Deployed) -> None:
    class Broken:
        def send(self, documents: Any) -> Any:
            raise ConnectionError("gone")

    deployed.results = Broken()  # type: ignore[assignment]
    assert consume(deployed, PARTIAL, (items(GOOD, BAD),)) == ["m0"]
    assert "ConnectionError" in deployed.logged[-1]["exception"]


def test_records_after_the_first_failure_of_their_sequence_fail_as_well(deployed: Deployed) -> None:
    deployed.results.throttled = {1}
    event = items(GOOD, GOOD, GOOD, BAD, sequence="s") + [{"id": "other", "body": GOOD, "sequence": "t"}]
    assert consume(deployed, PARTIAL, (event,)) == ["m1", "m2", "m3"]
    assert not deployed.dead_letters.kept, "its dead letter went out ahead of what comes again"


def test_a_record_that_came_twice_in_a_batch_is_sent_once_and_done_twice(deployed: Deployed) -> None:
    deployed.results.throttled = {1}
    event = [*items(GOOD), *items(GOOD)]
    assert consume(deployed, PARTIAL, (event,)) == []
    assert len(deployed.results.kept) == 1


def test_a_letter_that_the_log_did_not_take_is_delivered_again(penguins: Path) -> None:
    def full(entry: Any) -> None:
        raise OSError(28, "No space left on device")

    assert consume(Service(Settings(str(penguins)), full), PARTIAL, (items(GOOD, BAD),)) == ["m1"]


def test_two_records_of_one_id_and_different_bodies_are_both_kept(deployed: Deployed) -> None:
    event = [*items(GOOD), *items(BAD), *items(GOOD.replace("2007", "2008")), *items(BAD.replace("x", "y"))]
    assert consume(deployed, PARTIAL, (event,)) == []
    assert len(deployed.results.kept) + len(deployed.dead_letters.kept) == 4


def test_a_record_whose_fields_are_of_other_types_fails_alone(deployed: Deployed) -> None:
    odd = Trigger("odd", lambda event: [*records(event), Record(5, "text", None)], ids, request_id)  # type: ignore[arg-type]
    assert consume(deployed, odd, (items(GOOD, GOOD),)) == []
    assert (len(deployed.results.kept), len(deployed.dead_letters.kept)) == (2, 1)


def test_a_trigger_may_reply_to_an_event_that_it_refuses(deployed: Deployed) -> None:
    def refuse(error: Exception, request_id: str, event: Any) -> Any:
        return type(error).__name__, request_id

    refusing = Trigger("refusing", records, ids, request_id, refuse=refuse)
    assert consume(deployed, refusing, ([{"id": "m0"}],)) == ("KeyError", "r-1")
    assert deployed.logged[-1]["level"] == "ERROR"


def test_an_event_that_can_not_be_read_is_logged_and_raised(deployed: Deployed) -> None:
    with pytest.raises(KeyError):
        consume(deployed, PARTIAL, ([{"id": "m0"}],))
    assert deployed.logged[-1]["level"] == "ERROR" and "KeyError" in deployed.logged[-1]["exception"]


@pytest.mark.parametrize("dies", ["", "half"])
def test_the_garbage_collector_is_off_until_the_reply_and_always_on_again(deployed: Deployed, dies: str) -> None:
    resting = []
    deployed.results.dies = dies
    seen = Trigger("seen", lambda event: [resting.append(gc.isenabled()), *records(event)][1:], ids, request_id)
    with contextlib.suppress(Killed):
        consume(deployed, seen, (items(GOOD, GOOD, GOOD),))
    assert (resting, gc.isenabled()) == ([False], True)


def test_an_address_of_an_unknown_sink_stops_the_function_at_its_start(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_RESULTS", "carrier-pigeon://loft")
    with pytest.raises(ValueError, match="carrier-pigeon"):
        bind(lambda event: event, lambda response, event: None, folder=str(penguins.parent), logs={"": lambda: print})
