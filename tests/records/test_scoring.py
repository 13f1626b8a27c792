"""Scoring records: each is answered as by HTTP, all are predicted together, and a bad one fails alone."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight import predictor as predictors
from flyweight.errors import InvalidInput, MalformedRequest, ModelUnavailable, problem
from flyweight.predictor import Predictor
from flyweight.records import Outcome, Record
from flyweight.records.scoring import score
from flyweight.serving.service import Service
from flyweight.settings import Limits, Settings
from flyweight.values import Request
from tests.serving.test_service import GENTOO

LIMITS = Limits(max_body_bytes=2000, max_instances=5)
NAMES = [*GENTOO]

values = st.fixed_dictionaries(
    {name: st.none() | (st.sampled_from(["Biscoe", "Torgersen", "male", "new"]) if isinstance(usual, str) else st.floats(0, 9e3))
     for name, usual in GENTOO.items()}
)  # fmt: skip
instances = values | values.map(lambda instance: [instance[name] for name in NAMES])
listed = st.lists(instances, min_size=1, max_size=4)
outputs = st.sampled_from([["predictions"], ["probabilities"], ["scores", "predictions"]])
valid = st.one_of(
    listed.map(json.dumps),
    listed.map(lambda many: json.dumps({"instances": many})),
    st.tuples(listed, outputs).map(lambda both: json.dumps({"instances": both[0], "outputs": both[1]})),
)
bad = st.one_of(
    st.sampled_from(
        ["", "[", "7", "[]", "null", '[{"island": NaN}]', '{"instances": []}', '{"instances": [{}], "more": 1}', "[[1]]"]
    ),
    values.map(lambda instance: json.dumps([{**instance, "year": "x"}])),
    values.map(lambda instance: json.dumps({"instances": [instance], "outputs": ["none"]})),
    values.map(lambda instance: json.dumps([instance] * 6)),
    values.map(lambda instance: json.dumps([instance]) + " " * 2000),
)
content_types = st.sampled_from(["", "application/json", "application/json; charset=utf-8"])
bodies = st.tuples(valid | bad, content_types) | st.tuples(st.just("year\nx"), st.sampled_from(["text/csv", "text/html"]))


@pytest.fixture(scope="module")
def service(penguins: Path) -> Service:
    return Service(Settings(str(penguins), limits=LIMITS), lambda entry: None)


@pytest.fixture(scope="module")
def model(penguins: Path) -> Predictor:
    return predictors.load(str(penguins), LIMITS)


def record(number: int, body: Any, content_type: str = "") -> Record:
    return Record(f"r{number}", body.encode() if isinstance(body, str) else json.dumps(body).encode(), content_type)


def over_http(service: Service, body: bytes, content_type: str) -> Any:
    response = service.answer(Request("POST", "/predict", {"content-type": content_type}, body, "r"))
    return json.loads(response.body)


def document_of(outcome: Outcome) -> Any:
    """Make the document that a caller over HTTP would get for an outcome."""
    if outcome.error is not None:
        return problem(outcome.error, "r")
    assert outcome.answer is not None and outcome.answer["id"] == outcome.record.id
    return {key: value for key, value in outcome.answer.items() if key != "id"}


def alike(one: Any, other: Any) -> bool:
    """Equal, numbers within 1e-12 of each other: a batch may sum in another order than a row alone."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-15)
    return type(one) is type(other) and bool(one == other)


@settings(deadline=None, max_examples=150)
@given(st.lists(bodies, max_size=60))
def test_each_record_is_answered_or_rejected_as_http_does(
    service: Service, model: Predictor, batch: list[tuple[str, str]]
) -> None:
    records = [record(number, body, content_type) for number, (body, content_type) in enumerate(batch)]
    outcomes = score(model, records)
    assert [outcome.record for outcome in outcomes] == records
    for outcome in outcomes:
        expected = over_http(service, outcome.record.body, outcome.record.content_type)
        assert alike(document_of(outcome), expected), (document_of(outcome), expected)
        assert outcome.state == ("rejected" if "status" in expected else "scored")


@settings(deadline=None)
@given(values | values.map(lambda instance: {**instance, "year": []}) | st.just({}) | st.just({"island": "Biscoe"}))
def test_a_record_may_be_one_instance_with_nothing_around_it(service: Service, model: Predictor, instance: Any) -> None:
    (outcome,) = score(model, [record(0, instance)])
    assert alike(document_of(outcome), over_http(service, json.dumps([instance]).encode(), ""))


