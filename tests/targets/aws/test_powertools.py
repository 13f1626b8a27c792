"""The log by Powertools, which a setting chooses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flyweight.toolkit.events import samples
from flyweight.toolkit.running import runtime

pytest.importorskip("aws_lambda_powertools")


def printed(folder: Path, event: str, **environ: str) -> list[dict[str, object]]:
    with runtime("aws")(folder, environ={"FLYWEIGHT_OBSERVABILITY": "powertools", **environ}) as process:
        process.invoke(samples.read("aws", event))
        return [json.loads(line) for line in process.log().splitlines()]


def test_powertools_logs_a_line_and_counts_in_the_embedded_metric_format(built: Callable[[str], Path]) -> None:
    line, metrics = printed(built("aws"), "predict", POWERTOOLS_SERVICE_NAME="birds")
    assert {"service": "birds", "operation": "predict", "status": 200, "instances": 1}.items() <= line.items()
    assert (metrics["Requests"], metrics["Faults"], metrics["Instances"], metrics["ColdStarts"]) == ([1.0], [0.0], [1.0], [1.0])
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "flyweight"  # type: ignore[index]


def test_a_refused_request_is_a_warning_and_no_fault(built: Callable[[str], Path]) -> None:
    line, metrics = printed(built("aws"), "misspelt_feature", POWERTOOLS_METRICS_NAMESPACE="zoo")
    assert line["level"] == "WARNING"
    assert metrics["Faults"] == [0.0]
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "zoo"  # type: ignore[index]


def test_a_canary_is_a_dimension_and_a_shadows_differences_are_counted(built: Callable[[str], Path], penguins: Path) -> None:
    beside = {"FLYWEIGHT_CANARY": f"{penguins} 100%", "FLYWEIGHT_SHADOW": f"{penguins} 100%"}
    line, metrics = printed(built("aws"), "predict", **beside)
    assert (line["variant"], metrics["variant"]) == ("canary", "canary")
    assert (metrics["ShadowInstances"], metrics["ShadowDifferences"]) == ([1.0], [0.0])


def test_a_batch_counts_its_records_by_outcome(built: Callable[[str], Path]) -> None:
    lines = printed(built("aws"), "sqs_rejected")
    (line,) = [line for line in lines if line.get("records") == 4]
    assert {"operation": "sqs", "scored": 2, "rejected": 2, "failed": 0, "level": "WARNING"}.items() <= line.items()
    assert len([line for line in lines if "problem" in line]) == 2
    metrics = lines[-1]
    counted = {name: metrics[name] for name in ("Batches", "Scored", "Rejected", "Failed", "Faults")}
    assert counted == {"Batches": [1.0], "Scored": [2.0], "Rejected": [2.0], "Failed": [0.0], "Faults": [0.0]}
