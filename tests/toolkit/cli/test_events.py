"""`flyweight events`: each target's events, and the same with a payload of the user's own model, which its runtime scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from sklearn.linear_model import LogisticRegression

import flyweight
from flyweight.models import file as model_file
from flyweight.toolkit import targets
from flyweight.toolkit.building import build
from flyweight.toolkit.events import samples
from flyweight.toolkit.running import runtime
from tests.conftest import PYTHON, ROOT
from tests.contract.cases import CASES

TARGETS = [target.name for target in targets.all_targets() if target.has("runtime")]
# of each target the triggers whose sample carries an instance
SCORED = [
    (target, name)
    for target in TARGETS
    for name, case in CASES.items()
    if target in case.expected.get("providers", [])
    and not case.objects
    and any(line.get("scored") for line in case.expected.get("log", []))
]


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is not of penguins."""
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(60, 2))
    estimator = LogisticRegression().fit(rows, np.where(rows[:, 0] > 0, "tall", "short"))
    path = tmp_path_factory.mktemp("flowers") / "flowers.safetensors"
    flyweight.pack(estimator, path, sample=rows, name="flowers", version="1")
    return path


@pytest.fixture(scope="module")
def folders(flowers: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("built")
    return {one: build(one, flowers, place / one, python=PYTHON).folder for one in TARGETS}


def counts(log: str) -> list[Any]:
    lines = [json.loads(line[line.index("{") :]) for line in log.splitlines() if line.endswith("}") and "{" in line]
    return [line for line in lines if line.get("message") != "answered" and "scored" in line]


def test_every_event_is_listed_with_what_it_is_about(run: Callable[..., Result]) -> None:
    for target in TARGETS:
        listed = {row["event"]: row["about"] for row in json.loads(run("events", "ls", target, "--json").output)}
        folders = (targets.find(target).folder("events"), ROOT / "events" / "http")
        assert {*listed} == {path.stem for folder in folders for path in folder.glob("*.json")}
        assert all(listed.values())
    assert "pubsub" in run("events", "ls").output


def test_an_event_is_shown_as_it_is(run: Callable[..., Result]) -> None:
    assert json.loads(run("events", "show", "gcp", "pubsub").output) == json.loads((ROOT / "events/gcp/pubsub.json").read_text())


def test_a_request_is_shown_in_the_shape_that_is_asked_for(run: Callable[..., Result]) -> None:
    shown = json.loads(run("events", "show", "aws", "not_found.alb_multi").output)
    assert shown["multiValueHeaders"]["accept"] == ["*/*"] and shown["httpMethod"] == "GET"
    unknown = run("events", "show", "aws", "not_found.round")
    assert unknown.exit_code == 1 and "alb_multi" in unknown.output + (unknown.stderr or "")


@pytest.mark.parametrize(("provider", "name"), SCORED, ids=[f"{provider}-{name}" for provider, name in SCORED])
def test_a_new_event_is_scored_by_the_model_it_was_made_for(
    provider: str, name: str, flowers: Path, folders: dict[str, Path], tmp_path: Path, run: Callable[..., Result]
) -> None:
    path = tmp_path / "event.json"
    result = run("events", "new", provider, name, "--model", flowers, "--out", path)
    assert result.exit_code == 0, result.output
    event = json.loads(path.read_text())
    with runtime(provider)(folders[provider], environ=runtime(provider).settings(event)) as process:
        process.invoke(event)
        (line,) = counts(process.log())
    assert line["scored"] and not line["failed"], line


def test_what_can_not_be_made_is_told_with_what_there_is(run: Callable[..., Result], flowers: Path) -> None:
    unknown = run("events", "new", "gcp", "pigeon", "--model", flowers)
    assert unknown.exit_code == 1 and "pubsub" in unknown.output + (unknown.stderr or "")


def test_an_event_without_an_instance_is_given_as_it_is_with_a_note_of_what_has_to_be_there(
    run: Callable[..., Result], flowers: Path
) -> None:
    empty = run("events", "new", "gcp", "scheduler_empty", "--model", flowers, "--json")
    assert empty.exit_code == 0 and "contains no instance" in empty.stderr
    assert json.loads(empty.stdout) == json.loads((ROOT / "events/gcp/scheduler_empty.json").read_text())
    assert "must exist: s3://penguins-in/" in run("events", "new", "aws", "s3", "--model", flowers).stderr


def test_triggers_are_listed_apart_from_requests(run: Callable[..., Result]) -> None:
    rows = json.loads(run("events", "ls", "aws", "--triggers", "--json").output)
    assert {row["kind"] for row in rows} == {"trigger"} and {"sqs.fifo", "kinesis", "s3"} <= {row["event"] for row in rows}
    kinds = {row["event"]: row["kind"] for row in json.loads(run("events", "ls", "aws", "--json").output)}
    assert (kinds["sqs"], kinds["predict"]) == ("trigger", "http")


@pytest.mark.parametrize("provider", TARGETS)
def test_a_new_event_comes_to_what_its_case_expects_of_penguins(provider: str, flowers: Path, folders: dict[str, Path]) -> None:
    """The same status, and as many records scored and rejected: what is wrong stays wrong, in whatever wrapping."""
    with ExitStack() as stack:
        started: dict[str, Any] = {}
        for name in samples.names(provider):
            case, event = CASES[name.partition(".")[0]], samples.fitted(provider, name, model_file.read(str(flowers)).document)
            if case.objects:
                continue
            settings = runtime(provider).settings(event)
            place = json.dumps(settings)
            if place not in started:
                started[place] = stack.enter_context(runtime(provider)(folders[provider], environ=settings))
            process = started[place]
            before = len(process.log())
            answer = process.invoke(event)
            counted = [(line["scored"], line["rejected"]) for line in counts(process.log()[before:])]
            assert answer.status == case.status, (name, answer.body)
            lines = [line for line in case.expected.get("log", []) if {"scored", "rejected"} <= {*line}]
            expected = [(line["scored"], line["rejected"]) for line in lines]
            assert not expected or counted == expected, name
