"""Documents to SQS, SNS, Kinesis, EventBridge, DynamoDB and S3 by boto3, which Lambda brings; what was not taken comes out.

sqs://[ACCOUNT/]QUEUE    sns:arn:aws:sns:...    kinesis://STREAM    events://BUS    dynamodb://TABLE[?key=NAME]    s3://BUCKET/PREFIX
A FIFO queue or topic deduplicates by the key, a table and a bucket take each key once; the others may get a document twice.
"""

from flyweight import strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from flyweight.records.sinks import Document, Sink

    Entry = tuple[str, Document, str]  # a key, the document, and its JSON
    Write = Callable[[Any, list[Entry]], Mapping[str, str]]  # by a client; the keys that were not taken, and why
    Opened = tuple[Write, int]  # and how many calls may be on their way at the same time

AT_ONCE = {"sqs": 10, "sns": 10, "events": 10, "kinesis": 500, "dynamodb": 1, "s3": 1}  # entries a call takes
BYTES = 200_000  # a call, with room for what goes around: the smallest of the services' limits is 256 KiB
WORKERS = 8  # calls on their way at the same time, where no order is to be kept; boto3 keeps ten connections
TAKEN = ("ConditionalCheckFailedException", "PreconditionFailed")  # the key is there already


class Service:
    """A sink in one of AWS's services."""

    def __init__(self, address: str, service: str, write: "Write", workers: int) -> None:
        self._address, self._service, self._write, self._workers = address, service, write, workers
        self._client: Any = None

    def send(self, documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
        """Write each document once; the keys that were not taken, and why."""
        client = self._connected()
        entries = [(key, document, strict_json.encode(document).decode()) for key, document in documents]
        chunks = [*_chunks(entries, AT_ONCE[self._service])]
        if self._workers == 1 or len(chunks) == 1:
            left = [self._written(client, chunk) for chunk in chunks]
        else:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(self._workers) as pool:
                left = [*pool.map(lambda chunk: self._written(client, chunk), chunks)]
        return {key: f"{self._address}: {why}" for some in left for key, why in some.items()}

    def _written(self, client: "Any", chunk: "list[Entry]") -> "Mapping[str, str]":
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError  # of its own kind: what a proxy answers in no service's form

        try:
            return self._write(client, chunk)
        except ClientError as error:
            word = error.response["Error"]["Code"]
            return {} if word in TAKEN else dict.fromkeys([key for key, _, _ in chunk], word)
        except (BotoCoreError, ResponseParserError) as error:
            return dict.fromkeys([key for key, _, _ in chunk], type(error).__name__)

    def _connected(self) -> "Any":
        """The client, made with the first document: an import of boto3 costs more than a cold start."""
        if self._client is None:
            import boto3
            from botocore.config import Config

            retries: Any = {"mode": "standard", "total_max_attempts": 3}
            config = Config(retries=retries, connect_timeout=5, read_timeout=15, max_pool_connections=WORKERS + 2)
            self._client = boto3.client(self._service, config=config)
        return self._client


def _chunks(entries: "list[Entry]", most: int) -> "Iterator[list[Entry]]":
    """The entries, so many a call and so many bytes."""
    chunk: list[Entry] = []
    size = 0
    for entry in entries:
        weight = len(entry[2].encode())
        if chunk and (len(chunk) == most or size + weight > BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += weight
    if chunk:
        yield chunk


def open_sink(address: str) -> "Sink":
    """The sink at an address; nothing is asked of it yet.

    :raises ValueError: the address names nothing.
    """
    scheme, _, rest = address.partition(":")
    place, _, options = rest.removeprefix("//").partition("?")
    name, _, path = place.partition("/")
    if not name:
        raise ValueError(f"{address!r} names no {scheme} sink; see docs/triggers.md")
    return Service(address, scheme, *OPENERS[scheme](name, path, options))


def _queue(name: str, path: str, options: str) -> "Opened":
    account, queue = (name, path) if path else ("", name)
    fifo = queue.endswith(".fifo")
    urls: list[str] = []

    def write(client: "Any", chunk: "list[Entry]") -> "Mapping[str, str]":
        if not urls:
            owner = {"QueueOwnerAWSAccountId": account} if account else {}
            urls.append(client.get_queue_url(QueueName=queue, **owner)["QueueUrl"])
        entries = [{**one, "MessageBody": text} for one, text in _numbered(chunk, fifo)]
        return _numbered_failures(client.send_message_batch(QueueUrl=urls[0], Entries=entries), chunk)

    return write, 1 if fifo else WORKERS


def _topic(name: str, path: str, options: str) -> "Opened":
    fifo = name.endswith(".fifo")

    def write(client: "Any", chunk: "list[Entry]") -> "Mapping[str, str]":
        entries = [{**one, "Message": text} for one, text in _numbered(chunk, fifo)]
        return _numbered_failures(client.publish_batch(TopicArn=name, PublishBatchRequestEntries=entries), chunk)

    return write, 1 if fifo else WORKERS


def _numbered(chunk: "list[Entry]", fifo: bool) -> "list[tuple[dict[str, str], str]]":
    """What an entry of a batch begins with, and its text; in order where the record's own group is known."""
    if not fifo:
        return [({"Id": str(place)}, text) for place, (_, _, text) in enumerate(chunk)]
    groups = [document["origin"].get("group") or key for key, document, _ in chunk]
    return [
        ({"Id": str(place), "MessageGroupId": group, "MessageDeduplicationId": key}, text)
        for place, ((key, _, text), group) in enumerate(zip(chunk, groups, strict=True))
    ]


def _numbered_failures(reply: "Mapping[str, Any]", chunk: "list[Entry]") -> "Mapping[str, str]":
    return {chunk[int(fault["Id"])][0]: fault["Code"] for fault in reply.get("Failed", [])}


def _stream(name: str, path: str, options: str) -> "Opened":
    def write(client: "Any", chunk: "list[Entry]") -> "Mapping[str, str]":
        records = [{"Data": text.encode(), "PartitionKey": document["origin"].get("key") or key} for key, document, text in chunk]
        results = client.put_records(StreamName=name, Records=records)["Records"]
        return _placed_failures(results, chunk)

    return write, 1


def _bus(name: str, path: str, options: str) -> "Opened":
    def write(client: "Any", chunk: "list[Entry]") -> "Mapping[str, str]":
        entries = [
            {
                "Source": "flyweight",
                "DetailType": "record rejected" if "problem" in document else "record scored",
                "Detail": text,
                "EventBusName": name,
            }
            for _, document, text in chunk
        ]
        return _placed_failures(client.put_events(Entries=entries)["Entries"], chunk)

    return write, WORKERS


def _placed_failures(results: "list[Mapping[str, Any]]", chunk: "list[Entry]") -> "Mapping[str, str]":
    pairs = zip(chunk, results, strict=True)
    return {key: result["ErrorCode"] for (key, _, _), result in pairs if result.get("ErrorCode")}


def _table(name: str, path: str, options: str) -> "Opened":
    """A table whose partition key, a string, is called `key` or as the address says."""
    attribute = options.removeprefix("key=") or "key"

    def write(client: "Any", chunk: "list[Entry]") -> "Mapping[str, str]":
        for key, document, _ in chunk:
            item = {**{name: _typed(value) for name, value in document.items()}, attribute: {"S": key}}
            absent = {"ConditionExpression": "attribute_not_exists(#key)", "ExpressionAttributeNames": {"#key": attribute}}
            client.put_item(TableName=name, Item=item, **absent)
        return {}

    return write, WORKERS


def _typed(value: "Any") -> "dict[str, Any]":
    """A value as DynamoDB takes it; a number that is beyond its numbers, or none, as text or null."""
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


def _bucket(name: str, path: str, options: str) -> "Opened":
    """An object a document, `PREFIX/KEY.json`."""
    prefix = f"{path.rstrip('/')}/" if path else ""

    def write(client: "Any", chunk: "list[Entry]") -> "Mapping[str, str]":
        for key, _, text in chunk:
            kind = {"ContentType": "application/json", "IfNoneMatch": "*"}
            client.put_object(Bucket=name, Key=f"{prefix}{key}.json", Body=text.encode(), **kind)
        return {}

    return write, WORKERS


OPENERS: "dict[str, Callable[[str, str, str], Opened]]" = {
    "sqs": _queue,
    "sns": _topic,
    "kinesis": _stream,
    "events": _bus,
    "dynamodb": _table,
    "s3": _bucket,
}
