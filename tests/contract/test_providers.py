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

import pytest

from flyweight.toolkit import resources
from flyweight.toolkit.local import Runtime, runtime
from tests.contract.matching import differences

ROOT = Path(__file__).resolve().parents[2]
CASES = json.loads((ROOT / "events" / "cases.json").read_text())
PROVIDERS = resources.providers()
EVENTS = [(provider, path) for provider in PROVIDERS for path in sorted((ROOT / "events" / provider).glob("*.json"))]


def stem(path: Path) -> str:
    """The case of an event file: `predict.rest.json`, an event of another shape, belongs to the case `predict`."""
    return path.name.split(".")[0]


@pytest.fixture(scope="module")
def running(built: Callable[[str], Path]) -> Iterator[Callable[[str], Runtime]]:
    """From a provider's name to its runtime, one process for all its cases."""
    with ExitStack() as stack:

        @cache
        def start(provider: str) -> Runtime:
            return stack.enter_context(runtime(provider)(built(provider)))

        yield start


@pytest.mark.parametrize(("provider", "path"), EVENTS, ids=[f"{provider}-{path.stem}" for provider, path in EVENTS])
def test_the_answer_to_an_event_is_as_its_case_expects(provider: str, path: Path, running: Callable[[str], Runtime]) -> None:
    case = CASES[stem(path)]
    answer = running(provider).invoke(json.loads(path.read_text()))
    text = answer.body.decode()
    assert answer.status == case["status"], text
    if "body" in case:
        document = json.loads(text, parse_constant=pytest.fail)
        assert not [*differences(case["body"], document)], text
    if "text" in case:
        assert re.fullmatch(case["text"], text), text
    if answer.headers:  # a direct invocation has none
        assert not [*differences(case["headers"], answer.headers, "headers")]
        assert answer.headers["x-request-id"]
        assert re.fullmatch(r"init;dur=[\d.]+, load;dur=[\d.]+, predict;dur=[\d.]+", answer.headers["server-timing"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_has_all_its_parts(provider: str) -> None:
    wanted = [ROOT / "handlers" / provider / "requirements.txt", ROOT / "infra" / provider]
    wanted.append(ROOT / "shared" / "flyweight" / "toolkit" / "local" / f"{provider}.py")
    wanted += [ROOT / "events" / provider / f"{name}.json" for name in CASES]
    missing = [str(path.relative_to(ROOT)) for path in wanted if not path.exists()]
    assert not missing, f"still to be written for {provider}: {', '.join(missing)}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_event_belongs_to_a_case(provider: str) -> None:
    strangers = sorted(path.name for path in (ROOT / "events" / provider).iterdir() if stem(path) not in CASES)
    assert not strangers, f"events/cases.json expects nothing of {', '.join(strangers)}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_request_writes_one_log_line_with_the_answers_request_id(provider: str, running: Callable[[str], Runtime]) -> None:
    process = running(provider)
    answer = process.invoke(json.loads((ROOT / "events" / provider / "predict.json").read_text()))
    lines = [line for line in process.log().splitlines() if answer.headers["x-request-id"] in line]
    assert len(lines) == 1
    assert {"predict", "penguins", "1.0.0", 200, 1} <= set(json.loads(lines[0]).values())
