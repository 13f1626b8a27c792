"""Send documents to SQS, SNS, Kinesis, EventBridge, DynamoDB and S3 by boto3, which Lambda brings.

sqs://[ACCOUNT/]QUEUE    sns:arn:aws:sns:...    kinesis://STREAM    events://BUS    dynamodb://TABLE[?key=NAME]    s3://BUCKET/PREFIX
A FIFO queue or topic deduplicates by the key, a table and a bucket take each key once; the others may get a document twice.
"""

from flyweight import strict_json
from flyweight.errors import InvalidSetting
from flyweight.records.sinks import batched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from flyweight.records.sinks import Document, Sink

    Entry = tuple[str, Document, str]  # a key, the document, and its JSON
    Write = Callable[[Any, list[Entry]], Mapping[str, str]]  # (client, entries): the keys that were not taken, with the reason
    Writer = tuple[Write, int]  # and how many calls may be made at the same time

AT_ONCE = {"sqs": 10, "sns": 10, "events": 10, "kinesis": 500, "dynamodb": 1, "s3": 1}  # entries a call takes
MAX_BYTES = 200_000  # of the documents of a call, leaving room for the rest of it: the lowest limit of a service is 256 KiB
WORKERS = 8  # calls at the same time, if no order is to be kept; boto3 keeps ten connections
EXISTS = ("ConditionalCheckFailedException", "PreconditionFailed")  # errors for a key that was written before


