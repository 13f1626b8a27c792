"""Our Runtime API client outside of single events: SnapStart's restore, and several processes on Managed Instances."""

from __future__ import annotations

import json
import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.running import runtime
from tests.targets.aws.runtime_api import OWN, PLATFORM, Ended, Request, Session, event, reply
from tests.targets.aws.test_client import SITUATIONS

SNAP_START = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
HOOKS = """
import sys
from snapshot_restore_py import register_after_restore, register_before_snapshot
def say(word, *, end="."):
    print(word, end=end)
    if word == FAILS:
        raise ValueError(word)
    if word == LEAVES:
        sys.exit(3)
register_before_snapshot(say, "before 1", end="!")
register_before_snapshot(say, "before 2")
register_after_restore(say, "after 1")
register_after_restore(say, "after 2")
def handler(event, context): return "answered"
"""


def seen(requests: list[Request]) -> list[Any]:
    """What is promised of posts at a snapshot: where to, the type of the error, and the function's frames."""
    found: list[Any] = []
    for one in requests:
        document = json.loads(one.body) if one.body else None
        if isinstance(document, dict):
            document["stackTrace"] = [line for line in document["stackTrace"] if "app.py" in line]
        found.append((one.method, one.path, one.headers.get("lambda-runtime-function-error-type"), document))
    return found


def snapped(client: str, folder: Path, **refusals: bytes) -> tuple[list[Any], Ended]:
    answers = {path.replace("_", "/"): answer for path, answer in refusals.items()}
    with Session(client, folder, environ=SNAP_START, refusals=answers) as session:
        if session.waits():
            session.ask(event({}))
        return seen(session.requests), session.end()


CASES = {
    "all is well": ("", "", {}),
    "a hook before fails": ("before 1", "", {}),
    "a hook before leaves": ("", "before 2", {}),
    "a hook after fails": ("after 2", "", {}),
    "a hook after leaves": ("", "after 1", {}),
    "the restore is refused": ("", "", {"restore_next": reply(b"no", 500)}),
}
STATUSES = {"a hook before fails": 64, "a hook before leaves": 64, "a hook after fails": 65, "a hook after leaves": 65}


@pytest.mark.parametrize("case", CASES)
def test_hooks_run_and_fail_alike_around_a_snapshot(case: str, tmp_path: Path) -> None:
    fails, leaves, refusals = CASES[case]
    (tmp_path / "app.py").write_text(f"FAILS, LEAVES = {fails!r}, {leaves!r}\n{HOOKS}")
    posted, platform = snapped(PLATFORM, tmp_path, **refusals)
    own_posted, own = snapped(OWN, tmp_path, **refusals)
    if case == "the restore is refused":  # the message names each client's own error
        assert [one[:3] for one in own_posted] == [one[:3] for one in posted]
        assert own.status == platform.status == 64
        return
    assert own_posted == posted
    assert own.status == platform.status == STATUSES.get(case)
    hooks = re.compile(rb"(?:before|after) \d[.!]")
    assert hooks.findall(own.stdout) == hooks.findall(platform.stdout)


def test_without_snap_start_no_hook_runs(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"FAILS = LEAVES = ''\n{HOOKS}")
    with Session(OWN, tmp_path) as session:
        (posted,) = session.ask(event({}))
        assert (posted.body, session.end().stdout) == (b'"answered"', b"")


def test_a_function_without_hooks_needs_no_module_for_them(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): return 1")
    (tmp_path / "snapshot_restore_py.py").write_text("raise ImportError")
    posted, ended = snapped(OWN, tmp_path)
    assert posted[0][:2] == ("GET", "/2018-06-01/runtime/restore/next")
    assert ended.status is None


@pytest.mark.slow
def test_a_built_function_is_restored_under_our_client(built: Callable[[str], Path]) -> None:
    kind = runtime("aws")
    predict = json.loads((SITUATIONS.parents[3] / "events" / "aws" / "predict.json").read_text())
    with kind(built("aws"), environ={**SNAP_START, **kind.client("own")}) as process:
        assert process.invoke(predict).status == 200


SEVERAL = {"AWS_LAMBDA_MAX_CONCURRENCY": "3", "AWS_LAMBDA_LOG_FORMAT": "JSON"}
COUNTING = """
import os
print(f"import {os.getpid()}")
LOADED = os.getpid()
def handler(event, context):
    print("working")
    if event == "leave": os._exit(4)
    return [LOADED, os.getpid()]
"""


class Pool(Session):
    """A client with several processes: each has a `next` of its own that waits."""

    def gather(self, count: int) -> None:
        """Serve until this many processes wait for an event."""
        deadline = time.monotonic() + 20
        while len(self._waiting) < count:
            held, self._waiting = self._waiting, []
            assert self.waits(), self.end()
            self._waiting += held
            assert time.monotonic() < deadline

    def ask_all(self, answer: bytes) -> list[bytes]:
        """Give each waiting process the same event, and return what they post."""
        before, count = len(self.requests), len(self._waiting)
        for one in self._waiting:
            one.socket.sendall(answer)
        self._waiting = []
        self.gather(count)
        return [one.body for one in self.requests[before:]]


