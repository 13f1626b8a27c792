"""Every case of `events/cases.json` on every folder of `handlers/`, built, in its provider's real runtime.

Nothing here names a provider: a new folder in `handlers/` is tested as it appears, and the failures say what it lacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit import resources
from flyweight.toolkit.running import Runtime, runtime
from tests.contract.matching import differences
from tests.contract.objects import Objects
from tests.services.fixtures import servers

__all__ = ["servers"]

ROOT = Path(__file__).resolve().parents[2]
CASES = json.loads((ROOT / "events" / "cases.json").read_text())
PROVIDERS = resources.providers()
EVENTS = [(provider, path) for provider in PROVIDERS for path in sorted((ROOT / "events" / provider).glob("*.json"))]


def stem(path: Path) -> str:
    """The case of an event file: `predict.rest.json`, an event of another shape, belongs to the case `predict`."""
    return path.name.split(".")[0]


def logged(text: str) -> list[Any]:
    """The entries among what a process printed."""
    return [json.loads(line[line.index("{") :]) for line in text.splitlines() if line.endswith("}") and "{" in line]


def has(provider: str, name: str) -> bool:
    """Whether a provider has a case's counterpart: all have requests, each has triggers of its own."""
    having = CASES[name].get("providers", PROVIDERS)
    return provider in having


@pytest.fixture(scope="module")
def objects(servers: None) -> Iterator[Objects]:
    """The objects that cases presuppose, put where their events say as they are asked for."""
    with ExitStack() as stack:
        yield Objects(stack)


@pytest.fixture(scope="module")
def running(built: Callable[[str], Path], objects: Objects) -> Iterator[Callable[..., Runtime]]:
    """From a provider's name, an event and its case to a runtime, one process for all that presuppose the same settings."""
    with ExitStack() as stack:

        @cache
        def start(provider: str, settings: tuple[tuple[str, str], ...]) -> Runtime:
            return stack.enter_context(runtime(provider)(built(provider), environ=dict(settings)))

        def presupposing(provider: str, event: Any, case: dict[str, Any] = {}) -> Runtime:  # noqa: B006 - it is only read
            settings = {**runtime(provider).settings(event), **objects.placed(case.get("objects", {}))}
            return start(provider, tuple(settings.items()))

        yield presupposing


@pytest.mark.parametrize(("provider", "path"), EVENTS, ids=[f"{provider}-{path.stem}" for provider, path in EVENTS])
def test_the_answer_to_an_event_is_as_its_case_expects(
    provider: str, path: Path, running: Callable[..., Runtime], objects: Objects
) -> None:
    case, event = CASES[stem(path)], json.loads(path.read_text())
    process = running(provider, event, case)
    before = len(process.log())
    answer = process.invoke(event)
    text = answer.body.decode()
    assert answer.status == case["status"], text
    if "body" in case:
        document = json.loads(text, parse_constant=pytest.fail)
        assert not [*differences(case["body"], document)], text
    if "text" in case:
        assert re.fullmatch(case["text"], text), text
    for expected in case.get("log", []):
        lines = logged(process.log()[before:])
        assert any(not [*differences(expected, line)] for line in lines), f"no line {expected} in {lines}"
    if "leaves" in case:
        (address,) = case["objects"]
        left = objects.left(address)
        assert not [*differences(case["leaves"], left, "leaves")], left
    if answer.headers and "headers" in case:  # a direct invocation has none
        assert not [*differences(case["headers"], answer.headers, "headers")]
        assert answer.headers["x-request-id"]
        assert re.fullmatch(r"init;dur=[\d.]+, load;dur=[\d.]+, predict;dur=[\d.]+", answer.headers["server-timing"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_has_all_its_parts(provider: str) -> None:
    wanted = [ROOT / "handlers" / provider / "requirements.txt", ROOT / "infra" / provider]
    wanted.append(ROOT / "shared" / "flyweight" / "toolkit" / "local" / f"{provider}.py")
    wanted += [ROOT / "events" / provider / f"{name}.json" for name in CASES if has(provider, name)]
    missing = [str(path.relative_to(ROOT)) for path in wanted if not path.exists()]
    assert not missing, f"still to be written for {provider}: {', '.join(missing)}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_event_belongs_to_a_case(provider: str) -> None:
    stems = {stem(path) for path in (ROOT / "events" / provider).iterdir()}
    strangers = sorted(name for name in stems if name not in CASES or not has(provider, name))
    assert not strangers, f"events/cases.json expects nothing of {', '.join(strangers)}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_request_writes_one_log_line_with_the_answers_request_id(provider: str, running: Callable[..., Runtime]) -> None:
    event = json.loads((ROOT / "events" / provider / "predict.json").read_text())
    process = running(provider, event)
    answer = process.invoke(event)
    lines = [line for line in process.log().splitlines() if answer.headers["x-request-id"] in line]
    assert len(lines) == 1
    assert {"predict", "penguins", "1.0.0", 200, 1} <= set(json.loads(lines[0]).values())
