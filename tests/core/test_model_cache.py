"""One load a model and process, however many threads race; a failure is remembered briefly and told as it was."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

from flyweight.errors import ModelRefused, ModelUnavailable
from flyweight.model_cache import RETRY_SECONDS, ModelCache


class Loader:
    """Loads a name as itself, counts, and raises what it is told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None
        self.seconds = 0.0

    def __call__(self, path: str) -> Any:
        self.calls += 1
        time.sleep(self.seconds)
        if self.error:
            raise self.error
        return f"model {path}"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_model_is_loaded_once() -> None:
    loader = Loader()
    cache = ModelCache(loader)
    assert [cache.get("a"), cache.get("a"), cache.get("b")] == ["model a", "model a", "model b"]
    assert loader.calls == 2


def test_racing_threads_share_one_load() -> None:
    loader = Loader()
    loader.seconds = 0.05
    cache = ModelCache(loader)
    start = threading.Barrier(16)
    found = []

    def race() -> None:
        start.wait()
        found.append(cache.get("a"))

    threads = [threading.Thread(target=race) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["model a"] * 16
    assert loader.calls == 1
    assert cache.load_seconds >= 0.05


def test_a_refused_model_is_not_tried_again_for_five_seconds() -> None:
    loader, clock = Loader(), Clock()
    loader.error = ModelRefused("cyclic")
    cache = ModelCache(loader, clock)
    for _ in range(3):
        with pytest.raises(ModelRefused, match="cyclic"):
            cache.get("a")
    assert loader.calls == 1
    clock.now += RETRY_SECONDS
    loader.error = None
    assert cache.get("a") == "model a"


def test_a_file_that_can_not_be_read_is_unavailable_and_does_not_tell_its_path() -> None:
    loader = Loader()
    loader.error = FileNotFoundError(2, "No such file or directory", "/secret/place")
    with pytest.raises(ModelUnavailable, match="No such file") as caught:
        ModelCache(loader).get("/secret/place")
    assert "secret" not in str(caught.value)


def test_an_unknown_error_is_raised_and_tried_again() -> None:
    loader = Loader()
    loader.error = ZeroDivisionError()
    cache = ModelCache(loader)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.get("a")
    assert loader.calls == 2


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_child_can_load_although_a_thread_of_its_parent_held_the_lock() -> None:
    loader = Loader()
    cache = ModelCache(loader)
    cache._lock.acquire()
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.get("a") == "model a" else 1)
    deadline = time.monotonic() + 10
    ended, status = 0, -1
    while not ended and time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if not ended:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert (ended, status) == (child, 0)
