"""The agent as a process: it answers on its device alone, survives kill -9, and forwards to S3 over a line that is cut."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from flyweight.stores import Timeouts, open_store
from flyweight.toolkit.building import build
from flyweight.toolkit.publishing import registry
from tests.conftest import PYTHON
from tests.edge.world import Device, Faults, Store, install, number_of
from tests.services.fixtures import Bucket
from tests.services.web import exchange, free_port, wait_until

QUICK = {"FLYWEIGHT_EDGE_FORWARD_SECONDS": "0.2", "FLYWEIGHT_EDGE_PULL_SECONDS": "0.5", "FLYWEIGHT_EDGE_BATCH": "3"}


@pytest.fixture(scope="module")
def folder(versions: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built folder, whose own model is version 1."""
    return build("edge", versions[1], tmp_path_factory.mktemp("edge") / "built", python=PYTHON).folder


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(folder: Path, state: Path) -> Iterator[Start]:
    """Start an agent on the same state."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*words: str, **more: str) -> subprocess.Popen[bytes]:
        environ = {"PATH": os.environ["PATH"], "FLYWEIGHT_EDGE_STATE": str(state), "FLYWEIGHT_EDGE_DEVICE": "pi", **more}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} if words else {"stdout": subprocess.DEVNULL}
        program = [sys.executable, "-I", "-S", "edge_main.py", *words]
        program[1:3] = ["-E", "-S"]  # without site; the folder itself is on the path
        started.append(subprocess.Popen(program, cwd=folder, env=environ, stderr=subprocess.DEVNULL, **pipes))  # type: ignore[call-overload]
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def listening(port: int, process: subprocess.Popen[bytes]) -> None:
    def ready() -> bool:
        assert process.poll() is None
        with contextlib.suppress(OSError):
            return exchange(port, "GET", "/ready")[0] == 200
        return False

    wait_until(ready, "the agent is ready", pause=0.05)


def ask(port: int, number: int) -> tuple[int, float] | None:
    """Send a request; return its sequence number and the answer, None if the agent ended before it answered."""
    try:
        body = json.dumps([[number]]).encode()
        status, headers, answer = exchange(port, "POST", "/predict", body, {"content-type": "application/json"})
    except Exception:
        return None
    assert status == 200, answer
    return int(headers["x-flyweight-sequence"]), json.loads(answer)["predictions"][0]


def addresses(port: int) -> set[str]:
    """The local addresses at which somebody listens on a port, in the system's own hexadecimal digits."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if int(row[1].partition(":")[2], 16) == port and row[3] == "0A"}


def test_lines_are_answered_by_lines_offline(start: Start) -> None:
    process = start("--stdin", FLYWEIGHT_EDGE_FORWARD="http://127.0.0.1:9/nowhere")
    out, _ = process.communicate(b'[[0]]\n\n{"instances": [[0], [0]]}\nno json\n')
    first, second, wrong = map(json.loads, out.splitlines())
    assert (first["predictions"], first["sequence"]) == ([1.0], 1)
    assert (second["predictions"], second["sequence"]) == ([1.0, 1.0], 2)
    assert wrong["type"] == "urn:flyweight:problem:malformed_request" and process.returncode == 0
    status = json.loads(start("--status").communicate()[0])
    assert status["answers"]["waiting"] == 2 and status["model"]["version"] == "1.0.0"


def test_a_line_that_is_too_long_is_refused_and_the_next_one_answered(start: Start) -> None:
    lines = [b" " * 92 + b"[[0.125]]", b" " * 91 + b"[[0.125]]", b"x" * 5000, b"[[0]]" + b" " * 95 + b"\r\r[", b"[[0]]"]
    out, _ = start("--stdin", FLYWEIGHT_MAX_BODY_BYTES="100").communicate(b"\n".join(lines))
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer.get("status") for answer in answers] == [413, None, 413, 413, None], answers