class Counted:
    """A model that counts its predictions, and fails on the rows for which `fails` gives an error."""

    def __init__(self, model: Predictor, fails: Callable[[Any], Exception | None], sound: bool = True) -> None:
        self.model, self.fails, self.calls, self.sound = model, fails, 0, sound
        self.validator, self.signature, self.name, self.version = model.validator, model.signature, model.name, model.version

    def answer(self, rows: Any, outputs: Any) -> Any:
        self.calls += 1
        for row in rows:
            if (error := self.fails(row)) is not None:
                raise error
        return self.model.answer(rows, outputs)

    def passes_self_test(self) -> bool:
        return self.sound

    predict_each = Predictor.predict_each


def fails_on(*numbers: int, error: type[Exception] = ArithmeticError) -> Callable[[Any], Exception | None]:
    """Fails on rows of these years."""
    return lambda row: error("boom") if row[-1] in numbers else None


def numbered(count: int) -> list[Record]:
    return [record(number, {**GENTOO, "year": number}) for number in range(count)]


def test_one_predict_answers_all_that_are_valid(model: Predictor) -> None:
    counted: Any = Counted(model, fails_on())
    outcomes = score(counted, [*numbered(100), record(100, "["), *numbered(3)])
    assert [outcome.state for outcome in outcomes].count("scored") == 103 and counted.calls == 1


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 300).flatmap(lambda count: st.tuples(st.just(count), st.sets(st.integers(0, count - 1), max_size=3))))
def test_a_row_that_breaks_the_predict_is_found_by_halves(model: Predictor, case: tuple[int, set[int]]) -> None:
    count, poison = case
    counted: Any = Counted(model, fails_on(*poison))
    outcomes = score(counted, numbered(count))
    assert {place for place, outcome in enumerate(outcomes) if outcome.state == "rejected"} == poison
    assert {outcome.state for place, outcome in enumerate(outcomes) if place not in poison} <= {"scored"}
    assert counted.calls <= 1 + 2 * len(poison) * math.ceil(math.log2(max(count, 2)))


def test_an_unexpected_error_is_the_records_fault_only_if_the_model_passes_its_self_test(model: Predictor) -> None:
    for sound, state in ((True, "rejected"), (False, "failed")):
        outcomes = score(Counted(model, fails_on(1), sound), numbered(3))  # type: ignore[arg-type]
        assert [outcome.state for outcome in outcomes] == ["scored", state, "scored"]


@pytest.mark.parametrize("error", [MemoryError, OSError, ModelUnavailable])
def test_a_transient_error_rejects_no_record(model: Predictor, error: type[Exception]) -> None:
    outcomes = score(Counted(model, fails_on(1, error=error)), numbered(3))  # type: ignore[arg-type]
    assert [outcome.state for outcome in outcomes] == ["scored", "failed", "scored"]


def test_a_refusal_by_the_model_names_the_instance_of_its_own_record(model: Predictor) -> None:
    def refuses(row: Any) -> Exception | None:
        return InvalidInput() if row[-1] == 2 else None

    outcomes = score(Counted(model, refuses), numbered(4))  # type: ignore[arg-type]
    assert [outcome.state for outcome in outcomes] == ["scored", "scored", "rejected", "scored"]


def test_a_record_that_could_not_be_read_is_rejected_with_the_reason(model: Predictor) -> None:
    broken = Record("r", b"", fault=MalformedRequest("no base64"))
    (outcome,) = score(model, [broken])
    assert (outcome.state, str(outcome.error)) == ("rejected", "no base64")


def test_no_records_no_outcomes(model: Predictor) -> None:
    assert score(model, []) == []


def test_records_of_strings_are_read_as_csv_where_the_setting_says_so(penguins: Path) -> None:
    """As a distributed map of a state machine over CSV sends them: every value is a string."""
    texts = {name: "" if value is None else str(value) for name, value in GENTOO.items()}
    bodies = [json.dumps(texts).encode(), json.dumps([[*texts.values()]]).encode(), json.dumps([GENTOO]).encode()]
    records = [Record(str(number), body) for number, body in enumerate(bodies)]
    reading = predictors.load(str(penguins), Limits(parse_text=True))
    answers = [outcome.answer for outcome in score(reading, records)]
    assert [answer and answer["predictions"] for answer in answers] == [["Gentoo"]] * 3
    assert [outcome.error is None for outcome in score(predictors.load(str(penguins)), records)] == [False, False, True]
    asking = [Record("0", json.dumps({"instances": [texts], "parse_text": True}).encode())]
    assert score(predictors.load(str(penguins)), asking)[0].error is None
