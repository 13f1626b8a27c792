"""A function runs under AWS's own Runtime Interface Emulator, started by either Runtime API client."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PYTHON, ROOT, TOOLS
from tests.targets.aws.runtime_api import OWN, PLATFORM, WRAPPER
from tests.targets.aws.test_client import SITUATIONS

pytestmark = pytest.mark.needs("rie")
Invoke = Callable[[Any], bytes]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def emulated(client: str, folder: Path, handler: str) -> Iterator[Invoke]:
    """A function in a folder under the emulator: what invokes it."""
    front, api = free_port(), free_port()
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{front}", "--runtime-api-address", f"127.0.0.1:{api}"]
    wrapper = folder / WRAPPER.name if (folder / WRAPPER.name).exists() else WRAPPER
    command = [*([str(wrapper)] if client == OWN else []), sys.executable, "-m", "awslambdaric", handler]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FLYWEIGHT", "COV"))}
    variables |= {"LAMBDA_TASK_ROOT": str(folder), "_HANDLER": handler, "AWS_LAMBDA_FUNCTION_TIMEOUT": "20"}
    variables |= {"AWS_EXECUTION_ENV": f"AWS_Lambda_python{PYTHON}", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [str(ROOT / TOOLS["rie"]), "--log-level", "error", *addresses, *command], cwd=folder, env=variables,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip

    def invoke(content: Any) -> bytes:
        url = f"http://127.0.0.1:{front}/2015-03-31/functions/function/invocations"
        deadline = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(url, json.dumps(content).encode(), timeout=20) as answer:
                    body: bytes = answer.read()
                    return body
            except urllib.error.HTTPError as error:
                with error:
                    return error.read()
            except OSError:  # the emulator does not listen yet
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)

    try:
        yield invoke
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("client", [PLATFORM, OWN])
def test_a_built_function_answers_under_the_emulator(client: str, built: Callable[[str], Path]) -> None:
    content = json.loads((ROOT / "events" / "aws" / "predict.json").read_text())
    with emulated(client, built("aws"), "app.lambda_handler") as invoke:
        answers = [json.loads(invoke(content)) for _ in range(2)]
    assert [answer["statusCode"] for answer in answers] == [200, 200]


def test_errors_and_answers_are_the_same_under_the_emulator() -> None:
    events = [{"return": [1, "é"]}, {"run": "raise ValueError('boom')"}, {"run": "result = {1, 2}"}, {"return": None}]
    told = []
    for client in (PLATFORM, OWN):
        with emulated(client, SITUATIONS, "app.handler") as invoke:
            told.append([re.sub(rb'"requestId": "[^"]*"', b"", invoke(content)) for content in events])
    assert told[0] == told[1]
    assert b"boom" in told[1][1] and b"Runtime.MarshalError" in told[1][2]


def test_an_answer_that_is_too_large_leaves_our_client_alive_under_the_emulator() -> None:
    with emulated(OWN, SITUATIONS, "app.handler") as invoke:
        (first,) = [int(invoke({"run": "import os; result = os.getpid()"}))]
        refused = json.loads(invoke({"run": "result = 'x' * 7_000_000"}))
        second = int(invoke({"run": "import os; result = os.getpid()"}))
    assert refused["errorType"] == "Function.ResponseSizeTooLarge"
    assert first == second
