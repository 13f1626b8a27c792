"""Every sink on AWS, in moto: all documents land, a key lands once if the service can do so, and keys not taken are returned."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from flyweight.toolkit import resources
from tests.services.faults import FaultyProxy
from tests.services.servers import Moto

COUNT = 25  # more than two calls of ten
SCORES = [[0.1, 1e-300, float("nan"), None, True]]
KEYS = [f"{n:064x}" for n in range(COUNT)]
DOCUMENTS = [(key, {"key": key, "origin": {"source": "here"}, "id": f"r{key[-2:]}", "scores": SCORES}) for key in KEYS]


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    server = Moto()
    yield server
    server.close()


@pytest.fixture
def proxy(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """The proxy to which the environment leads the sinks' clients, and the tests' own."""
    made = FaultyProxy(moto.port)
    for name, value in {**moto.variables(made.url), "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(resources.folder("handlers") / "aws"))
    yield made
    made.close()
    sys.modules.pop("aws_sinks", None)


def queue(name: str, **attributes: str) -> Callable[[], int]:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    names = ["ApproximateNumberOfMessages"]
    return lambda: int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"][names[0]])


def topic() -> Callable[[], int]:
    sns, counted = boto3.client("sns"), queue("of-topic")
    arn = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:of-topic")
    return counted


def stream() -> Callable[[], int]:
    kinesis = boto3.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)

    def count() -> int:
        place = {"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
        return len(kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**place)["ShardIterator"])["Records"])

    return count


def bus() -> Callable[[], int]:
    events, counted = boto3.client("events"), queue("of-bus")
    events.create_event_bus(Name="b")
    events.put_rule(Name="all", EventBusName="b", EventPattern='{"source": ["flyweight"], "detail-type": ["record scored"]}')
    target = {"Id": "q", "Arn": "arn:aws:sqs:us-east-1:123456789012:of-bus"}
    events.put_targets(Rule="all", EventBusName="b", Targets=[target])
    return counted


def table(key: str) -> Callable[[], int]:
    dynamodb = boto3.client("dynamodb")
    schema = {"KeySchema": [{"AttributeName": key, "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    dynamodb.create_table(TableName=f"t-{key}", AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}], **schema)
    return lambda: int(dynamodb.scan(TableName=f"t-{key}")["Count"])


def bucket() -> Callable[[], int]:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="answers")
    return lambda: int(s3.list_objects_v2(Bucket="answers", Prefix="pre/fix/")["KeyCount"])


# address -> what makes it, and counts what landed; and how often a key lands that is sent twice
SINKS: dict[str, tuple[Callable[[], Callable[[], int]], int]] = {
    "sqs://q": (lambda: queue("q"), 2),
    "sqs://123456789012/own": (lambda: queue("own"), 2),
    "sqs://q.fifo": (lambda: queue("q.fifo", FifoQueue="true"), 1),
    "sns:arn:aws:sns:us-east-1:123456789012:t": (topic, 2),
    "kinesis://s": (stream, 2),
    "events://b": (bus, 2),
    "dynamodb://t-key": (lambda: table("key"), 1),
    "dynamodb://t-pk?key=pk": (lambda: table("pk"), 1),
    "s3://answers/pre/fix": (bucket, 1),
}


@pytest.mark.parametrize("address", SINKS)
def test_documents_land_and_a_key_that_is_sent_twice_is_taken(address: str, proxy: FaultyProxy) -> None:
    make, times = SINKS[address]
    count = make()
    from aws_sinks import open_sink

    sink = open_sink(address)
    assert sink.send(DOCUMENTS) == {}
    assert count() == COUNT
    assert sink.send(DOCUMENTS) == {}
    assert count() == times * COUNT


@pytest.mark.parametrize("address", ["sqs://q", "sns:arn:aws:sns:us-east-1:123456789012:t", "dynamodb://t-key", "s3://answers"])
def test_keys_that_a_busy_service_does_not_take_are_returned(address: str, proxy: FaultyProxy) -> None:
    from aws_sinks import open_sink

    proxy.fail("503")
    left = open_sink(address).send(DOCUMENTS[:2])
    assert [*left] == [key for key, _ in DOCUMENTS[:2]] and all(why.startswith(f"{address}: ") for why in left.values())


def test_a_queue_that_does_not_exist_is_named(proxy: FaultyProxy) -> None:
    from aws_sinks import open_sink

    left = open_sink("sqs://absent").send(DOCUMENTS[:1])
    assert left == {DOCUMENTS[0][0]: "sqs://absent: AWS.SimpleQueueService.NonExistentQueue"}


def test_a_refused_entry_of_a_batch_is_returned_alone(proxy: FaultyProxy) -> None:
    queue("partly")
    from aws_sinks import _numbered_failures

    chunk: Any = [(key, document, "") for key, document in DOCUMENTS[:3]]
    assert _numbered_failures({"Failed": [{"Id": "1", "Code": "Throttled"}]}, chunk) == {DOCUMENTS[1][0]: "Throttled"}


def test_calls_hold_a_limited_number_of_entries_and_bytes(proxy: FaultyProxy) -> None:
    from aws_sinks import MAX_BYTES, Service

    calls: list[list[str]] = []

    def write(client: Any, batch: list[Any]) -> dict[str, str]:
        calls.append([key for key, _, _ in batch])
        return {}

    frame = len('{"t":""}')
    sizes = [1] * 12 + [MAX_BYTES - frame, 1, MAX_BYTES + 1, MAX_BYTES - 3 * frame, 1]
    documents: list[Any] = [(str(n), {"t": "x" * size}) for n, size in enumerate(sizes)]
    assert Service("sqs://q", "sqs", write, 1).send(documents) == {}
    assert [key for call in calls for key in call] == [key for key, _ in documents]
    assert [len(call) for call in calls] == [10, 2, 1, 1, 1, 2]


@pytest.mark.parametrize("address", ["sqs://", "s3:///prefix", "dynamodb:"])
def test_an_address_that_names_nothing_is_refused(address: str, proxy: FaultyProxy) -> None:
    from aws_sinks import open_sink

    with pytest.raises(ValueError, match="names no"):
        open_sink(address)