class Service:
    """A sink in one of AWS's services."""

    def __init__(self, address: str, service: str, write: "Write", workers: int) -> None:
        self._address, self._service, self._write, self._workers = address, service, write, workers
        self._client: Any = None

    def send(self, documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
        """Write each document once, by as few calls as the service allows.

        :returns: the keys that were not taken, each with the reason.
        """
        client = self._connected()
        entries = [(key, document, strict_json.encode(document).decode()) for key, document in documents]
        batches = [*batched(entries, AT_ONCE[self._service], MAX_BYTES, lambda entry: len(entry[2].encode()))]
        if self._workers == 1 or len(batches) == 1:
            failures = [self._call(client, batch) for batch in batches]
        else:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(self._workers) as pool:
                failures = [*pool.map(lambda batch: self._call(client, batch), batches)]
        return {key: f"{self._address}: {reason}" for failed in failures for key, reason in failed.items()}

    def _call(self, client: "Any", batch: "list[Entry]") -> "Mapping[str, str]":
        """Write a batch; an error of the call is the reason for all its keys."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError  # for an answer of a proxy that is not in a service's form

        try:
            return self._write(client, batch)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return {} if code in EXISTS else dict.fromkeys([key for key, _, _ in batch], code)
        except (BotoCoreError, ResponseParserError) as error:
            return dict.fromkeys([key for key, _, _ in batch], type(error).__name__)

    def _connected(self) -> "Any":
        """Get the client, which is made with the first document: the import of boto3 takes longer than a cold start."""
        if self._client is None:
            import boto3
            from botocore.config import Config

            retries: Any = {"mode": "standard", "total_max_attempts": 3}
            config = Config(retries=retries, connect_timeout=5, read_timeout=15, max_pool_connections=WORKERS + 2)
            self._client = boto3.client(self._service, config=config)
        return self._client


def open_sink(address: str) -> "Sink":
    """Open the sink at an address, whose scheme is one of `SCHEMES`; no call is made yet.

    :raises InvalidSetting: the address names no queue, topic, stream, bus, table or bucket.
    """
    scheme, _, rest = address.partition(":")
    place, _, options = rest.removeprefix("//").partition("?")
    name, _, path = place.partition("/")
    if not name:
        raise InvalidSetting(f"{address!r} names no {scheme} sink; see docs/triggers.md")
    return Service(address, scheme, *WRITERS[scheme](name, path, options))


def _queue(name: str, path: str, options: str) -> "Writer":
    """Write messages to a queue, whose URL is asked for with the first batch."""
    account, queue = (name, path) if path else ("", name)
    fifo = queue.endswith(".fifo")
    urls: list[str] = []

    def write(client: "Any", batch: "list[Entry]") -> "Mapping[str, str]":
        if not urls:
            owner = {"QueueOwnerAWSAccountId": account} if account else {}
            urls.append(client.get_queue_url(QueueName=queue, **owner)["QueueUrl"])
        entries = [{**one, "MessageBody": text} for one, text in _numbered(batch, fifo)]
        return _numbered_failures(client.send_message_batch(QueueUrl=urls[0], Entries=entries), batch)

    return write, 1 if fifo else WORKERS


def _topic(name: str, path: str, options: str) -> "Writer":
    """Publish notifications to a topic."""
    fifo = name.endswith(".fifo")

    def write(client: "Any", batch: "list[Entry]") -> "Mapping[str, str]":
        entries = [{**one, "Message": text} for one, text in _numbered(batch, fifo)]
        return _numbered_failures(client.publish_batch(TopicArn=name, PublishBatchRequestEntries=entries), batch)

    return write, 1 if fifo else WORKERS


def _numbered(batch: "list[Entry]", fifo: bool) -> "list[tuple[dict[str, str], str]]":
    """Number the entries of a batch; for a FIFO queue or topic, add the record's own group, or a group of its own.

    :returns: the fields that an entry begins with, and its text.
    """
    if not fifo:
        return [({"Id": str(place)}, text) for place, (_, _, text) in enumerate(batch)]
    groups = [document["origin"].get("group") or key for key, document, _ in batch]
    return [
        ({"Id": str(place), "MessageGroupId": group, "MessageDeduplicationId": key}, text)
        for place, ((key, _, text), group) in enumerate(zip(batch, groups, strict=True))
    ]


def _numbered_failures(reply: "Mapping[str, Any]", batch: "list[Entry]") -> "Mapping[str, str]":
    return {batch[int(fault["Id"])][0]: fault["Code"] for fault in reply.get("Failed", [])}


def _stream(name: str, path: str, options: str) -> "Writer":
    """Write records to a stream; the partition key is the record's own, or the document's key."""

    def write(client: "Any", batch: "list[Entry]") -> "Mapping[str, str]":
        records = [{"Data": text.encode(), "PartitionKey": document["origin"].get("key") or key} for key, document, text in batch]
        results = client.put_records(StreamName=name, Records=records)["Records"]
        return _placed_failures(results, batch)

    return write, 1


def _bus(name: str, path: str, options: str) -> "Writer":
    """Put events on a bus."""

    def write(client: "Any", batch: "list[Entry]") -> "Mapping[str, str]":
        entries = [
            {
                "Source": "flyweight",
                "DetailType": "record rejected" if "problem" in document else "record scored",
                "Detail": text,
                "EventBusName": name,
            }
            for _, document, text in batch
        ]
        return _placed_failures(client.put_events(Entries=entries)["Entries"], batch)

    return write, WORKERS


def _placed_failures(results: "list[Mapping[str, Any]]", batch: "list[Entry]") -> "Mapping[str, str]":
    pairs = zip(batch, results, strict=True)
    return {key: result["ErrorCode"] for (key, _, _), result in pairs if result.get("ErrorCode")}


def _table(name: str, path: str, options: str) -> "Writer":
    """Write items to a table; its partition key, a string, is the attribute `key` or the one that the address names."""
    attribute = options.removeprefix("key=") or "key"

    def write(client: "Any", batch: "list[Entry]") -> "Mapping[str, str]":
        for key, document, _ in batch:
            item = {**{name: _typed(value) for name, value in document.items()}, attribute: {"S": key}}
            absent = {"ConditionExpression": "attribute_not_exists(#key)", "ExpressionAttributeNames": {"#key": attribute}}
            client.put_item(TableName=name, Item=item, **absent)
        return {}

    return write, WORKERS


def _typed(value: "Any") -> "dict[str, Any]":
    """Convert a value to DynamoDB's types; a number beyond DynamoDB's range becomes text, NaN null."""
    if value is None or value != value:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, float)):
        return {"N": repr(value)} if value == 0 or 1e-130 <= abs(value) < 1e125 else {"S": repr(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, (list, tuple)):
        return {"L": [_typed(item) for item in value]}
    return {"M": {name: _typed(item) for name, item in value.items()}}


def _bucket(name: str, path: str, options: str) -> "Writer":
    """Write each document as the object `PREFIX/KEY.json`, unless it exists."""
    prefix = f"{path.rstrip('/')}/" if path else ""

    def write(client: "Any", batch: "list[Entry]") -> "Mapping[str, str]":
        for key, _, text in batch:
            kind = {"ContentType": "application/json", "IfNoneMatch": "*"}
            client.put_object(Bucket=name, Key=f"{prefix}{key}.json", Body=text.encode(), **kind)
        return {}

    return write, WORKERS


WRITERS: "dict[str, Callable[[str, str, str], Writer]]" = {
    "sqs": _queue,
    "sns": _topic,
    "kinesis": _stream,
    "events": _bus,
    "dynamodb": _table,
    "s3": _bucket,
}
SCHEMES = (*WRITERS,)
