"""Our server as a custom handler, behind a stand-in for the Functions host, answers as the worker's function does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.building import build, bytecode
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.events import samples
from flyweight.toolkit.running import Runtime, runtime
from flyweight.toolkit.targets.azure.host import CUSTOM
from tests.conftest import PYTHON
from tests.contract import matching
from tests.contract.cases import CASES, HTTP, Case
from tests.contract.protocols import native
from tests.toolkit.building.test_building import contents

OWN = runtime("azure").client("own")


@pytest.fixture(scope="module")
def handler(built: Callable[[str], Path]) -> Iterator[Runtime]:
    with runtime("azure")(built("azure"), environ=OWN) as process:
        yield process


def asked(name: str, **headers: str) -> Any:
    """The event of a plain request, with further headers."""
    request = samples.requests()[name]
    return runtime("azure").event({**request, "headers": {**request.get("headers", {}), **headers}})


@pytest.mark.parametrize("case", HTTP, ids=lambda case: case.name)
def test_a_request_is_answered_as_its_case_expects(case: Case, handler: Runtime) -> None:
    assert not [*native.differences(case, handler.invoke(runtime("azure").event(case.request)))]


def test_an_answer_and_its_log_line_have_the_invocations_id_and_not_the_callers(handler: Runtime) -> None:
    before = len(handler.log())
    answer = handler.invoke(asked("predict", **{"x-ms-invocation-id": "forged", "X-Request-Id": "forged"}))
    identity = answer.headers["x-request-id"]
    assert len(identity) == 36
    (line,) = map(json.loads, handler.log()[before:].splitlines())
    assert not [*matching.differences({"request_id": identity, "status": 200, "operation": "predict"}, line)]


def test_the_first_request_counts_as_cold_though_the_host_has_asked_before(built: Callable[[str], Path]) -> None:
    with runtime("azure")(built("azure"), environ=OWN) as process:
        process.invoke(asked("predict"))
        (line,) = map(json.loads, process.log().splitlines())
    assert line["cold"] is True


def test_only_this_machine_can_connect(handler: Runtime) -> None:
    handler.invoke(asked("predict"))
    mine = {os.readlink(link) for link in Path(f"/proc/{handler.answering_process()}/fd").iterdir()}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [fields[1].partition(":")[0] for fields in lines if fields[3] == "0A" and f"socket:[{fields[9]}]" in mine]
    assert listening == ["0100007F"], "it listens on 127.0.0.1 and nowhere else"


@pytest.mark.parametrize("header", ["aeg-event-type", "webhook-request-origin"])
def test_event_grid_is_told_that_no_events_are_served(header: str, handler: Runtime) -> None:
    answer = handler.invoke(asked("predict", **{header: "Notification"}))
    assert answer.status == 422 and b"client=platform" in answer.body


def test_an_event_of_another_trigger_is_refused_in_words(handler: Runtime) -> None:
    name = next(case.name for case in CASES.values() if case.request is None and case.is_of("azure"))
    with pytest.raises(RuntimeFailed, match="answers HTTP alone"):
        handler.invoke(samples.read("azure", name))


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"FLYWEIGHT_TRIGGERS": "queue:orders", "FUNCTIONS_CUSTOMHANDLER_PORT": "1"}, "a custom handler answers HTTP alone"),
        ({}, "FUNCTIONS_CUSTOMHANDLER_PORT should be the port"),
    ],
)
def test_what_it_cannot_serve_ends_it_at_its_start(variables: dict[str, str], words: str, built: Callable[[str], Path]) -> None:
    command = [sys.executable, CUSTOM["AzureFunctionsJobHost__customHandler__description__arguments__0"]]
    done = subprocess.run(command, cwd=built("azure"), env={**os.environ, **variables}, capture_output=True, text=True)
    assert done.returncode == 1 and words in done.stderr


def test_a_folder_without_the_script_is_refused(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("")
    with runtime("azure")(tmp_path, environ=OWN) as process, pytest.raises(RuntimeFailed, match=r"has no custom_handler\.py"):
        process.invoke(asked("predict"))


def test_packages_in_the_folder_are_found(built: Callable[[str], Path]) -> None:
    program = "import sys, azure_custom; print(sys.path[-1])"
    done = subprocess.run([sys.executable, "-c", program], cwd=built("azure"), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(built("azure") / ".python_packages" / "lib" / "site-packages")


def test_the_folder_has_the_same_bytes_each_time(penguins: Path, tmp_path: Path) -> None:
    first = contents(build("azure", penguins, tmp_path / "a", python=PYTHON).folder)
    bytecode.COMPILED.clear()  # compile again
    assert contents(build("azure", penguins, tmp_path / "b", python=PYTHON).folder) == first
    assert {"custom_handler.py", "azure_custom.py", "server_http.py"} <= {*first}
    assert not {"server_main.py", "wsgi.py", "asgi.py"} & {*first}


def test_it_imports_nothing_of_azure(built: Callable[[str], Path]) -> None:
    with runtime("azure")(built("azure"), environ={**OWN, "PYTHONPROFILEIMPORTTIME": "1"}) as process:
        process.invoke(asked("predict"))
        seen = {line.rpartition("|")[2].strip() for line in process.log().splitlines() if line.startswith("import time:")}
    assert "azure_custom" in seen
    assert not {"azure", "azure.functions", "socket", "threading", "logging", "json", "typing"} & seen
