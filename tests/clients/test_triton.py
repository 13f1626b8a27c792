"""tritonclient reads every answer of the Open Inference Protocol, over HTTP and gRPC: tensors, compressed or not, and errors."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import SCRIPTS, Run, environment, server
from tests.services.web import free_port


@pytest.fixture(scope="module")
def found(run: Run) -> Any:
    """What the client got."""
    return run("triton")


def test_health_metadata_and_the_index_are_read(found: Any) -> None:
    assert (found["live"], found["ready"], found["model_ready"]) == (True, True, [True, True, False])
    assert found["server"]["name"] == "flyweight"
    assert found["metadata"]["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 3]}]
    assert found["config"]["input"] == [{"name": "input", "data_type": "TYPE_FP64", "dims": [3]}]
    assert {row["name"]: row["version"] for row in found["index"]} == {"penguins": "1.0.0", "numbers": "1"}


def test_columns_are_answered_in_every_form_and_compression(found: Any) -> None:
    assert len(found["labels"]) == 12
    assert all(answer == [["Gentoo", "Gentoo"], [2, 3], "float64", "7"] for answer in found["labels"].values()), found["labels"]
    assert found["async"] == [[2, 3]] * 3


def test_a_matrix_of_any_datatype_has_the_same_answers(found: Any) -> None:
    assert found["numbers"] == {name: [1, 0] for name in ("FP64", "FP32", "FP16", "INT64", "INT8")}


def test_errors_have_their_status_and_message(found: Any) -> None:
    errors = found["errors"]
    assert {name: error["status"] for name, error in errors.items()} == {
        "model": "404",
        "version": "404",
        "missing": "400",
        "output": "400",
        "config": "404",
    }
    assert "'island'" in errors["missing"]["message"] and "it has 1.0.0" in errors["version"]["message"]


@pytest.fixture(scope="module")
def over_grpc(penguins: Path, packed: Callable[..., Path]) -> Any:
    """What the client of gRPC got."""
    python, port = environment("triton"), free_port()
    with server(penguins, {"FLYWEIGHT_MODELS": f"numbers={packed('numbers')}", "FLYWEIGHT_GRPC_PORT": str(port)}):
        command = [str(python), "-P", str(SCRIPTS / "triton_grpc.py"), f"127.0.0.1:{port}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_grpc_tells_health_metadata_and_the_index_as_http_does(over_grpc: Any, found: Any) -> None:
    assert (over_grpc["live"], over_grpc["ready"], over_grpc["model_ready"]) == (True, True, [True, True])
    assert over_grpc["server"] == found["server"]
    inputs = [{**one, "shape": [int(size) for size in one["shape"]]} for one in over_grpc["metadata"]["inputs"]]
    assert inputs == found["metadata"]["inputs"]
    config = over_grpc["config"]["config"]
    assert [{**one, "dims": [int(size) for size in one["dims"]]} for one in config["input"]] == found["config"]["input"]
    assert (config["backend"], config["max_batch_size"]) == ("flyweight", found["config"]["max_batch_size"])
    rows = [{key: value for key, value in row.items() if value} for row in found["index"]]
    assert over_grpc["index"]["models"] == rows


def test_grpc_gives_the_answers_of_http(over_grpc: Any, found: Any) -> None:
    assert [*over_grpc["labels"]] == ["None", "gzip", "deflate"]
    assert all(answer == [["Gentoo", "Gentoo"], [2, 3], "float64", "7"] for answer in over_grpc["labels"].values())
    assert over_grpc["numbers"] == found["numbers"] and over_grpc["async"] == found["async"]


def test_errors_of_grpc_have_their_code_and_the_message_of_http(over_grpc: Any, found: Any) -> None:
    errors = over_grpc["errors"]
    assert {name: error["status"] for name, error in errors.items()} == {
        "model": "StatusCode.NOT_FOUND",
        "version": "StatusCode.NOT_FOUND",
        "missing": "StatusCode.INVALID_ARGUMENT",
        "output": "StatusCode.INVALID_ARGUMENT",
        "config": "StatusCode.NOT_FOUND",
        "ready": "StatusCode.NOT_FOUND",
        "load": "StatusCode.UNIMPLEMENTED",
    }
    for name, error in found["errors"].items():
        assert errors[name]["message"] == error["message"]
