"""With any fault of the store, a caller gets a right answer or a clear 503, and an answer while a last good model exists."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from hypothesis.strategies import integers, none, sampled_from

from flyweight.errors import FlyweightError
from flyweight.serving.service import Service
from flyweight.settings import Caching, Settings
from flyweight.toolkit.publishing import registry
from flyweight.values import Request
from tests.services.faults import FAULTS
from tests.services.fixtures import Bucket
from tests.services.web import wait_until

BODY = b'{"instances": [[0.0]]}'
TTL = 0.05
HARMLESS = {"etag"}  # a model is identified by its hash and not by the tag of its pointer


class Endpoint:
    """A service over `m@prod` of a bucket, with its own disk."""

    def __init__(self, bucket: Bucket, folder: Path, ttl: float = TTL, wait: float = 10.0, seconds: float = 1.0) -> None:
        caching = Caching(ttl_seconds=ttl, store_seconds=seconds, cache_dir=str(folder))
        self.logged: list[dict[str, Any]] = []
        self.service = Service(
            Settings(f"{bucket.root}/m@prod", caching=caching), lambda entry: self.logged.append(dict(entry)), wait
        )

    def ask(self) -> tuple[int, Any, dict[str, str]]:
        """Get the status, the prediction or the problem document, and the headers."""
        response = self.service.answer(Request("POST", "/predict", {}, BODY))
        document = json.loads(response.body)
        return response.status, document["predictions"][0] if response.status == 200 else document, {**response.headers}

    def expire(self) -> None:
        """Make every check due."""
        self.service.models.expire()

    def settle(self, number: float) -> dict[str, str]:
        """Ask until the store has confirmed that a version answers, and get the headers of that answer.

        A busy machine may miss the short deadlines of these tests, which is then one more fault of the store.
        """
        answers: list[tuple[int, Any, dict[str, str]]] = []

        def settled() -> bool:
            self.expire()
            self.service.models._failures.clear()
            answers.append(self.ask())
            status, answer, headers = answers[-1]
            return (status, answer) == (200, number) and "x-flyweight-stale" not in headers

        wait_until(settled, f"version {number} answers")
        return answers[-1][2]


@pytest.fixture
def endpoint(s3: Bucket, tmp_path: Path) -> Callable[..., Endpoint]:
    return lambda **options: Endpoint(s3, tmp_path / "cache", **options)


@pytest.mark.parametrize("fault", FAULTS)
def test_while_a_model_is_loaded_no_fault_is_seen(s3: Bucket, versions: dict[int, Path], endpoint: Any, fault: str) -> None:
    """The first model goes on answering and reports that its check failed; after the fault the new one takes over."""
    here, serving = registry.at(s3.root), endpoint()
    here.push(versions[1], ["prod"])
    serving.settle(1.0)
    here.push(versions[2], ["prod"])
    s3.proxy.fail(fault)
    if fault in HARMLESS:
        serving.settle(2.0)
        return
    serving.expire()
    status, answer, headers = serving.ask()
    assert (status, answer, headers["x-flyweight-model"]) == (200, 1.0, "m/1.0.0")
    assert "x-flyweight-stale" in headers and float(headers["x-flyweight-checked"]) > 0.0
    warning = next(entry for entry in serving.logged if entry["message"].startswith("the model was not checked"))
    assert warning["level"] == "WARNING" and "secret-of-the-tests" not in json.dumps(serving.logged)
    s3.proxy.fail("")
    serving.settle(2.0)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_the_bytes_come_is_not_seen_either(
    s3: Bucket, versions: dict[int, Path], endpoint: Any, fault: str
) -> None:
    """The pointer can be read; its model can't be read whole."""
    here, serving = registry.at(s3.root), endpoint()
    here.push(versions[1], ["prod"])
    serving.settle(1.0)
    here.push(versions[2], ["prod"])
    s3.proxy.fail(fault, when=lambda seen: seen.path.endswith(".safetensors"))
    if fault in HARMLESS:
        serving.settle(2.0)
        return
    serving.expire()
    assert serving.ask()[:2] == (200, 1.0)
    s3.proxy.fail("")
    serving.settle(2.0)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cold_start_without_the_store_is_a_clear_503_and_recovers(
    s3: Bucket, versions: dict[int, Path], endpoint: Any, fault: str
) -> None:
    registry.at(s3.root).push(versions[1], ["prod"])
    s3.proxy.fail(fault)
    serving = endpoint()
    if fault in HARMLESS:
        serving.settle(1.0)
        return
    began = time.monotonic()
    status, problem, _ = serving.ask()
    assert time.monotonic() - began < 30.0, "deadlines hold: two requests of a second, on a busy machine"
    assert status == 503 and problem["type"] == "urn:flyweight:problem:model_unavailable" and len(problem["detail"]) > 20
    assert "secret-of-the-tests" not in json.dumps(serving.logged) + json.dumps(problem)
    s3.proxy.fail("")
    serving.settle(1.0)


