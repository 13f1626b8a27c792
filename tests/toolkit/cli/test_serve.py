"""`flyweight serve` in a process of its own: what Ctrl-C does to requests that have begun, and several processes on one port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.services.web import GENEROUS, exchange, wait_until

ROW = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]
BODY = json.dumps([ROW]).encode()
JSON = {"content-type": "application/json"}
Start = Callable[..., Any]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture
def start(penguins: Path) -> Iterator[Start]:
    """From options and variables to a process of `flyweight serve` that answers; its attribute `port` is its port."""
    with ExitStack() as stack:

        def started(*options: str, **environ: str) -> Any:
            command = [str(Path(sys.executable).with_name("flyweight")), "serve", str(penguins), "--port", "0", *options]
            process: Any = subprocess.Popen(
                command, env={**os.environ, **environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            process.port = int(process.stdout.readline().partition(" on http://127.0.0.1:")[2].partition(":")[0])
            wait_until(lambda: exchange(process.port, "GET", "/health")[0] == 200, "the process answers")
            return process

        yield started


def begun(port: int) -> HTTPConnection:
    """Send half of a request, and wait until it has certainly arrived."""
    connection = HTTPConnection("127.0.0.1", port, timeout=GENEROUS)
    connection.putrequest("POST", "/predict")
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", str(len(BODY)))
    connection.endheaders(BODY[:5])
    assert exchange(port, "GET", "/ready")[0] == 200
    return connection


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_ends_serve_after_the_requests_that_have_begun(number: signal.Signals, start: Start) -> None:
    process = start()
    with closing(begun(process.port)) as connection:
        process.send_signal(number)
        assert "stopping: requests that have begun are finished" in process.stderr.readline()
        connection.send(BODY[5:])
        answer = connection.getresponse()
        assert answer.status == 200 and json.loads(answer.read())["predictions"] == ["Gentoo"]
    assert process.wait(GENEROUS) == 0
    assert process.stderr.read() == "stopped\n"


def test_a_port_that_is_taken_is_named_with_what_to_do(start: Start, penguins: Path, run: Callable[..., Result]) -> None:
    port = start().port
    refused = run("serve", penguins, "--port", port)
    assert refused.exit_code == 1
    assert f"error: can't listen on 127.0.0.1, port {port}: " in refused.stderr and "choose another port" in refused.stderr


def test_a_second_ctrl_c_ends_serve_at_once_and_the_exit_status_says_so(start: Start) -> None:
    process = start()
    with closing(begun(process.port)):
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline().startswith("stopping")
        process.send_signal(signal.SIGINT)
        assert process.wait(GENEROUS) == 1
    assert process.stderr.read() == "stopped: some requests were cut off\n"


@forks
def test_several_processes_answer_on_one_port_and_end_together(start: Start) -> None:
    process = start("--workers", "2")
    workers = [int(text) for text in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    assert len(workers) == 2
    assert json.loads(exchange(process.port, "POST", "/predict", BODY, JSON)[2])["predictions"] == ["Gentoo"]
    process.send_signal(signal.SIGINT)
    assert process.wait(GENEROUS) == 0
    assert process.stderr.read().splitlines() == ["stopping: requests that have begun are finished; Ctrl-C ends them", "stopped"]
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


@forks
def test_each_process_loads_a_model_whose_loading_starts_threads(start: Start, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import _thread, time\n_thread.start_new_thread(time.sleep, (1000,))\n")
    process = start("--workers", "2", PYTHONPATH=str(tmp_path))
    assert b"--fork-first" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert json.loads(exchange(process.port, "POST", "/predict", BODY, JSON)[2])["predictions"] == ["Gentoo"]
    process.terminate()
    assert process.wait(GENEROUS) == 0


def test_without_a_fork_several_processes_are_refused(run: Any, penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork", raising=False)
    result = run("serve", penguins, "--workers", 2)
    assert result.exit_code == 1 and "--workers 2: this system has no fork" in result.output


def test_an_absent_file_or_a_folder_is_named_with_a_next_step(run: Callable[..., Result], tmp_path: Path) -> None:
    absent = run("serve", "absent.safetensors", "--port", 0)
    assert absent.exit_code == 1 and "error: absent.safetensors: No such file or directory" in absent.stderr
    assert "next: check the path" in absent.stderr
    folder = run("serve", tmp_path, "--port", 0)
    assert folder.exit_code == 1 and str(tmp_path) in folder.stderr and "next: give a file, not a folder" in folder.stderr