@pytest.fixture
def counting(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(COUNTING)
    return tmp_path


def test_the_function_is_loaded_once_and_answered_by_several_processes(counting: Path) -> None:
    with Pool(OWN, counting, environ=SEVERAL) as pool:
        pool.gather(3)
        pairs = [json.loads(body) for body in pool.ask_all(event({}))]
        ended = pool.end()
    assert len({loaded for loaded, _ in pairs}) == 1
    assert len({answering for _, answering in pairs} - {pool.pid}) == 3
    assert ended.stdout.count(b"import") == 1
    assert ended.stdout.count(b"working") == 3


def test_a_function_that_starts_threads_is_loaded_after_the_fork(counting: Path) -> None:
    source = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n" + COUNTING
    (counting / "app.py").write_text(source)
    with Pool(OWN, counting, environ=SEVERAL) as pool:
        pool.gather(3)
        pairs = [json.loads(body) for body in pool.ask_all(event({}))]
    assert all(loaded == answering for loaded, answering in pairs)
    assert len({answering for _, answering in pairs}) == 3


def test_a_process_that_ends_leaves_the_others(counting: Path) -> None:
    with Pool(OWN, counting, environ=SEVERAL) as pool:
        pool.gather(3)
        first = pool._waiting.pop(0)
        first.socket.sendall(event("leave"))
        assert len(pool.ask_all(event({}))) == 2


def test_a_refused_answer_is_told_and_each_process_goes_on(counting: Path) -> None:
    with Pool(OWN, counting, environ=SEVERAL, refusals={"/response": reply(b"", 500)}) as pool:
        pool.gather(3)
        pool.ask_all(event({}))
        pool.refusals.clear()
        assert len(pool.ask_all(event({}))) == 3


def test_next_is_asked_again_a_few_times(counting: Path) -> None:
    with Pool(OWN, counting, environ={**SEVERAL, "AWS_LAMBDA_MAX_CONCURRENCY": "1"}) as pool:
        pool.gather(1)
        for _ in range(4):
            pool.ask(reply(b"", 500))
        assert len(pool.ask(event({}))) == 1
        for _ in range(5):
            pool.ask(reply(b"", 500))
        assert not pool.waits()
        assert pool.end().stderr.count(b"Failed to get next invocation. Http Response code: 500") == 9


def test_an_error_at_import_is_posted_once(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise ValueError")
    with Session(OWN, tmp_path, environ=SEVERAL) as session:
        assert not session.waits()
        assert [one.path for one in session.requests] == ["/2018-06-01/runtime/init/error"]
        assert session.end().status == 1


@pytest.fixture
def provider() -> Iterator[tuple[str, list[bytes]]]:
    """The platform's socket for the output of processes: its path, and what it received on each connection."""
    place = tempfile.mkdtemp()  # a short path: that of a socket has at most 107 bytes
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{place}/s")
    listener.listen()
    received: list[bytes] = []
    threads: list[threading.Thread] = []

    def read(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(4096):
                received.append(data)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=read, args=(connection,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    yield f"{place}/s", received
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in [accepting, *threads]:
        thread.join(10)
    shutil.rmtree(place)


def test_each_process_writes_to_the_platforms_socket(counting: Path, provider: tuple[str, list[bytes]]) -> None:
    path, received = provider
    source = COUNTING.replace('print("working")', 'print("working"); import logging; logging.warning("logged")')
    (counting / "app.py").write_text(source)
    environ = {**SEVERAL, "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET": path}
    with Pool(OWN, counting, environ=environ) as pool:
        pool.gather(3)
        pool.ask_all(event({}))
        ended = pool.end()
    deadline = time.monotonic() + 10
    while b"".join(received).count(b'"message": "logged"') < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert b"".join(received).count(b"working") == 3
    assert b"".join(received).count(b'"message": "logged"') == 3
    assert ended.stdout.count(b"import") == 1 and b"working" not in ended.stdout


def test_processes_share_the_memory_of_what_was_loaded(tmp_path: Path) -> None:
    source = "DATA = [str(number) for number in range(300_000)]\n"
    source += "def private():\n lines = open('/proc/self/smaps_rollup').read().splitlines()\n"
    source += " return sum(int(line.split()[1]) for line in lines if line.startswith('Private_Dirty'))\n"
    source += "def handler(event, context): return [private(), DATA[-1]]\n"
    (tmp_path / "app.py").write_text(source)
    with Session(OWN, tmp_path) as session:
        (alone,) = session.ask(event({}))
    with Pool(OWN, tmp_path, environ=SEVERAL) as pool:
        pool.gather(3)
        shared = [json.loads(body) for body in pool.ask_all(event({}))]
    assert max(kilobytes for kilobytes, _ in shared) < json.loads(alone.body)[0] / 3


def test_a_pool_is_told_at_the_level_debug(counting: Path) -> None:
    with Pool(OWN, counting, environ={**SEVERAL, "AWS_LAMBDA_LOG_LEVEL": "DEBUG"}) as pool:
        pool.gather(3)
        first = json.loads(pool.end().stdout.splitlines()[0])
    assert first["message"] == {
        "event": "runtime_worker_pool_initializing", "workerCount": 3, "executionEnvironmentMaxConcurrency": 3
    }  # fmt: skip
