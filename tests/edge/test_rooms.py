"""The agent on a disk of the kernel that is full, and on a line of the kernel that is cut: nothing lost, nothing twice."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from edge_agent import SENT_SECONDS

from flyweight.toolkit.building import build
from flyweight.toolkit.publishing import registry
from tests.conftest import PYTHON
from tests.edge.rooms import Room
from tests.edge.world import number_of
from tests.services.certificates import Authority
from tests.services.web import wait_until

pytestmark = pytest.mark.slow
QUICK = {"FORWARD_SECONDS": "0.2", "PULL_SECONDS": "0.5", "BATCH": "3", "DEVICE": "pi"}
HERE, THERE = "192.0.2.1", "192.0.2.2"  # of a network that is for examples alone
RECEIVER = Path(__file__).with_name("receiver.py")


@pytest.fixture(scope="module")
def folder(versions: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built folder, whose own model is version 1."""
    return build("edge", versions[1], tmp_path_factory.mktemp("edge") / "built", python=PYTHON).folder


class Agent:
    """The agent's process in a room, which is asked through a Unix socket.

    `told` has the sequence number of each answer that was promised, by the number in its request.
    """

    def __init__(self, folder: Path, room: Room, socket_at: Path, **settings: str) -> None:
        self.folder, self.room, self.socket = folder, room, socket_at
        settings = QUICK | settings | {"SOCKET": str(socket_at)}
        self.environ = {f"FLYWEIGHT_EDGE_{name}": value for name, value in settings.items()}
        self.environ |= {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ}
        self.told: dict[int, int] = {}
        self.asked = self.dropped = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin a process, and wait until it answers."""
        process = self.process = self._begun(stdout=subprocess.DEVNULL)

        def is_ready() -> bool:
            assert process.poll() is None, f"the agent ended with status {process.returncode}"
            return self.send("GET", "/ready")[0] == 200

        wait_until(is_ready, "the agent is ready", pause=0.05)

    def _begun(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        command = [*self.room.words(), sys.executable, "-E", "-S", str(self.folder / "edge_main.py"), *words]
        return subprocess.Popen(command, env=self.environ, stderr=subprocess.DEVNULL, **options)

    def kill(self) -> None:
        """End the process as a loss of power would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
        """Send a request; the status is 0 while nobody listens."""
        connection = HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60.0)
        with contextlib.closing(connection):
            try:
                connection.sock.connect(str(self.socket))
                connection.request(method, path, body, {"content-type": "application/json"})
                answer = connection.getresponse()
                return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
            except OSError:
                return 0, {}, b""

    def ask(self, count: int = 1) -> float:
        """Send requests, each of which has to be answered; return the last answer."""
        for _ in range(count):
            self.asked += 1
            status, headers, body = self.send("POST", "/predict", json.dumps([[self.asked]]).encode())
            assert status == 200, body
            if (sequence := headers["x-flyweight-sequence"]) == "none":
                self.dropped += 1
            else:
                self.told[self.asked] = int(sequence)
        return float(json.loads(body)["predictions"][0])

    def waiting(self) -> int:
        """How many answers are not forwarded yet."""
        out, _ = self._begun("--status", stdout=subprocess.PIPE).communicate(timeout=60)
        return int(json.loads(out)["answers"]["waiting"])


Begin = Callable[..., Agent]


@pytest.fixture
def begin(folder: Path, tmp_path: Path) -> Iterator[Begin]:
    """Start an agent in a room, whose state is in `state`."""
    (tmp_path / "state").mkdir()
    agents: list[Agent] = []

    def started(room: Room, **settings: str) -> Agent:
        agents.append(Agent(folder, room, tmp_path / "m.sock", STATE=str(tmp_path / "state"), **settings))
        agents[-1].start()
        return agents[-1]

    yield started
    for agent in agents:
        agent.kill()


