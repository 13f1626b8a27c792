"""The segments that X-Ray's daemon gets from the function under Lambda's runtime, with Powertools' Tracer."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.running import runtime

pytest.importorskip("aws_xray_sdk")
EVENTS = Path(__file__).resolve().parents[3] / "events" / "aws"


class Daemon:
    """The part of X-Ray's daemon that receives segments."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def heard(self) -> list[dict[str, Any]]:
        """List the segments that have come so far; each has the header of the daemon's protocol before it."""
        segments = []
        try:
            while True:  # a segment is sent before the answer to the event
                header, _, segment = self._socket.recv(1 << 16, socket.MSG_DONTWAIT).partition(b"\n")
                assert json.loads(header) == {"format": "json", "version": 1}
                segments.append(json.loads(segment))
        except BlockingIOError:
            return segments

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    made = Daemon()
    yield made
    made.close()


def traced(folder: Path, daemon: Daemon, *events: Any, **environ: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Invoke the function, and get the segments by name and the lines of the log."""
    variables = {"FLYWEIGHT_OBSERVABILITY": "tracer", "AWS_XRAY_DAEMON_ADDRESS": daemon.address, **environ}
    with runtime("aws")(folder, environ=variables) as process:
        for event in events:
            process.invoke(event)
        lines = [json.loads(line) for line in process.log().splitlines() if line.startswith("{")]
    return {segment["name"]: segment for segment in daemon.heard()}, lines


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def test_a_request_is_a_subsegment_of_lambdas_own_trace(built: Callable[[str], Path], daemon: Daemon) -> None:
    segments, lines = traced(built("aws"), daemon, sample("predict"), POWERTOOLS_SERVICE_NAME="birds")
    (segment,) = segments.values()
    assert (segment["name"], segment["type"]) == ("## predict", "subsegment")
    annotations = {"ColdStart": True, "Service": "birds", "Model": "penguins", "Version": "1.0.0"}
    assert segment["annotations"] == annotations
    assert segment["metadata"]["flyweight"]["entry"]["status"] == 200
    (line,) = [line for line in lines if line.get("message") == "answered"]
    assert segment["end_time"] - segment["start_time"] == pytest.approx(line["duration_ms"] / 1000, abs=1e-4)
    assert segment["parent_id"] and segment["trace_id"].startswith("1-")


def test_loading_a_model_within_a_request_is_a_subsegment_of_its_own(
    built: Callable[[str], Path], daemon: Daemon, penguins: Path
) -> None:
    event = {**sample("predict"), "rawPath": "/models/other/predict"}
    segments, _ = traced(built("aws"), daemon, event, event, FLYWEIGHT_MODELS=f"other={penguins}")
    load = segments["## load"]
    assert load["end_time"] > load["start_time"]


def test_a_batch_that_fails_is_a_fault_and_counted(built: Callable[[str], Path], daemon: Daemon) -> None:
    segments, lines = traced(built("aws"), daemon, sample("sqs"), FLYWEIGHT_MODEL="none.safetensors")
    segment = segments["## sqs"]
    assert segment["fault"] and segment["metadata"]["flyweight"]["entry"]["failed"] == 2
    assert any("_aws" in line for line in lines), "metrics are written as without it"


def test_what_is_not_sampled_is_not_sent(built: Callable[[str], Path], daemon: Daemon) -> None:
    with runtime("aws")(built("aws"), environ={"FLYWEIGHT_OBSERVABILITY": "tracer"}) as process:
        assert process.invoke(sample("predict")).status == 200
    assert daemon.heard() == []
