"""Every case of `events/` through every target and protocol, as a built folder in the target's real runtime.

Nothing here names a target or a protocol: both are found by listing, and the failures say what a new one lacks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.events import samples
from flyweight.toolkit.running import Answer, Runtime, runtime
from tests.contract import matching, protocols
from tests.contract.cases import CASES, HTTP, Case
from tests.contract.objects import Objects
from tests.contract.protocols import native
from tests.services.fixtures import servers

__all__ = ["servers"]

TARGETS = [target.name for target in targets.all_targets() if target.has("runtime")]
PROTOCOLS: list[ModuleType] = [
    import_module(f"{protocols.__name__}.{module.name}") for module in iter_modules(protocols.__path__)
]
SAMPLES = [(target, path) for target in TARGETS for path in sorted(targets.find(target).folder("events").glob("*.json"))]


def asked() -> Iterator[Any]:
    """Every case in the words of every protocol, natively in each shape of each target, else in the target's usual shape.

    Targets that share a handler with another one, or have no packages, answer their own protocols alone.
    """
    for target in TARGETS:
        place = targets.find(target)
        for protocol in PROTOCOLS:
            name = protocol.__name__.rpartition(".")[2]
            own = place.handler != target or place.package.alone
            if own and not {name, "all"} & {*place.protocols, "native"}:
                continue
            for case in HTTP:
                if (request := protocol.request(case)) is not None:
                    for shape, event in samples.shapes(target, request).items():
                        if protocol is native or not shape:
                            label = "-".join(filter(None, (target, name, shape, case.name)))
                            yield pytest.param(target, protocol, case, event, id=label)


def logged(text: str) -> list[Any]:
    """The entries among what a process printed."""
    return [json.loads(line[line.index("{") :]) for line in text.splitlines() if line.endswith("}") and "{" in line]


@pytest.fixture(scope="module")
def objects(servers: None) -> Iterator[Objects]:
    """The objects that cases presuppose; they are put where the events say when they are asked for."""
    with ExitStack() as stack:
        yield Objects(stack)


Invoke = Callable[..., tuple[Answer, str]]


@pytest.fixture(scope="module")
def invoke(built: Callable[..., Path], objects: Objects) -> Iterator[Invoke]:
    """Answer an event in a target's runtime, with what it logged; one process for all events with the same settings."""
    with ExitStack() as stack:

        @cache
        def start(target: str, protocols: tuple[str, ...], settings: tuple[tuple[str, str], ...]) -> Runtime:
            if words := runtime(target).missing():
                pytest.skip(words)
            return stack.enter_context(runtime(target)(built(target, *protocols), environ=dict(settings)))

        def invoked(target: str, event: Any, case: Case, protocol: ModuleType = native) -> tuple[Answer, str]:
            whole = {**protocol.SETTINGS, **runtime(target).settings(event), **objects.placed(case.objects)}
            process = start(target, () if protocol is native else ("all",), tuple(sorted(whole.items())))
            before = len(process.log())
            answer = process.invoke(event)
            return answer, process.log()[before:]

        yield invoked


@pytest.mark.parametrize(("target", "protocol", "case", "event"), [*asked()])
def test_a_request_is_answered_as_its_case_expects(
    target: str, protocol: ModuleType, case: Case, event: Any, invoke: Invoke
) -> None:
    answer, _ = invoke(target, event, case, protocol)
    assert not [*protocol.differences(case, answer)]


@pytest.mark.parametrize(("target", "path"), SAMPLES, ids=[f"{target}-{path.stem}" for target, path in SAMPLES])
def test_a_sample_is_answered_as_its_case_expects(target: str, path: Path, invoke: Invoke, objects: Objects) -> None:
    event, case = json.loads(path.read_text()), CASES[path.stem.partition(".")[0]]
    answer, log = invoke(target, event, case)
    assert not [*native.differences(case, answer)]
    for expected in case.expected.get("log", []):
        lines = logged(log)
        assert any(not [*matching.differences(expected, line)] for line in lines), f"no line {expected} in {lines}"
    if "leaves" in case.expected:
        (address,) = case.objects
        left = objects.left(address)
        assert not [*matching.differences(case.expected["leaves"], left, "leaves")], left


@pytest.mark.parametrize(("target", "path"), [pair for pair in SAMPLES if CASES[pair[1].name.partition(".")[0]].request], ids=str)
def test_a_sample_of_a_request_is_the_plain_request_as_the_target_wraps_it(target: str, path: Path) -> None:
    case, _, shape = path.stem.partition(".")
    assert json.loads(path.read_text()) == runtime(target).event(samples.requests()[case], shape)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_has_a_sample_of_each_shape_and_trigger(target: str) -> None:
    there = targets.find(target)
    wanted = [f"predict.{shape}" if shape else "predict" for shape in there.runtime.SHAPES]
    wanted += [case.name for case in CASES.values() if "providers" in case.expected and case.is_of(target)]
    missing = [name for name in wanted if not (there.folder("events") / f"{name}.json").is_file()]
    missing += [] if there.folder("handlers").is_dir() else ["handlers"]
    assert not missing, f"still to be written for {target}: {', '.join(missing)}"


def test_every_event_belongs_to_a_case_and_every_request_has_one() -> None:
    strangers = [f"{target}/{path.name}" for target, path in SAMPLES if not _is_of(target, path)]
    assert not strangers, f"events/cases.json expects nothing of {', '.join(strangers)}"
    assert {*samples.requests()} == {case.name for case in HTTP}


def _is_of(target: str, path: Path) -> bool:
    case = CASES.get(path.stem.partition(".")[0])
    return case is not None and case.is_of(target)


@pytest.mark.parametrize("target", TARGETS)
def test_the_usual_shape_carries_every_request_and_every_shape_a_prediction(target: str) -> None:
    assert [name for name, request in samples.requests().items() if "" not in samples.shapes(target, request)] == []
    assert {*samples.shapes(target, samples.requests()["predict"])} == {*runtime(target).SHAPES}


@pytest.mark.parametrize("case", [case for case in HTTP if case.predictions and case.instances], ids=lambda case: case.name)
def test_a_case_expects_one_label_for_each_of_its_instances(case: Case) -> None:
    assert len(case.predictions) == len(case.instances)


@pytest.mark.parametrize("target", TARGETS)
def test_each_request_writes_one_log_line_with_the_answers_request_id(target: str, invoke: Invoke) -> None:
    answer, log = invoke(target, samples.read(target, "predict"), CASES["predict"])
    (line,) = [line for line in log.splitlines() if answer.headers["x-request-id"] in line]
    assert {"predict", "penguins", "1.0.0", 200, 1} <= set(json.loads(line).values())
