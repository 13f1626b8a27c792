"""Moto's queues and streams with Lambda's pollers before the built function, under Lambda's runtime client.

The pollers are written here: a batch is received, the function is invoked, and the messages that the reply does not name are
deleted, or the shard is read on; after a failed invocation all of the batch stays. Visibility timeouts end at once, so that no
test waits.
"""

from __future__ import annotations

import base64
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from flyweight.toolkit.running import Runtime, RuntimeFailed, runtime
from tests.services.faults import Answer, FaultyProxy, Seen, passed_on
from tests.services.servers import Moto
from tests.serving.test_service import GENTOO

GOOD, BAD = json.dumps(GENTOO), json.dumps({**GENTOO, "year": "x"})
BODIES = [GOOD, BAD, GOOD, "{", json.dumps([GENTOO, GENTOO]), GOOD, GOOD]
VALID = [number for number, body in enumerate(BODIES) if body not in (BAD, "{")]
MOST = 3  # receives until a queue's own dead-letter queue gets a message


class Cloud:
    """A moto of its own, the sinks in it, and the function that is to use them."""

    def __init__(self, folder: Path) -> None:
        self.server = Moto()
        self.killing = 0  # how many requests of the function to a sink still end its process, after they are done
        self.proxy = FaultyProxy(self.server.port, self.forward)
        self.folder = folder
        self.function: Runtime | None = None
        self.session = boto3.Session("anyone", "secret-of-the-tests", region_name="us-east-1")
        self.sqs, self.kinesis, self.dynamodb = (self.client(name) for name in ("sqs", "kinesis", "dynamodb"))

    def make_sinks(self) -> None:
        """Make the queue and the table that the function writes to."""
        self.rejected = self.queue("rejected")
        self.dynamodb.create_table(
            TableName="results",
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def client(self, service: str) -> Any:
        return self.session.client(
            service, endpoint_url=f"http://127.0.0.1:{self.server.port}", config=Config(region_name="us-east-1")
        )

    def forward(self, upstream: int, seen: Seen, body: bytes) -> Answer:
        """Pass a request on; if the process is to be killed, this happens after the request is done and before it is answered."""
        answer = passed_on(upstream, seen, body)
        if self.killing and self.function is not None:
            self.killing -= 1
            os.kill(self.function.answering_process(), signal.SIGKILL)
        return answer

    def queue(self, name: str, **attributes: str) -> str:
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def arn(self, url: str) -> str:
        arn: str = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return arn

    def invoke(self, event: Any) -> Any:
        """Get the function's reply; a failed invocation ends the process, and the next one starts another."""
        if self.function is None:
            environ = {**self.server.variables(self.proxy.url), "FLYWEIGHT_RESULTS": "dynamodb://results"}
            self.function = runtime("aws")(self.folder, environ={**environ, "FLYWEIGHT_DEAD_LETTERS": "sqs://rejected"})
        assert self.function is not None
        try:
            return json.loads(self.function.invoke(event).body)
        except (RuntimeFailed, ValueError, OSError):
            self.close_function()
            raise Failed from None

    def close_function(self) -> None:
        if self.function is not None:
            self.function.close()
            self.function = None

    def close(self) -> None:
        self.close_function()
        for client in (self.sqs, self.kinesis, self.dynamodb):
            client.close()
        self.proxy.close()
        self.server.close()

    def results(self) -> list[str]:
        """List the ids of the records whose effect landed, as often as it did."""
        return sorted(item["id"]["S"] for item in self.dynamodb.scan(TableName="results")["Items"])

    def letters(self) -> list[dict[str, Any]]:
        return [json.loads(message["Body"]) for message in self.received(self.rejected)]

    def received(self, url: str) -> list[Any]:
        """List all messages of a queue, which stay in it."""
        by_id: dict[str, Any] = {}
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600, AttributeNames=["All"]
        ).get("Messages"):
            by_id.update({message["MessageId"]: message for message in messages})
        return [*by_id.values()]


class Failed(Exception):
    """The invocation failed."""


@pytest.fixture
def cloud(built: Callable[[str], Path]) -> Iterator[Cloud]:
    made = Cloud(built("aws"))
    try:
        made.make_sinks()
        yield made
    finally:
        made.close()


class Queue:
    """A queue with a dead-letter queue of its own, and Lambda's poller before it."""

    def __init__(self, cloud: Cloud, suffix: str = "") -> None:
        self.cloud = cloud
        fifo = {"FifoQueue": "true"} if suffix else {}
        self.dead = cloud.queue(f"dead{suffix}", **fifo)
        redrive = json.dumps({"deadLetterTargetArn": cloud.arn(self.dead), "maxReceiveCount": MOST})
        self.url = cloud.queue(f"work{suffix}", RedrivePolicy=redrive, **fifo)
        self.arn = cloud.arn(self.url)

    def send(self, bodies: list[str], **more: str) -> list[str]:
        return [self.cloud.sqs.send_message(QueueUrl=self.url, MessageBody=body, **more)["MessageId"] for body in bodies]

    def poll(self, count: int = 10) -> list[str]:
        """Hand one batch to the function, and get the ids of the messages that were deleted."""
        sqs = self.cloud.sqs
        received = sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=count,
            VisibilityTimeout=600,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not received:
            return []
        try:
            reply = self.cloud.invoke(self.event(received))
            again = {failure["itemIdentifier"] for failure in reply["batchItemFailures"]}
        except Failed:
            again = {message["MessageId"] for message in received}
        deleted = []
        for message in received:
            if message["MessageId"] in again:
                sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
            else:
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                deleted.append(message["MessageId"])
        return deleted

    def event(self, received: list[Any]) -> Any:
        shared = {"messageAttributes": {}, "eventSource": "aws:sqs", "eventSourceARN": self.arn, "awsRegion": "us-east-1"}
        return {
            "Records": [
                {
                    "messageId": m["MessageId"],
                    "receiptHandle": m["ReceiptHandle"],
                    "body": m["Body"],
                    "attributes": m["Attributes"],
                    **shared,
                }
                for m in received
            ]
        }

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.cloud.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


class Shard:
    """A shard of a Kinesis stream, and Lambda's poller before it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.done = cloud, 0
        cloud.kinesis.create_stream(StreamName="work", ShardCount=1)

    def send(self, bodies: list[str]) -> list[str]:
        put = self.cloud.kinesis.put_record
        return [put(StreamName="work", Data=body.encode(), PartitionKey="k")["SequenceNumber"] for body in bodies]

    def records(self) -> list[Any]:
        iterator = self.cloud.kinesis.get_shard_iterator(
            StreamName="work", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records: list[Any] = self.cloud.kinesis.get_records(ShardIterator=iterator)["Records"]
        return records

    def poll(self) -> int:
        """Hand the records that are not done to the function, and get the number of those that are done."""
        batch = self.records()[self.done :]
        numbers = [record["SequenceNumber"] for record in batch]
        try:
            failures = self.cloud.invoke({"Records": [self.item(record) for record in batch]})["batchItemFailures"]
        except Failed:
            return self.done
        first = min((numbers.index(failure["itemIdentifier"]) for failure in failures), default=len(batch))
        self.done += first
        return self.done

    def item(self, record: Any) -> Any:
        number = record["SequenceNumber"]
        kinesis = {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": number,
            "data": base64.b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
        }
        arn = "arn:aws:kinesis:us-east-1:123456789012:stream/work"
        return {
            "kinesis": kinesis,
            "eventSource": "aws:kinesis",
            "eventID": f"shardId-000000000000:{number}",
            "eventSourceARN": arn,
        }
