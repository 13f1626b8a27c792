"""Bodies that extended clients left in S3 are read from there, in moto; a body that can't be had fails alone."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from flyweight.errors import MalformedRequest, ModelUnavailable, NotDone, TooLarge
from tests.services.fixtures import Bucket, s3, servers
from tests.targets.aws.events import folder, read, sample

__all__ = ["folder", "s3", "servers"]

BODY = json.dumps({"island": "Torgersen"})
CLASSES = ["software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer"]


def pointer(bucket: Any, key: Any = "7f", name: str = CLASSES[0]) -> str:
    return json.dumps([name, {"s3BucketName": bucket, "s3Key": key}])


def queued(*bodies: str) -> Any:
    message = sample("sqs")["Records"][0]
    return {"Records": [{**message, "messageId": f"m{place}", "body": body} for place, body in enumerate(bodies)]}


@pytest.fixture
def place(s3: Bucket) -> str:
    """A bucket with one object, a body."""
    name = s3.root.removeprefix("s3://").partition("/")[0]
    boto3.client("s3").put_object(Bucket=name, Key="7f", Body=BODY.encode())
    return name


def test_a_body_is_read_from_where_the_message_points(place: str) -> None:
    several = [pointer(place, name=name) for name in CLASSES]
    records = read(queued(BODY, *several))
    assert [(record.id, record.body, record.fault) for record in records] == [(f"m{n}", BODY.encode(), None) for n in range(3)]
    published = {"Type": "Notification", "TopicArn": "t", "Message": several[0]}
    assert [record.body for record in read(queued(json.dumps(published)))] == [BODY.encode()]
    event = sample("sns")
    event["Records"][0]["Sns"]["Message"] = several[0]
    assert [record.body for record in read(event)] == [BODY.encode()]


def test_a_body_that_does_not_exist_is_refused_alone(place: str) -> None:
    odd = [
        pointer(place, "gone"),
        pointer("no-such-bucket-0"),
        pointer(None),
        pointer("!"),
        pointer(place, ""),
        f'["{CLASSES[0]}"]',
    ]
    *bad, good = read(queued(*odd, f'["{CLASSES[0]}"', pointer(place)))
    assert good.body == BODY.encode() and good.fault is None
    assert [type(record.fault) for record in bad] == [MalformedRequest] * 7


def test_a_body_that_can_not_be_read_now_is_delivered_again(s3: Bucket, place: str) -> None:
    s3.proxy.fail("503")
    (record,) = read(queued(pointer(place)))
    assert isinstance(record.fault, ModelUnavailable)


def test_a_body_over_the_limit_is_not_read(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_MAX_BODY_BYTES", "20")
    (record,) = read(queued(pointer(place)))
    assert isinstance(record.fault, TooLarge) and record.body == pointer(place).encode()


def test_the_bodies_of_a_batch_do_not_fill_the_memory(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that would are left for the next delivery."""
    import aws_payloads

    monkeypatch.setattr(aws_payloads, "BODIES", 1)
    monkeypatch.setenv("FLYWEIGHT_MAX_BODY_BYTES", str(len(BODY)))
    records = read(queued(*[pointer(place)] * 20))
    assert [isinstance(record.fault, NotDone) for record in records] == [False] * 4 + [True] * 16