@pytest.mark.parametrize("fault", ["500", "reset", "429", "503"])
def test_a_transient_fault_is_retried(s3: Bucket, versions: dict[int, Path], endpoint: Any, fault: str) -> None:
    registry.at(s3.root).push(versions[1], ["prod"])
    s3.proxy.fail(fault, times=1)
    assert endpoint(seconds=60.0).ask()[:2] == (200, 1.0)


def test_a_cold_start_with_a_warm_disk_needs_no_store(s3: Bucket, versions: dict[int, Path], endpoint: Any) -> None:
    registry.at(s3.root).push(versions[1], ["prod"])
    endpoint().settle(1.0)
    s3.proxy.fail("refused")
    time.sleep(0.1)  # the time to live is over
    status, answer, headers = endpoint().ask()
    assert (status, answer) == (200, 1.0) and "x-flyweight-stale" in headers


def test_under_load_a_swap_fails_no_request(s3: Bucket, versions: dict[int, Path], endpoint: Any) -> None:
    """Eight threads send requests while versions change: each answer is of a promoted version, never of an older one again."""
    here, serving = registry.at(s3.root), endpoint(ttl=0.05, wait=0.0, seconds=60.0)
    here.push(versions[1], ["prod"])
    serving.ask()
    over = Event()

    def client() -> list[tuple[int, Any]]:
        answers = []
        while not over.wait(0.001):
            answers.append(serving.ask()[:2])
        return [*answers, serving.ask()[:2]]

    with ThreadPoolExecutor(9) as pool:
        clients = [pool.submit(client) for _ in range(8)]
        try:
            for number in (2, 3, 4):
                here.push(versions[number], ["prod"])
                wait_until(lambda number=number: serving.ask()[1] == number, f"version {number} answers")
        finally:
            over.set()
        histories = [client.result() for client in clients]
    for history in histories:
        assert {status for status, _ in history} == {200}
        answers = [answer for _, answer in history]
        assert answers == sorted(answers) and answers[-1] == 4.0


class Histories(RuleBasedStateMachine):
    """Any order of pushes, promotions, rollbacks, faults, restarts and reads."""

    bucket: Bucket
    versions: dict[int, Path]
    folder: Path
    count = 0

    @initialize()
    def begin(self) -> None:
        type(self).count += 1
        self.bucket.proxy.fail("")
        self.bucket.root = f"{self.bucket.root.rpartition('/')[0]}/{self.count}"
        self.here = registry.at(self.bucket.root)
        self.here.push(self.versions[1], ["prod"])
        self.promoted = [1.0]  # in the order of their serials
        self.served = 0  # the place in `promoted` of the last answer
        self.restart()

    @rule(number=integers(1, 5))
    def push_and_promote(self, number: int) -> None:
        self._well(lambda: self.here.push(self.versions[number], ["prod"]))
        self.promoted.append(float(number))

    @rule()
    def rollback(self) -> None:
        try:
            pointer = self._well(lambda: self.here.rollback("m", "prod"))
        except FlyweightError:  # nothing to go back to
            return
        self.promoted.append(float(pointer["record"]["version"][0]))

    @rule(fault=sampled_from(["", "", *FAULTS]), times=none() | integers(1, 3))
    def fault(self, fault: str, times: int | None) -> None:
        self.bucket.proxy.fail(fault, times)
        self.broken = fault

    @rule()
    def restart(self) -> None:
        self.serving = Endpoint(self.bucket, self.folder / str(self.count), seconds=0.5)
        self.broken = getattr(self, "broken", "")

    @rule()
    def read(self) -> None:
        for _ in range(1 if self.broken else 100):  # a busy machine may be too slow for a deadline, which is a fault as well
            time.sleep(TTL)
            self.serving.expire()
            self.serving.service.models._failures.clear()
            status, answer, headers = self.serving.ask()
            if status == 200 and "x-flyweight-stale" not in headers:
                break
        if status == 503 and not self.served:
            return  # it has never had a model, and the store has a fault
        assert status == 200, answer
        places = [place for place, number in enumerate(self.promoted) if number == answer and place >= self.served - 1]
        assert places, f"{answer} was never promoted, or is older than what was served"
        self.served = max(self.served, places[0] + 1)
        if not self.broken:
            assert answer == self.promoted[-1]

    @invariant()
    def health(self) -> None:
        assert self.serving.service.answer(Request("GET", "/health", {}, b"")).status == 200

    def _well(self, act: Callable[[], Any]) -> Any:
        """Run an action of the writer, whom no fault reaches."""
        self.bucket.proxy.fail("")
        self.broken = ""
        return act()


@pytest.fixture
def histories(s3: Bucket, versions: dict[int, Path], tmp_path: Path) -> Iterator[type[Histories]]:
    yield type("Here", (Histories,), {"bucket": s3, "versions": versions, "folder": tmp_path})


def test_any_history_leaves_a_reader_with_a_promoted_version_never_older_than_the_last_it_served(
    histories: type[Histories],
) -> None:
    run_state_machine_as_test(
        histories,
        settings=settings(max_examples=12, stateful_step_count=16, deadline=None, suppress_health_check=[*HealthCheck]),
    )
