"""One load a model and process, however many threads race; checks off the request's path; the last good model stays."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from flyweight.errors import FlyweightError, ModelRefused, ModelUnavailable, StoreFailed
from flyweight.predictor import LoadedModel
from flyweight.serving.cache import RETRY_SECONDS, ModelCache

RELEASE: Any = object()


def loaded(name: str, weight: int = 0, **fields: Any) -> LoadedModel:
    """A model of this name, from a store where `may_change` is given."""
    predictor: Any = SimpleNamespace(name=name, version="1")
    return LoadedModel(predictor, weight, RELEASE, **fields)


class Source:
    """Gives what it is told to, or raises it; counts, and takes its time."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        self.loads: list[str] = []
        self.checks: list[str] = []
        self.error: BaseException | None = None
        self.next: LoadedModel | None = None
        self.seconds = 0.0
        self.forgotten = 0

    def load(self, address: str, spent: dict[str, float]) -> LoadedModel:
        self.loads.append(address)
        time.sleep(self.seconds)
        spent["load"] = spent.get("load", 0.0) + self.seconds
        if self.error:
            raise self.error
        return loaded(address, **self.fields)

    def refreshed(self, address: str, current: LoadedModel, spent: dict[str, float]) -> LoadedModel:
        self.checks.append(address)
        time.sleep(self.seconds)
        if self.error:
            raise self.error
        return self.next or current

    def forget(self) -> None:
        self.forgotten += 1


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def named(cache: ModelCache, address: str) -> str:
    return cache.get(address).model.predictor.name


def race(count: int, ask: Callable[[], Any]) -> list[Any]:
    """What so many threads get that ask at once; errors are what they are."""
    start, found = threading.Barrier(count), []

    def run() -> None:
        start.wait()
        try:
            found.append(ask())
        except FlyweightError as error:
            found.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


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
    source.seconds = 0.5
    slow = threading.Thread(target=cache.get, args=("slow",))
    slow.start()
    source.seconds = 0.0
    assert named(cache, "other") == "other" and slow.is_alive()
    slow.join()


def test_racing_threads_share_one_failure() -> None:
    source = Source()
    source.error, source.seconds = ModelRefused("cyclic"), 0.05
    found = race(20, lambda: ModelCache.get(cache, "a")) if (cache := ModelCache(source)) else []
    assert [str(error) for error in found] == ["cyclic"] * 20
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


def test_a_file_that_can_not_be_read_is_unavailable_and_does_not_tell_its_path() -> None:
    source = Source()
    source.error = FileNotFoundError(2, "No such file or directory", "/secret/place")
    with pytest.raises(ModelUnavailable, match="No such file") as caught:
        ModelCache(source).get("/secret/place")
    assert "secret" not in str(caught.value)


def test_an_unknown_error_is_raised_and_tried_again() -> None:
    source = Source()
    source.error = ZeroDivisionError()
    cache = ModelCache(source)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.get("a")
    assert source.loads == ["a", "a"]


def test_those_who_wait_for_a_load_that_is_cut_off_are_told_so() -> None:
    source = Source()
    source.error, source.seconds = KeyboardInterrupt(), 0.1
    cache = ModelCache(source)
    errors: list[BaseException] = []

    def lead() -> None:
        try:
            cache.get("a")
        except BaseException as error:
            errors.append(error)

    leader = threading.Thread(target=lead)
    leader.start()
    time.sleep(0.03)
    with pytest.raises(ModelUnavailable, match="cut off"):
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
    """A cache whose one model may change, and was loaded just now."""
    source, clock, told = Source(may_change=True), Clock(), list[Any]()
    cache = ModelCache(source, ttl=60.0, clock=clock, log=lambda entry: told.append(dict(entry)), **options)
    cache.get("a")
    return source, clock, cache, told


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
    source, clock, cache, told = checking(refresh_wait_seconds=5.0)
    source.next = loaded("new", may_change=True)
    clock.now += 60.0
    assert named(cache, "a") == "new"
    assert [(entry["message"], entry["former"]) for entry in told] == [("another model answers from now on", "a/1")]


def test_no_request_waits_for_a_check_longer_than_it_may() -> None:
    """The request that starts the check gets the old model after `wait`; the others get it at once; the new one comes later."""
    source, clock, cache, _ = checking(refresh_wait_seconds=0.05)
    source.next, source.seconds = loaded("new", may_change=True), 0.4
    clock.now += 60.0
    began = time.monotonic()
    assert named(cache, "a") == "a"
    assert 0.04 < time.monotonic() - began < 0.3
    assert race(50, lambda: named(cache, "a")) == ["a"] * 50
    assert time.monotonic() - began < 0.35
    deadline = time.monotonic() + 5
    while named(cache, "a") == "a" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert named(cache, "a") == "new" and source.checks == ["a"]


@pytest.mark.parametrize("error", [StoreFailed("down"), ModelRefused("flipped bit"), ZeroDivisionError("of ours")])
def test_the_last_good_model_stays_whatever_goes_wrong(error: Exception) -> None:
    source, clock, cache, told = checking(refresh_wait_seconds=5.0)
    source.error = error
    clock.now += 60.0
    kept = cache.get("a")
    assert kept.model.predictor.name == "a" and kept.trouble and cache.age(kept) == 60.0
    assert [entry["level"] for entry in told] == ["WARNING"]
    clock.now += RETRY_SECONDS - 1
    cache.get("a")
    assert source.checks == ["a"], "a failed check is not repeated by every request"
    source.error = None
    clock.now += 1
    kept = cache.get("a")
    assert source.checks == ["a", "a"] and not kept.trouble and cache.age(kept) == 0.0


def test_a_last_good_model_from_the_disk_is_asked_for_again_soon() -> None:
    source, clock = Source(may_change=True, trouble="the store is down", age=3600.0), Clock()
    cache = ModelCache(source, ttl=60.0, refresh_wait_seconds=5.0, clock=clock)
    kept = cache.get("a")
    assert kept.trouble == "the store is down" and cache.age(kept) == 3600.0
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
    assert sorted(kept.model.predictor.name for kept in cache.entries()) == ["a", "c"]
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
    source.seconds = 1.0
    loading = threading.Thread(target=cache.get, args=("a",))
    loading.start()
    time.sleep(0.1)
    source.seconds = 0.0
    with cache._lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if named(cache, "a") == "a" and source.forgotten == 1 else 1)
    deadline = time.monotonic() + 10
    ended, status = 0, -1
    while not ended and time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if not ended:
        os.kill(child, 9)
        os.waitpid(child, 0)
    loading.join()
    assert (ended, status) == (child, 0)
