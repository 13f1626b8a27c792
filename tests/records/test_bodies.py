"""Bodies of records: documents one after another, other names of formats, and bodies whose sender says nothing about them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight import predictor as predictors
from flyweight import strict_json
from flyweight.errors import UnsupportedMediaType
from flyweight.formats import parse
from flyweight.predictor import Predictor
from flyweight.records import Outcome, Record
from flyweight.records.scoring import score
from flyweight.settings import Limits
from tests.serving.test_service import GENTOO

GOOD, BAD = json.dumps(GENTOO), json.dumps({**GENTOO, "year": "x"})
ROW = json.dumps([*GENTOO.values()])
Scored = Callable[..., Outcome]


@pytest.fixture(scope="module")
def scored(penguins: Path) -> Scored:
    def scored(body: str, sent_as: str = "", **limits: Any) -> Outcome:
        (outcome,) = score(predictors.load(str(penguins), Limits(**limits)), [Record("r", body.encode(), sent_as)])
        return outcome

    return scored


def labels(outcome: Outcome) -> Any:
    return outcome.answer["predictions"] if outcome.answer is not None else str(outcome.error)


@pytest.mark.parametrize("between", ["\n", "\r\n", "", "\n\n  ", "\t"])
@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("instance", [GOOD, ROW])
def test_instances_may_follow_each_other(between: str, end: str, instance: str, scored: Scored) -> None:
    assert labels(scored(between.join([instance] * 3) + end)) == ["Gentoo"] * 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f"{GOOD}\n{BAD}", "feature 'year'"),
        (f"{GOOD},{GOOD}", "is not JSON"),
        (f"{GOOD}\n{{", "is not JSON"),
        (f"{GOOD}\n5", "is not JSON"),
        ("1 2", "is not JSON"),
        (f"{GOOD}\n" + GOOD.replace("2007", "NaN"), "is not JSON"),
        (f"{GOOD}\n" + "[" * 50_000, "is not JSON"),
    ],
)
def test_one_bad_document_rejects_its_record(body: str, said: str, scored: Scored) -> None:
    outcome = scored(body)
    assert outcome.state == "rejected" and said in labels(outcome)


def test_the_limit_of_instances_holds_for_documents_one_after_another(scored: Scored) -> None:
    assert "3 instances" in labels(scored(GOOD * 4, max_instances=3))
    assert labels(scored(GOOD * 3, max_instances=3)) == ["Gentoo"] * 3


instances = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5))


@settings(deadline=None)
@given(st.lists(instances, min_size=1), st.sampled_from(["", "\n", " \r\n"]))
def test_a_sequence_is_parsed_as_its_documents_are(documents: list[Any], between: str) -> None:
    text = between.join(map(json.dumps, documents))
    found, lines = strict_json.parse_sequence(text, sys.maxsize)
    assert found == documents
    assert lines == [1 + number * between.count("\n") for number in range(len(documents))]


def test_parsing_a_sequence_takes_steps_in_proportion_to_its_documents() -> None:
    def steps(count: int) -> int:
        counted = 0

        def count_lines(frame: Any, event: str, argument: Any) -> Any:
            nonlocal counted
            counted += event == "line"
            return count_lines

        sys.settrace(count_lines)
        try:
            strict_json.parse_sequence('{"a":1}\n' * count, sys.maxsize)
        finally:
            sys.settrace(None)
        return counted

    one, two = steps(200), steps(400)
    assert two < 2.2 * one


@pytest.mark.parametrize(
    "content_type",
    [
        "application/vnd.masstransit+json",
        "application/problem+json; charset=utf-8",
        "Application/VND.X+JSON",
        "text/json",
        "application/octet-stream",
        "binary/octet-stream",
        "",
    ],
)
def test_a_type_with_the_syntax_of_json_is_json(content_type: str, scored: Scored) -> None:
    assert labels(scored(GOOD, content_type)) == ["Gentoo"]


@pytest.mark.parametrize(
    "content_type",
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines", "application/x-json-stream"],
)
def test_json_lines_have_many_names(content_type: str, scored: Scored) -> None:
    assert labels(scored(f"{GOOD}\n{GOOD}", content_type)) == ["Gentoo"] * 2


def test_the_default_content_type_is_a_setting(scored: Scored) -> None:
    table = f"{','.join(GENTOO)}\n{','.join(map(str, GENTOO.values()))}"
    for content_type in ("", "application/octet-stream"):
        assert labels(scored(table, content_type, content_type="text/csv")) == ["Gentoo"]
    assert labels(scored(table.partition("\n")[2], "", content_type="text/csv; header=absent")) == ["Gentoo"]
    assert labels(scored(GOOD, "application/json", content_type="text/csv")) == ["Gentoo"]
    assert scored(table).state == "rejected"


@pytest.mark.parametrize("content_type", ["image/svg+xml", "text/html", "image/x+json", "application/json5"])
def test_any_other_type_is_refused(content_type: str, penguins: Path) -> None:
    with pytest.raises(UnsupportedMediaType):
        parse(GOOD.encode(), content_type, predictors.load(str(penguins)).validator)


def test_a_bare_instance_and_an_empty_array_are_answered_by_a_setting(penguins: Path, scored: Scored) -> None:
    def answered(body: str, model: Predictor) -> Any:
        instances, outputs = parse(body.encode(), "application/json", model.validator)
        return model.answer(model.validator.rows(instances), outputs).predictions

    lenient = predictors.load(str(penguins), Limits(any_body=True))
    assert (answered(GOOD, lenient), answered("[]", lenient), answered('{"instances": []}', lenient)) == (["Gentoo"], [], [])
    assert labels(scored("[]", any_body=True)) == []
    assert scored("[]").state == "rejected"