def judge(agent: Agent, paths: list[Path]) -> None:
    """Compare what was promised with what arrived."""
    lines = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    assert sorted((number_of(line), line["sequence"]) for line in lines) == sorted(agent.told.items())


def fill(path: Path) -> None:
    """Write a file until the disk has no room."""
    with path.open("wb", buffering=0) as file, pytest.raises(OSError) as full:
        while True:
            file.write(bytes(4096))
    assert full.value.errno == errno.ENOSPC


def test_on_a_full_disk_nothing_is_lost_nothing_comes_twice_and_the_last_model_answers(
    begin: Begin, versions: dict[int, Path], tmp_path: Path
) -> None:
    here = registry.at(f"file://{tmp_path}/models")
    here.push(versions[1], ["prod"])
    state = tmp_path / "state"
    with Room("--mount") as room:
        room.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(state))
        agent = begin(room, FORWARD=f"file://{tmp_path}/cloud", MODEL=f"file://{tmp_path}/models/m@prod")
        agent.ask(10)
        wait_until(lambda: agent.waiting() == 0, "the first answers are forwarded", pause=0.1)
        fill(room.path(state) / "filler")
        while agent.dropped < 5:
            assert agent.ask() == 1.0
        here.push(versions[2], ["prod"])  # which the disk has no room for
        agent.kill()
        fill(room.path(state) / "filler.too")
        agent.start()
        assert agent.ask(5) == 1.0
        for path in room.path(state).glob("filler*"):
            path.unlink()
        wait_until(lambda: agent.ask() == 2.0, "the promoted model answers", pause=0.2)
        wait_until(lambda: agent.waiting() == 0, "all is forwarded", pause=0.2)
    assert agent.dropped >= 5 and len(agent.told) > 10
    judge(agent, [*(tmp_path / "cloud/pi").rglob("*.jsonl")])


def test_on_a_line_that_is_cut_nothing_is_lost_and_nothing_comes_twice(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is cut while an answer is on its way: once for longer than the agent waits, once until its power is lost."""
    authority, cloud = Authority(), tmp_path / "cloud"
    (tmp_path / "authority.pem").write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    cloud.mkdir()
    certificate = authority.issue(tmp_path / "server.pem", THERE)

    def arrived() -> list[Path]:
        return sorted(cloud.glob("*.jsonl"))

    with Room("--net") as device, Room("--net", beside=device) as far:
        device.run("ip", "link", "set", "lo", "up")
        device.run("ip", "link", "add", "line", "type", "veth", "peer", "name", "line", "netns", str(far.process.pid))
        for room, address in ((device, HERE), (far, THERE)):
            room.run("ip", "address", "add", f"{address}/24", "dev", "line")
            room.run("ip", "link", "set", "line", "up")
        words = [*far.words(), sys.executable, str(RECEIVER), str(cloud), str(certificate), THERE]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as receiver:
            try:
                assert receiver.stdout is not None and receiver.stdout.readline() == b"listening\n"
                agent = begin(device, FORWARD=f"https://{THERE}:8443/answers")
                agent.ask(7)
                wait_until(lambda: agent.waiting() == 0, "the first answers are forwarded", pause=0.1)
                for has_power in (True, False):
                    before = len(arrived())
                    (cloud / "hold").touch()
                    agent.ask()
                    wait_until(lambda before=before: len(arrived()) > before, "a batch has arrived")
                    far.run("ip", "link", "set", "line", "down")
                    (cloud / "hold").unlink()
                    agent.ask(4)
                    assert agent.waiting() == 5
                    if has_power:
                        sleep(SENT_SECONDS + 1.0)
                    else:
                        agent.kill()
                        agent.start()
                        agent.ask(4)
                    far.run("ip", "link", "set", "line", "up")
                    wait_until(lambda: agent.waiting() == 0, "all is forwarded", pause=0.2)
            finally:
                receiver.kill()
    judge(agent, arrived())
    assert [line.partition(" ")[2] for line in (cloud / "again").read_text().splitlines()] == ["same bytes"] * 2
