"""Microsoft's inference server hosts `score.py` of a built folder: every case of the protocol, and what the server adds."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.azure_ml.runtime import ENTRY, SCRIPT, Runtime
from tests.clients.conftest import environment
from tests.contract.cases import HTTP, Case
from tests.contract.protocols import azure_ml

ROW = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]
JSON = {"content-type": "application/json"}
# what reaches the script: the server answers other paths by itself
CASES = [case for case in HTTP if (azure_ml.request(case) or {}).get("path") == "/score"]


def post(body: Any, **headers: str) -> dict[str, Any]:
    return {"method": "POST", "path": "/score", "headers": {**JSON, **headers}, "body": body}


@pytest.fixture(scope="module")
def start(built: Callable[[str], Path]) -> Callable[..., Runtime]:
    """Start the inference server on the built folder, or on another."""

    def started(folder: Path | None = None, **environ: str) -> Runtime:
        return Runtime(folder or built("azure_ml"), python=str(environment("azure_ml_server")), environ=environ)

    return started


@pytest.fixture(scope="module")
def server(start: Callable[..., Runtime]) -> Iterator[Runtime]:
    with start() as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_request_is_answered_as_its_case_expects(case: Case, server: Runtime) -> None:
    assert [*azure_ml.differences(case, server.invoke(azure_ml.request(case)))] == []


def test_most_cases_reach_the_script() -> None:
    assert len(CASES) > 30 and {200, 422} <= {case.status for case in CASES}


def test_the_servers_own_paths_are_there_beside_the_script(server: Runtime) -> None:
    healthy = server.invoke({"method": "GET", "path": "/"})
    assert (healthy.status, healthy.body) == (200, b"Healthy")
    swagger = server.invoke({"method": "GET", "path": "/swagger.json?version=3"})
    assert swagger.status == 200 and "/score" in json.loads(swagger.body)["paths"]
    assert server.invoke({"method": "GET", "path": "/health"}).status == 404


def test_an_answer_has_one_content_type_the_models_headers_and_the_servers_request_id(server: Runtime) -> None:
    answer = server.invoke(post({"input_data": [ROW]}))
    assert json.loads(answer.body) == ["Gentoo"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-flyweight-model"] == "penguins/1.0.0"
    assert answer.headers["server-timing"].count("dur=") == 3
    assert answer.headers["x-request-id"] in server.log()
    assert server.invoke(post([ROW], **{"x-request-id": "r-1"})).headers["x-request-id"] == "r-1"


def test_a_fault_of_the_caller_is_no_failure_of_the_script(server: Runtime) -> None:
    wrong = server.invoke(post({"input_data": [["nowhere"]]}))
    assert wrong.status == 400 and json.loads(wrong.body)["error"]["code"] == "InvalidInput"
    assert wrong.headers.get("x-ms-run-function-failed", "False") == "False"
    assert "Traceback" not in server.log()


def test_bytes_that_are_not_utf8_get_our_answer_and_not_the_servers(server: Runtime) -> None:
    event = {"method": "POST", "path": "/score", "headers": JSON, "body_base64": "/w=="}
    assert "error" in json.loads(server.invoke(event).body)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_another_method_is_refused(method: str, server: Runtime) -> None:
    assert server.invoke({"method": method, "path": "/score"}).status == 405


def test_a_body_without_a_type_is_json_also_as_curl_sends_it(server: Runtime) -> None:
    for headers in ({}, {"content-type": "application/x-www-form-urlencoded"}):
        event = {"method": "POST", "path": "/score", "headers": headers, "body": json.dumps({"data": [ROW]})}
        assert json.loads(server.invoke(event).body) == ["Gentoo"]


def test_a_large_answer_is_compressed_and_several_workers_listen_on_the_port_of_the_command_line(
    start: Callable[..., Runtime],
) -> None:
    with start(SERVER_PORT="1", WORKER_COUNT="2") as process:
        answer = process.invoke(post({"data": [ROW] * 5000}, **{"accept-encoding": "gzip"}))
        assert answer.headers["content-encoding"] == "gzip"
        assert json.loads(gzip.decompress(answer.body)) == ["Gentoo"] * 5000


def test_a_missing_model_is_a_failure_of_the_server_with_our_words(
    built: Callable[[str], Path], start: Callable[..., Runtime], tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    shutil.copytree(built("azure_ml"), folder, ignore=shutil.ignore_patterns("model.safetensors"))
    with start(folder) as process:
        answer = process.invoke(post([ROW]))
        assert answer.status >= 500 and "error" in json.loads(answer.body)
        assert answer.headers["x-ms-run-function-failed"] == "True"


def test_a_mounted_model_is_served_by_workers_that_are_forked_after_the_import(
    built: Callable[[str], Path], start: Callable[..., Runtime], tmp_path: Path
) -> None:
    shutil.copy(built("azure_ml") / "model.safetensors", tmp_path / "other.safetensors")
    folder = tmp_path / "code"
    shutil.copytree(built("azure_ml"), folder, ignore=shutil.ignore_patterns("model.safetensors"))
    with start(folder, AZUREML_MODEL_DIR=str(tmp_path), WORKER_PRELOAD="true") as process:
        assert json.loads(process.invoke(post([ROW])).body) == ["Gentoo"]


def test_an_event_of_a_prediction_goes_to_the_only_path(server: Runtime) -> None:
    answer = server.invoke({"method": "POST", "path": "/predict", "headers": JSON, "body": {"instances": [ROW]}})
    assert answer.status == 200 and json.loads(answer.body) == ["Gentoo"]
    assert server.description.startswith("azureml-inference-server-http ") and server.peak_memory()


def test_a_script_that_is_named_needs_the_server(built: Callable[[str], Path]) -> None:
    with pytest.raises(RuntimeFailed, match=r"does not have azmlinfsrv, which runs score\.py") as refused:
        Runtime(built("azure_ml"), environ={ENTRY: SCRIPT})
    assert "pip install azureml-inference-server-http" in str(refused.value.next_step)
