"""Threads share one load of a model; checks do not delay requests; the last good model stays."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from flyweight.errors import FlyweightError, ModelRefused, ModelUnavailable, StoreFailed
from flyweight.predictor import LoadedModel
from flyweight.serving.cache import RETRY_SECONDS, ModelCache
from tests.services.web import GENEROUS, wait_until

RELEASE: Any = object()


def loaded(name: str, weight: int = 0, **fields: Any) -> LoadedModel:
    """Make a model of this name, from a store if `may_change` is given."""
    predictor: Any = SimpleNamespace(name=name, version="1")
    return LoadedModel(predictor, weight, RELEASE, **fields)


class Source:
    """A source that counts its calls, takes `seconds`, and gives a model or raises `error`."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        self.loads: list[str] = []
        self.checks: list[str] = []
        self.error: BaseException | None = None
        self.next: LoadedModel | None = None
        self.seconds = 0.0
        self.gates: dict[str, threading.Event] = {}  # by address: a load or check goes on when its gate is set
        self.begun = threading.Event()  # a load or check stands before its gate
        self.forgotten = 0

    def load(self, address: str, spent: dict[str, float]) -> LoadedModel:
        self.loads.append(address)
        self._pass(address)
        spent["load"] = spent.get("load", 0.0) + self.seconds
        if self.error:
            raise self.error
        return loaded(address, **self.fields)

    def refresh(self, address: str, current: LoadedModel, spent: dict[str, float]) -> LoadedModel:
        self.checks.append(address)
        self._pass(address)
        if self.error:
            raise self.error
        return self.next or current

    def forget(self) -> None:
        self.forgotten += 1

    def _pass(self, address: str) -> None:
        time.sleep(self.seconds)
        if address in self.gates:
            self.begun.set()
            assert self.gates[address].wait(GENEROUS)

    def closed(self, address: str) -> threading.Event:
        """Hold up loads and checks of an address until the gate is set."""
        self.begun.clear()
        return self.gates.setdefault(address, threading.Event())


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def named(cache: ModelCache, address: str) -> str:
    return cache.get(address).model.predictor.name


def race(count: int, ask: Callable[[], Any]) -> list[Any]:
    """Call `ask` in `count` threads at once, and collect results and errors."""
    start, results = threading.Barrier(count), []

    def run() -> None:
        start.wait()
        try:
            results.append(ask())
        except FlyweightError as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_model_is_loaded_once() -> None:
    source = Source()
    cache = ModelCache(source)
    assert [named(cache, "a"), named(cache, "a"), named(cache, "b")] == ["a", "a", "b"]
    assert source.loads == ["a", "b"]


def test_two_hundred_racing_threads_share_one_load() -> None:
    source = Source()
    source.seconds = 0.05
    cache = ModelCache(source)
    assert race(200, lambda: named(cache, "a")) == ["a"] * 200
    assert source.loads == ["a"]
    assert cache.spent["load"] >= 0.05


def test_another_model_does_not_wait_for_one_that_loads_slowly() -> None:
    source = Source()
    cache = ModelCache(source)
    cache.get("quick")
    gate = source.closed("slow")
    slow = threading.Thread(target=cache.get, args=("slow",))
    slow.start()
    assert source.begun.wait(GENEROUS)
    assert named(cache, "other") == "other" and slow.is_alive()
    gate.set()
    slow.join()


def test_racing_threads_share_one_failure() -> None:
    source = Source()
    source.error, source.seconds = ModelRefused("cyclic"), 0.05
    cache = ModelCache(source)
    errors = race(20, lambda: cache.get("a"))
    assert [str(error) for error in errors] == ["cyclic"] * 20
    assert source.loads == ["a"]


def test_a_refused_model_is_not_tried_again_for_five_seconds() -> None:
    source, clock = Source(), Clock()
    source.error = ModelRefused("cyclic")
    cache = ModelCache(source, clock=clock)
    for _ in range(3):
        with pytest.raises(ModelRefused, match="cyclic"):
            cache.get("a")
    assert source.loads == ["a"]
    clock.now += RETRY_SECONDS
    source.error = None
    assert named(cache, "a") == "a"


def test_an_error_that_is_raised_again_does_not_grow() -> None:
    """Lambda's runtime client posts the whole traceback, and ends when that does not fit into a header."""
    source, clock = Source(), Clock()
    source.error = StoreFailed("away")
    cache = ModelCache(source, budget=1, ttl=1.0, clock=clock)
    lengths = []
    for _ in range(10):
        with pytest.raises(StoreFailed) as raised:
            cache.get("a")
        lengths.append(len([*traceback.walk_tb(raised.value.__traceback__)]))
    assert len({*lengths[1:]}) == 1, lengths


def test_an_unreadable_file_is_unavailable_and_its_path_stays_secret() -> None:
    source = Source()
    source.error = FileNotFoundError(2, "No such file or directory", "/secret/place")
    with pytest.raises(ModelUnavailable, match="No such file") as caught:
        ModelCache(source).get("/secret/place")
    assert "secret" not in str(caught.value)


def test_an_unexpected_error_is_raised_and_the_load_tried_again() -> None:
    source = Source()
    source.error = ZeroDivisionError()
    cache = ModelCache(source)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.get("a")
    assert source.loads == ["a", "a"]


def test_threads_that_wait_for_an_interrupted_load_get_an_error() -> None:
    source = Source()
    source.error = KeyboardInterrupt()
    cache, gate = ModelCache(source), source.closed("a")
    errors: list[BaseException] = []

    def lead() -> None:
        try:
            cache.get("a")
        except BaseException as error:
            errors.append(error)

    leader = threading.Thread(target=lead)
    leader.start()
    assert source.begun.wait(GENEROUS)
    done = cache._flights["a"].done
    wait = done.wait
    done.wait = lambda: gate.set() or wait()  # type: ignore[func-returns-value,method-assign]
    with pytest.raises(ModelUnavailable, match="interrupted"):
        cache.get("a")
    leader.join()
    assert [type(error) for error in errors] == [KeyboardInterrupt]