def test_the_agent_listens_on_this_device_alone(start: Start, folder: Path) -> None:
    port = free_port()
    listening(port, start(FLYWEIGHT_PORT=str(port)))
    assert addresses(port) == {"0100007F"}  # 127.0.0.1
    refused = subprocess.run(
        [sys.executable, "edge_main.py"], cwd=folder, env={"FLYWEIGHT_HOST": "0.0.0.0"}, capture_output=True, text=True
    )
    assert refused.returncode != 0 and "this device only" in refused.stderr


@pytest.mark.parametrize(
    ("setting", "value", "status", "told"),
    [
        ("BATCH", "x", 2, "error: FLYWEIGHT_EDGE_BATCH should be a whole number above zero, got 'x'"),
        ("STATE", "/dev/null/x", 2, "error: FLYWEIGHT_EDGE_STATE: /dev/null/x can't be made or written: Not a directory"),
        ("STATE", "/dev/null", 2, "error: FLYWEIGHT_EDGE_STATE: /dev/null can't be made or written: File exists"),
        ("FORWARD", "nope", 1, "error: FLYWEIGHT_EDGE_FORWARD: a store is at "),
    ],
)
def test_what_is_wrong_is_told_in_one_line(folder: Path, state: Path, setting: str, value: str, status: int, told: str) -> None:
    environ = {"FLYWEIGHT_EDGE_STATE": str(state), f"FLYWEIGHT_EDGE_{setting}": value}
    words = [sys.executable, "edge_main.py", "--sync"]
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == status and done.stderr.startswith(told) and done.stderr.count("\n") == 1, done.stderr


