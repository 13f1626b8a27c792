"""Reading a body takes time and memory in proportion to it, for any model, whether it is answered or refused."""

from __future__ import annotations

import gc
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight import formats, strict_json
from flyweight.errors import Fault, FlyweightError, InvalidInput, problem
from flyweight.formats import bounds
from flyweight.models.validation import Validator
from flyweight.values import Prediction
from tests.formats.bodies import BODIES, CSV, JSON, LINES, MODELS, validator

SMALL, TIMES = 70_000, 4  # bytes, of which even the fewest are looked over before they are read
WORST = 2.5 * TIMES  # of what the square would be 16; the rest is for noise


def answered(body: bytes, content_type: str, model: Validator) -> bytes:
    """What a caller gets: the instances that were read, or the problem document."""
    try:
        instances, _ = formats.parse(body, content_type, model)
        return strict_json.encode(len(model.rows(instances)))
    except FlyweightError as error:
        return strict_json.encode(problem(error, "id"))


def seconds(*arguments: Any) -> float:
    """Measure the shortest of some runs, in which no garbage is looked for among all objects of the tests."""
    best = float("inf")
    gc.disable()
    try:
        for _ in range(3):
            began = time.process_time()
            answered(*arguments)
            best = min(best, time.process_time() - began)
    finally:
        gc.enable()
    return best


@pytest.mark.parametrize("model", ["wide", "mixed"])
@pytest.mark.parametrize("kind", BODIES)
def test_four_times_the_body_takes_about_four_times_the_time(kind: str, model: str) -> None:
    content_type, make = BODIES[kind]
    read = validator(model)
    body, larger = make(SMALL).encode(), make(TIMES * SMALL).encode()
    answered(body, content_type, read)  # imports, and sorts the names of the features by their pieces
    once, more = seconds(body, content_type, read), seconds(larger, content_type, read)
    assert more < WORST * (once + 0.001)


ROWS = ("one column", "no header", "quoted values", "small arrays", "small objects", "numbers a line", "arrays a line")


@pytest.mark.parametrize(("kind", "limit"), [*[(kind, 10_000) for kind in BODIES], *[(kind, 1 << 40) for kind in ROWS]])
def test_a_body_takes_at_most_25_times_its_size(kind: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a small scale: with the room that large bodies have beside, a small body is not looked at."""
    content_type, make = BODIES[kind]
    body, room = make(200_000).encode(), 1 << 20
    for module, name, value in ((formats, "LARGE", 0), (bounds, "WEIGHED", 0), (bounds, "ROOM", room)):
        monkeypatch.setattr(module, name, value)
    read = validator("one", max_instances=limit)
    answered(body, content_type, read)
    tracemalloc.start()
    try:
        answered(body, content_type, read)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < bounds.TIMES * len(body) + room


@pytest.mark.parametrize("kind", BODIES)
def test_a_problem_document_is_short_whatever_the_body_holds(kind: str) -> None:
    content_type, make = BODIES[kind]
    size = len(answered(make(100_000).encode(), content_type, validator("mixed")))
    assert size < 20_000


WORDS = r'[ ] { } , : " \ 0 - 1e999 null true NaN "" "f0": f0 city {"instances": "outputs": \ud800'.split()
LONG = ["9" * 5000, "[" * 300, '"f0":1,' * 3, "a" * 200]
PIECES = st.sampled_from([*WORDS, *LONG, "\n", "\r", " ", "\ufeff", "\x00", "\U0001f600"])
RANDOM = st.binary(max_size=200) | st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode())
TYPES = st.sampled_from([JSON, CSV, f"{CSV}; header=absent", LINES, "", f'{CSV}; outputs="a,b"', f"{JSON}; parse_text=true"])


@given(RANDOM, TYPES, st.sampled_from([*MODELS]), st.sampled_from(["", "ignore"]), st.integers(0, 3))
def test_any_body_is_read_or_refused_in_words(body: bytes, content_type: str, model: str, unknown: str, doublings: int) -> None:
    read = validator(model, unknown_features=unknown, max_instances=5)
    large, formats.LARGE, weighed, bounds.WEIGHED = formats.LARGE, 0, bounds.WEIGHED, 0
    try:
        assert len(answered(body * 2**doublings, content_type, read)) < 20_000
    finally:
        formats.LARGE, bounds.WEIGHED = large, weighed


@pytest.mark.parametrize("content_type", [JSON, CSV, LINES])
def test_four_times_the_answers_take_about_four_times_the_time_to_write(content_type: str) -> None:
    def wrote(count: int) -> float:
        classes = [f"class {number}" for number in range(50)]
        prediction = Prediction(["class 1"] * count, [[0.02] * 49 + [float("nan")]] * count, classes=classes)
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            formats.write(prediction, content_type, {"name": "m", "version": "1"})
            best = min(best, time.process_time() - began)
        return best

    assert wrote(2000) < WORST * (wrote(500) + 0.001)


def test_a_long_content_type_and_a_long_accept_header_are_refused_before_they_are_split() -> None:
    read = validator("one")
    with pytest.raises(FlyweightError, match="content type has 3000009 characters, the limit is 8192") as refused:
        formats.parse(b"[[1]]", "text/csv;" + "a," * 1_500_000, read)
    assert refused.value.status == 415
    with pytest.raises(FlyweightError, match="header Accept has 3000000 characters") as refused:
        formats.negotiate("a," * 1_500_000)
    assert refused.value.status == 406


def test_the_text_of_a_fault_does_not_grow_with_the_value() -> None:
    for value in ("a" * 10**6, "\x00" * 10**6, b"a" * 10**6, 10**5000, ["a"] * 10**6):
        with pytest.raises(InvalidInput) as refused:
            validator("one").rows([[value], {"f0": 1, "x" * 10**6: 1}])
        assert len(str(refused.value)) < 1000
        assert all(isinstance(fault, Fault) and len(str(fault)) < 500 for fault in refused.value.faults)