def test_a_model_that_may_not_change_is_never_checked() -> None:
    source, clock = Source(), Clock()
    cache = ModelCache(source, ttl=1.0, refresh_wait_seconds=5.0, clock=clock)
    cache.get("a")
    clock.now += 1e6
    cache.get("a")
    assert source.checks == []


def checking(**options: Any) -> tuple[Source, Clock, ModelCache, list[Any]]:
    """Make a cache with one model, which may change and was loaded just now."""
    source, clock, logged = Source(may_change=True), Clock(), list[Any]()
    cache = ModelCache(source, ttl=60.0, clock=clock, log=lambda entry: logged.append(dict(entry)), **options)
    cache.get("a")
    return source, clock, cache, logged


def test_a_check_is_due_when_the_time_to_live_is_over() -> None:
    source, clock, cache, _ = checking(refresh_wait_seconds=5.0)
    clock.now += 59.0
    assert cache.age(cache.get("a")) == 59.0 and source.checks == []
    clock.now += 1.0
    assert cache.age(cache.get("a")) == 0.0 and source.checks == ["a"]
    clock.now += 59.0
    cache.get("a")
    assert source.checks == ["a"]


def test_a_new_model_takes_the_place_of_the_old_one() -> None:
    source, clock, cache, logged = checking(refresh_wait_seconds=5.0)
    source.next = loaded("new", may_change=True)
    clock.now += 60.0
    assert named(cache, "a") == "new"
    assert [(entry["message"], entry["former"]) for entry in logged] == [("another model answers from now on", "a/1")]


def test_no_request_waits_for_a_check_longer_than_it_may() -> None:
    """The request that starts the check gets the old model after the wait; the others get it at once; the new one comes later."""
    source, clock, cache, _ = checking(refresh_wait_seconds=0.05)
    source.next, gate = loaded("new", may_change=True), source.closed("a")
    clock.now += 60.0
    began = time.monotonic()
    assert named(cache, "a") == "a"
    assert time.monotonic() - began > 0.04
    assert race(50, lambda: named(cache, "a")) == ["a"] * 50
    assert not gate.is_set(), "the check goes on until here, and nobody has waited for it"
    gate.set()
    wait_until(lambda: named(cache, "a") == "new", "the new model answers")
    assert source.checks == ["a"]


@pytest.mark.parametrize("error", [StoreFailed("down"), ModelRefused("flipped bit"), ZeroDivisionError("of ours")])
def test_the_last_good_model_stays_after_any_error(error: Exception) -> None:
    source, clock, cache, logged = checking(refresh_wait_seconds=5.0)
    source.error = error
    clock.now += 60.0
    entry = cache.get("a")
    assert entry.model.predictor.name == "a" and entry.trouble and cache.age(entry) == 60.0
    assert [entry["level"] for entry in logged] == ["WARNING"]
    clock.now += RETRY_SECONDS - 1
    cache.get("a")
    assert source.checks == ["a"], "a failed check is not repeated by every request"
    source.error = None
    clock.now += 1
    entry = cache.get("a")
    assert source.checks == ["a", "a"] and not entry.trouble and cache.age(entry) == 0.0


def test_a_last_good_model_from_the_disk_is_checked_again_soon() -> None:
    source, clock = Source(may_change=True, trouble="the store is down", age=3600.0), Clock()
    cache = ModelCache(source, ttl=60.0, refresh_wait_seconds=5.0, clock=clock)
    entry = cache.get("a")
    assert entry.trouble == "the store is down" and cache.age(entry) == 3600.0
    clock.now += RETRY_SECONDS
    assert not cache.get("a").trouble and source.checks == ["a"]


def test_after_expire_the_next_request_checks() -> None:
    source, _, cache, _ = checking(refresh_wait_seconds=5.0)
    cache.expire()
    cache.get("a")
    assert source.checks == ["a"]


def test_the_least_recently_used_models_make_room() -> None:
    source, clock = Source(weight=40), Clock()
    cache = ModelCache(source, budget=100, clock=clock)
    for address in ("a", "b", "a", "c"):
        clock.now += 1
        cache.get(address)
    assert sorted(entry.model.predictor.name for entry in cache.entries()) == ["a", "c"]
    assert named(cache, "b") == "b"
    assert source.loads == ["a", "b", "c", "b"]


def test_a_model_above_the_budget_answers_alone() -> None:
    source = Source(weight=400)
    cache = ModelCache(source, budget=100)
    assert [named(cache, "a"), named(cache, "b")] == ["a", "b"]
    assert len(cache.entries()) == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_child_can_load_although_a_thread_of_its_parent_held_the_lock_and_was_loading() -> None:
    source = Source()
    cache = ModelCache(source)
    gate = source.closed("a")
    loading = threading.Thread(target=cache.get, args=("a",))
    loading.start()
    assert source.begun.wait(GENEROUS)
    with cache._lock:
        child = os.fork()
        if child == 0:
            source.gates.clear()
            os._exit(0 if named(cache, "a") == "a" and source.forgotten == 1 else 1)
    deadline = time.monotonic() + GENEROUS
    ended, status = 0, -1
    while not ended and time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if not ended:
        os.kill(child, 9)
        os.waitpid(child, 0)
    gate.set()
    loading.join()
    assert (ended, status) == (child, 0)
