"""Each error has a code and a status of its own; all errors of the package descend from FlyweightError."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from pkgutil import iter_modules
from time import perf_counter

import pytest

import flyweight
from flyweight import errors
from flyweight.errors import Fault, FlyweightError, InvalidInput, error_fields, problem, status_of
from flyweight.records import InProgress
from flyweight.records.sinks import BlockedBySequence, DeliveryFailed


def descendants(kind: type[FlyweightError]) -> set[type[FlyweightError]]:
    return {kind}.union(*[descendants(child) for child in kind.__subclasses__()])


def test_a_code_has_one_status_and_only_unavailable_models_and_unfinished_work_share_one() -> None:
    ours = {kind for kind in descendants(FlyweightError) if kind.__module__.startswith("flyweight.")}  # handlers have their own
    apart = ("flyweight.toolkit", "flyweight.protocols")  # a protocol may tell its own callers more
    core = {kind for kind in ours if not kind.__module__.startswith(apart)}
    assert {InProgress, DeliveryFailed, BlockedBySequence} < core
    statuses = {kind.code: kind.status for kind in core}
    assert {(kind.code, kind.status) for kind in core} == {*statuses.items()}
    assert sorted(statuses.values()) == [400, 403, 404, 405, 406, 413, 415, 422, 422, 500, 503, 503]
    assert {code for code, status in statuses.items() if status == 503} == {"model_unavailable", "not_done"}


def test_an_unexpected_error_gives_callers_its_request_id_and_the_log_its_traceback() -> None:
    try:
        raise ZeroDivisionError("secret")
    except ZeroDivisionError as error:
        document, fields = problem(error, "r-1"), error_fields(error)
    assert document == {"type": "urn:flyweight:problem:internal", "title": "internal", "status": 500, "request_id": "r-1"}
    assert fields["message"] == "internal: ZeroDivisionError" and "secret" in fields["exception"]


def test_a_fault_is_named_by_place_expected_and_actual() -> None:
    error = InvalidInput(Fault("a number", "'x'", 3, "age", "send null"))
    assert str(error) == "instance 3, feature 'age': expected a number, got 'x' (send null)"
    assert problem(error, "")["errors"] == [
        {"expected": "a number", "actual": "'x'", "instance": 3, "feature": "age", "hint": "send null"}
    ]


@pytest.mark.parametrize("error", [errors.TooLarge("x"), ValueError("x")])
def test_any_exception_has_a_status(error: Exception) -> None:
    assert status_of(error) == (413 if isinstance(error, errors.TooLarge) else 500)


@pytest.mark.parametrize(
    "text",
    [
        "GET https://user:SECRETSECRET@h/m.safetensors failed",
        "error sending request for url (https://b.s3.amazonaws.com/m?X-Amz-Signature=SECRETSECRET&X-Amz-Date=1)",
        "{'Authorization': 'Bearer SECRETSECRET.a-b_c'}",
        "authorization: Basic SECRETSECRET==",
        'headers={"x-functions-key": "SECRETSECRET"}',
        "SharedAccessSignature sig=SECRETSECRET;se=1",
        "AWS4-HMAC-SHA256 Credential=AKIA/eu/s3, Signature=SECRETSECRET",
        "aws_session_token=SECRETSECRET",
    ],
)
def test_the_traceback_of_an_unexpected_error_holds_no_secret(text: str) -> None:
    try:
        raise RuntimeError(f"before {text} after")
    except RuntimeError as error:
        logged = error_fields(error)["exception"]
    assert "SECRET" not in logged
    assert "before" in logged and "after" in logged and "RuntimeError" in logged


def test_other_texts_stay_as_they_are() -> None:
    text = 'File "/var/task/x.py", line 3, in f\n    token = variable("A_TOKEN")\nKeyError: the key is not there: http://h/a'
    assert errors.without_secrets(text) == text


def test_hiding_secrets_takes_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        text = "://a" * count + "bearer " * count + "key" * count
        began = perf_counter()
        errors.without_secrets(text)
        return perf_counter() - began

    assert min(seconds(8000) for _ in range(3)) < 8 * min(seconds(2000) for _ in range(3)) + 0.01


def every_error() -> list[type[FlyweightError]]:
    for module in iter_modules(flyweight.__path__, "flyweight."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return sorted((kind for kind in descendants(FlyweightError) if kind.__module__.startswith("flyweight.")), key=repr)


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_an_error_crosses_processes_with_all_that_it_says(kind: type[FlyweightError]) -> None:
    """A pool of processes pickles the error of a task; many are made from other arguments than their message."""
    error = kind.__new__(kind, "message")
    error.__dict__.update(next_step="do this", faults=(Fault("a number", "'x'", 3, "age"),), headers={"allow": "GET"})
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.args, again.__dict__) == (kind, ("message",), error.__dict__)


def test_a_task_in_another_process_raises_what_it_raised(penguins: Path) -> None:
    model = flyweight.load(str(penguins))
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        rows = [["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]]
        assert pool.submit(model.predict, rows).result() == model.predict(rows)
        with pytest.raises(InvalidInput, match="instance 0, feature 'year'") as caught:
            pool.submit(model.predict, [[*rows[0][:-1], "x"]]).result()
    assert isinstance(caught.value, InvalidInput) and caught.value.faults[0].feature == "year"