def test_a_second_agent_of_a_device_is_told_so(folder: Path, state: Path) -> None:
    state.mkdir()
    with open(state / "agent.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        words, environ = [sys.executable, "edge_main.py", "--sync"], {"FLYWEIGHT_EDGE_STATE": str(state)}
        done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == 1 and "another process" in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_a_unix_socket_takes_the_place_of_the_address(start: Start, tmp_path: Path) -> None:
    path = str(tmp_path / "m.sock")
    start(FLYWEIGHT_EDGE_SOCKET=path)

    def answered() -> bytes:
        with socket.socket(socket.AF_UNIX) as caller, contextlib.suppress(OSError):
            caller.settimeout(60)
            caller.connect(path)
            caller.sendall(b"GET /ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            return caller.recv(100)
        return b""

    wait_until(lambda: answered().startswith(b"HTTP/1.1 200 "), "the socket answers", pause=0.05)


def test_sigterm_ends_the_agent_in_order(start: Start) -> None:
    port = free_port()
    process = start(FLYWEIGHT_PORT=str(port))
    listening(port, process)
    process.terminate()
    assert process.wait(60) == 0


@pytest.mark.slow
def test_sigterm_ends_the_agent_while_the_other_side_is_silent(start: Start) -> None:
    """The thread that forwards waits then; Python's own end would crash it within SQLite."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port, silence = free_port(), f"http://127.0.0.1:{silent.getsockname()[1]}/answers"
        process = start(FLYWEIGHT_PORT=str(port), FLYWEIGHT_EDGE_FORWARD=silence, FLYWEIGHT_EDGE_FORWARD_SECONDS="0.01")
        listening(port, process)
        assert ask(port, 0)
        silent.settimeout(30)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def test_killed_and_cut_off_it_loses_nothing_sends_nothing_twice_and_follows_the_alias(
    s3: Bucket, start: Start, state: Path, versions: dict[int, Path]
) -> None:
    """Ten lives that kill -9 ends, a line that fails in each of its ways, a promotion and a poisoned model between them."""
    random, port, told = Random(7), free_port(), {}
    address = f"{s3.root}/models"
    registry.at(address).push(versions[1], ["prod"])
    settings = {**QUICK, **s3.variables, "FLYWEIGHT_PORT": str(port), "FLYWEIGHT_EDGE_FORWARD": f"{s3.root}/answers"}
    settings |= {"FLYWEIGHT_EDGE_MODEL": f"{address}/m@prod", "FLYWEIGHT_STORE_SECONDS": "5"}
    number = 0
    for life in range(10):
        s3.proxy.fail(random.choice(["", "", "refused", "reset", "lost", "503", "truncate"]))
        process = start(**settings)
        listening(port, process)
        until = time.monotonic() + random.uniform(0.2, 1.5)
        while time.monotonic() < until:
            number += 1
            if (answer := ask(port, number)) is not None:
                told[number] = answer[0]
                assert answer[1] in (1.0, 2.0)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if life == 4:
            s3.proxy.fail("")
            registry.at(address).push(versions[2], ["prod"])
    s3.proxy.fail("")
    process = start(**settings)
    listening(port, process)
    wait_until(lambda: (ask(port, 0) or (0, 0.0))[1] == 2.0, "the promoted model answers", pause=0.2)
    store = open_store(f"{s3.root}/answers", Timeouts(seconds=60.0))

    def waiting() -> Any:
        process.poll()
        return json.loads(start("--status", **settings).communicate()[0])["answers"]["waiting"]

    wait_until(lambda: waiting() == 0, "all is forwarded", pause=0.5)
    keys = [key for key in store.keys("pi") if key.endswith(".jsonl")]
    lines = [json.loads(line) for key in keys for line in store.get(key, 1 << 20)[0].splitlines()]
    arrived = Counter(number_of(line) for line in lines if number_of(line))
    assert len(told) > 20
    assert not [one for one in told if arrived[one] != 1]
    assert len({line["sequence"] for line in lines}) == len(lines)


@pytest.mark.slow
def test_three_days_in_which_nothing_grows(tmp_path: Path, versions: dict[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """72 hours with a request a minute, and a line that is cut for an hour of every three."""
    store, faults = Store(), Faults()
    install(faults, monkeypatch)
    device = Device(tmp_path / "state", versions[1], store, faults, edge_store_bytes=1 << 20, edge_model="", edge_batch=500)
    sizes, memory = [], []
    for minute in range(72 * 60):
        device.steady += 60.0
        store.cut = minute // 60 % 3 == 1
        assert device.ask(minute) is not None
        device.agent.step()
        if minute % 360 == 359:
            sizes.append(sum(path.stat().st_size for path in (tmp_path / "state").iterdir()))
            memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
            store.objects = {key: data for key, data in store.objects.items() if key.endswith("status.json") or minute > 4300}
    assert device.agent.answers.counts()["dropped"] == 0 and device.agent.answers.counts()["last"] == 72 * 60
    assert max(sizes) < (1 << 20) + (1 << 20) + 65536
    assert memory[-1] - memory[3] < 4 << 20, memory  # after the first day nothing is added; the test's own objects are dropped
    device.close()


def test_a_full_store_refuses_or_answers_as_the_setting_says(tmp_path: Path, versions: dict[int, Path]) -> None:
    for policy, expected in (("answer", [200]), ("refuse", [200, 503])):
        faults = Faults()
        device = Device(tmp_path / policy, versions[1], Store(), faults, edge_store_bytes=1, edge_when_full=policy, edge_model="")
        device.store.cut = True
        from server_http import Message

        from flyweight.values import Request

        statuses, told = set(), []
        for number in range(300):
            message = Message("POST", "/predict", {"content-type": "application/json"})
            message.body = b'{"instances": [[%d]], "outputs": ["predictions"]}' % number
            assert device.agent.service is not None
            response = device.agent.service.answer(Request("POST", "/predict", message.headers, message.body))
            answer = device.agent.answer(message, response)
            statuses.add(answer.status)
            told.append(answer.headers.get("x-flyweight-sequence", "none"))
        assert sorted(statuses) == expected and told[0] == "1" and told[-1] == "none"
        assert device.agent.answers.counts()["dropped"] == told.count("none")
        device.close()
