"""The server's processes: what they import, what SIGTERM does, and several that share one port."""

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

from flyweight import settings
from flyweight.errors import InvalidSetting
from tests.services.web import GENEROUS, exchange, free_port, wait_until

ROW = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]
BODY = json.dumps([ROW]).encode()
# beside our own modules: parts in C, and `operator`, which the interpreter's own start imports on some systems
LIBRARY = {"_json", "_operator", "_socket", "errno", "io", "itertools", "math", "operator", "select"}
Start = Callable[..., Any]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """From variables to a process that answers; its attribute `port` is its port, and its output is read when it has ended."""
    with ExitStack() as stack:

        def started(**environ: str) -> Any:
            port = free_port()
            variables = {**os.environ, "PORT": str(port), "FLYWEIGHT_HOST": "127.0.0.1", **environ}
            process: Any = subprocess.Popen(
                [sys.executable, "server_main.py"],
                cwd=folder,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            process.port = port

            def answers() -> bool:
                assert process.poll() is None, process.stderr.read()
                try:
                    return bool(exchange(port, "GET", "/health")[0] == 200)
                except OSError:
                    return False

            wait_until(answers, "the server answers", pause=0.02)
            return process

        yield started


def test_the_first_prediction_imports_nothing_that_it_does_not_need(start: Start, folder: Path) -> None:
    process = start(PYTHONPROFILEIMPORTTIME="1")
    assert exchange(process.port, "POST", "/predict", BODY, {"content-type": "application/json"})[0] == 200
    process.terminate()
    log = process.communicate(timeout=GENEROUS)[1]
    bare = subprocess.run([sys.executable, "-X", "importtime", "-c", ""], capture_output=True, text=True, check=True).stderr
    loaded, usual = [{line.rpartition("|")[2].strip() for line in text.splitlines() if "|" in line} for text in (log, bare)]
    ours = {path.stem for path in folder.glob("*.py")}
    strangers = {name for name in loaded - usual if name.partition(".")[0] != "flyweight"} - ours
    assert "flyweight.serving.service" in loaded and "server_connections" in loaded
    assert strangers <= LIBRARY, f"it imports {', '.join(sorted(strangers - LIBRARY))}"
    assert not {"wsgi", "asgi", "server_workers"} & loaded


def test_sigterm_ends_readiness_finishes_what_has_begun_and_exits_with_0(start: Start) -> None:
    process = start()
    with closing(HTTPConnection("127.0.0.1", process.port, timeout=GENEROUS)) as begun:
        begun.putrequest("POST", "/predict")
        begun.putheader("content-type", "application/json")
        begun.putheader("content-length", str(len(BODY)))
        begun.endheaders(BODY[:5])
        assert exchange(process.port, "GET", "/ready")[0] == 200, "and the half request has arrived before it"
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: exchange(process.port, "GET", "/ready")[0] == 503, "the process is not ready")
        assert exchange(process.port, "GET", "/health")[0] == 200, "it is alive"
        begun.send(BODY[5:])
        answer = begun.getresponse()
        assert (answer.status, answer.getheader("connection")) == (200, "close")
        assert json.loads(answer.read())["predictions"] == ["Gentoo"]
    assert process.wait(GENEROUS) == 0


def test_a_request_that_does_not_end_within_the_grace_is_cut_off_and_the_exit_says_so(start: Start) -> None:
    process = start(FLYWEIGHT_GRACE_SECONDS="0.1")
    with closing(HTTPConnection("127.0.0.1", process.port, timeout=GENEROUS)) as begun:
        begun.connect()
        begun.sock.sendall(b"GET /health HTTP/1.1\r\n")
        assert exchange(process.port, "GET", "/ready")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(GENEROUS) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_several_processes_answer_on_one_port_and_one_that_dies_is_replaced(start: Start) -> None:
    process = start(FLYWEIGHT_WORKERS="2")
    first = children(process.pid)
    assert len(first) == 2
    os.kill(first[0], signal.SIGKILL)
    wait_until(lambda: len(children(process.pid)) == 2 and first[0] not in children(process.pid), "a new one has started")
    assert exchange(process.port, "POST", "/predict", BODY, {"content-type": "application/json"})[0] == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(GENEROUS) == 0
    assert not [child for child in first[1:] if Path(f"/proc/{child}").exists()]


def children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_model_whose_loading_starts_threads_is_loaded_after_the_fork(folder: Path, start: Start, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import _thread, time\n_thread.start_new_thread(time.sleep, (1000,))\n")
    process = start(FLYWEIGHT_WORKERS="2", PYTHONPATH=str(tmp_path))
    assert b"--fork-first" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert exchange(process.port, "POST", "/predict", BODY, {"content-type": "application/json"})[0] == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(GENEROUS) == 0


def test_the_port_is_the_platforms_unless_ours_is_set() -> None:
    assert settings.serving({}).port == 8080
    assert settings.serving({"PORT": "81"}).port == 81
    assert settings.serving({"PORT": "81", "A_BIND_TO_PORT": "82"}).port == 82  # PORT may be the image's own
    assert settings.serving({"PORT": "81", "FLYWEIGHT_PORT": "0", "FLYWEIGHT_HOST": "::1"})[:2] == ("::1", 0)
    assert settings.serving({"FLYWEIGHT_IDLE_SECONDS": "620", "FLYWEIGHT_WORKERS": "3"})[2:] == (
        3,
        1000,
        10.0,
        30.0,
        620.0,
        30.0,
        10.0,
        None,
        False,
    )
    assert settings.serving({"FLYWEIGHT_METRICS": "true"}).metrics


@pytest.mark.parametrize("environ", [{"PORT": "http"}, {"PORT": "65536"}, {"FLYWEIGHT_PORT": "-1"}, {"FLYWEIGHT_WORKERS": "0"}])
def test_a_setting_of_the_server_with_no_meaning_is_refused_by_its_name(environ: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting, match=next(iter(environ))):
        settings.serving(environ)
