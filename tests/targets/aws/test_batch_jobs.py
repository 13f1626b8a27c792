"""The results that S3 Batch Operations gets for the objects of a job, which are in moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.records.consumer import consume
from flyweight.serving.service import Service
from flyweight.settings import Settings
from tests.services.servers import Moto
from tests.serving.test_service import GENTOO
from tests.targets.aws.events import CONTEXT, find, folder, sample

__all__ = ["folder"]


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    server = Moto()
    yield server
    server.close()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, moto: Moto) -> Any:
    """Make a bucket, and get a client that is configured by the environment."""
    import boto3

    for name, value in moto.variables(f"http://127.0.0.1:{moto.port}").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="penguins")
    return client


def batch(*keys: str) -> Any:
    return {
        **sample("batch"),
        "tasks": [{"taskId": f"t{n}", "s3Key": key, "s3VersionId": None, "s3Bucket": "penguins"} for n, key in enumerate(keys)],
    }


def results_of(event: Any, model: Path) -> list[Any]:
    """Score the tasks of an event, and get the result of each."""
    trigger, service = find(event), Service(Settings(str(model)), lambda entry: None)
    assert trigger is not None
    reply = consume(service, trigger, (event, CONTEXT))
    assert (reply["invocationId"], reply["invocationSchemaVersion"]) == (event["invocationId"], "2.0")
    results: list[Any] = reply["results"]
    return results


def test_a_batch_job_gets_the_result_of_each_object(s3: Any, penguins: Path) -> None:
    keys = ("a b.jsonl", "bad.csv", "none.csv", "an.image", "a.csv.0a1b.jsonl")
    for key in keys:
        if key != "none.csv":
            s3.put_object(Bucket="penguins", Key=key, Body=b"year\nx\n" if key == "bad.csv" else json.dumps(GENTOO).encode())
    results = results_of(batch("a+b.jsonl", *keys[1:]), penguins)
    assert [result["resultCode"] for result in results] == ["Succeeded", *["PermanentFailure"] * 4]
    output = results[0]["resultString"].removeprefix("s3://penguins/")
    assert output.startswith("a b.jsonl.")
    answers = s3.get_object(Bucket="penguins", Key=output)["Body"].read()
    assert json.loads(answers)["prediction"] == "Gentoo"
    assert "does not exist" in results[2]["resultString"] and "written" in results[4]["resultString"]


def test_a_batch_job_scores_the_version_that_a_task_names_if_it_is_the_newest(s3: Any, penguins: Path) -> None:
    s3.put_bucket_versioning(Bucket="penguins", VersioningConfiguration={"Status": "Enabled"})
    put = [s3.put_object(Bucket="penguins", Key="v.jsonl", Body=json.dumps(GENTOO).encode())["VersionId"] for _ in range(2)]
    event = batch("v.jsonl", "v.jsonl", "none.jsonl")
    for task, version in zip(event["tasks"], [*put, put[0]], strict=True):
        task["s3VersionId"] = version
    results = results_of(event, penguins)
    assert [result["resultCode"] for result in results] == ["PermanentFailure", "Succeeded", "PermanentFailure"]
    assert put[1] in results[0]["resultString"]


@pytest.mark.parametrize("version", [None, "1"])
def test_a_batch_job_that_cannot_reach_its_objects_tries_again(
    s3: Any, penguins: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    event = batch("a.csv")
    event["tasks"][0]["s3VersionId"] = version
    assert [result["resultCode"] for result in results_of(event, penguins)] == ["TemporaryFailure"]


def test_a_file_that_is_not_done_comes_again_in_its_job(s3: Any, penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket="penguins", Key="late.csv", Body=b"year\n1\n")
    monkeypatch.setattr(CONTEXT, "get_remaining_time_in_millis", lambda: 10)
    assert [result["resultCode"] for result in results_of(batch("late.csv"), penguins)] == ["TemporaryFailure"]
