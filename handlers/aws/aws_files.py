"""Score the objects that S3's notifications, in any carrier, and S3's batch jobs name; an unfinished file is delivered again.

Notification: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html (keys are URL-encoded)
Event bus: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html (keys are not)
Batch Operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html (keys are encoded)
"""

import json
from time import monotonic

from aws_replies import answers, item_failures, request_id

from flyweight import settings
from flyweight.errors import MalformedRequest, ModelUnavailable
from flyweight.files.checkpoint import is_output
from flyweight.files.records import score_files
from flyweight.records import InProgress, Record, Trigger, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

CODES = {
    "scored": "Succeeded",
    "rejected": "PermanentFailure",
    "failed": "TemporaryFailure",
    "unfinished": "TemporaryFailure",  # the job tries the task again, which continues the file
}


def _messages(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each object that messages of a queue name; another message is a record as usual."""
    records: list[Record] = []
    for message in event["Records"]:
        notification = _notification(message["body"])
        if notification is None:
            from aws_queues import SQS

            records += SQS.records({"Records": [message]}, context)
        else:
            records += _objects(notification, {"message": message["messageId"]})
    return records


def _notifications(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each object that an event from S3, a topic or a bus names."""
    records: list[Record] = []
    for record in event.get("Records", []):
        notification = _notification(record["Sns"]["Message"]) if "Sns" in record else {"Records": [record]}
        if notification is None:
            from aws_queues import SNS

            records += SNS.records({"Records": [record]}, context)
        else:
            records += _objects(notification, {})
    return [*records, *_objects({**event, "Records": []}, {})]


def _notification(text: str) -> "dict[str, Any] | None":
    """Read S3's notification from a message, also within the envelope of a topic; None if the message is not from S3."""
    try:
        document = json.loads(text)
        if document.get("Type") == "Notification":
            document = json.loads(document["Message"])
        from_s3 = (
            document.get("Event") == "s3:TestEvent"
            or document.get("source") == "aws.s3"
            or any(record["eventSource"] == "aws:s3" for record in document["Records"])
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None
    return document if from_s3 else None


def _objects(notification: "dict[str, Any]", origin: "dict[str, Any]") -> "Iterator[Record]":
    """Make one record per created object. Our own output is skipped; it would trigger the function again without end."""
    from urllib.parse import unquote_plus

    if notification.get("detail-type") == "Object Created":
        detail = notification["detail"]
        yield from _object(detail["bucket"]["name"], detail["object"]["key"], detail["object"], notification["time"], origin)
    for record in notification.get("Records", []):
        if record["eventName"].removeprefix("s3:").startswith("ObjectCreated:"):
            entry = record["s3"]["object"]
            yield from _object(record["s3"]["bucket"]["name"], unquote_plus(entry["key"]), entry, record["eventTime"], origin)


def _object(bucket: str, key: str, entry: "dict[str, Any]", time: str, origin: "dict[str, Any]") -> "Iterator[Record]":
    if is_output(key):
        return
    version = entry.get("sequencer") or entry.get("eTag") or entry.get("etag") or ""
    facts = {"source": f"s3://{bucket}", "address": f"s3://{bucket}/{key}", "time": time}
    yield Record(f"{key}#{version}", b"", "", {**facts, **origin})


def _tasks(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each task of a batch job. Our own output is refused; the list of a job may well contain it."""
    from urllib.parse import unquote_plus

    records = []
    for task in event["tasks"]:
        bucket, key = task.get("s3Bucket") or task["s3BucketArn"].rpartition(":")[2], unquote_plus(task["s3Key"])
        origin = {"source": f"s3://{bucket}", "address": f"s3://{bucket}/{key}", "job": event["job"]["id"]}
        version = task.get("s3VersionId")
        if version:
            origin["version"] = version
        fault = MalformedRequest(f"{key[-200:]!r} was written when a file was scored") if is_output(key) else None
        records.append(Record(task["taskId"], b"", "", origin, fault=fault))
    return records


def _newest(record: Record) -> Record:
    """Check that a task names the newest version of its object, the only one that stores read; else the record gets a fault."""
    if record.fault is not None or "version" not in record.origin:
        return record
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = record.origin["address"].removeprefix("s3://").partition("/")
    fault: Exception | None = None
    try:
        newest = boto3.client("s3").head_object(Bucket=bucket, Key=key).get("VersionId", "null")
        if newest != record.origin["version"]:
            fault = MalformedRequest(f"the task names version {record.origin['version']}, the newest is {newest}")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        absent = code in ("404", "NoSuchKey", "NoSuchBucket")
        fault = MalformedRequest(f"the object does not exist: {code}") if absent else ModelUnavailable(f"S3 answers {code}")
    except BotoCoreError as error:
        fault = ModelUnavailable(f"S3 can't be reached: {type(error).__name__}")
    return Record(record.id, b"", "", record.origin, fault=fault)


def _score_tasks(predictor: "Predictor", records: "Sequence[Record]", event: "Any", context: "Any") -> "list[Outcome]":
    """Score the newest versions of objects until the function's deadline."""
    return _score(predictor, [*map(_newest, records)], event, context)


def _score(predictor: "Predictor", records: "Sequence[Record]", event: "Any", context: "Any") -> "list[Outcome]":
    """Score files until the function's deadline."""
    return score_files(predictor, records, monotonic() + context.get_remaining_time_in_millis() / 1000)


def _failed_messages(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """Reply with the messages of unfinished files: they come again after their visibility timeout, and continue the files."""
    return item_failures(dict.fromkeys([outcome.record.origin.get("message", outcome.record.id) for outcome in failed(outcomes)]))


def _answers(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "Any":
    """Reply with the answers. For an unfinished file the function calls itself if FLYWEIGHT_CONTINUE says so.

    :raises Exception: the first failure, if the function does not call itself; Lambda then tries the event again.
    """
    left = failed(outcomes)
    if left and settings.files().continued and all(isinstance(outcome.error, InProgress) for outcome in left):
        import boto3

        payload = json.dumps(event).encode()
        boto3.client("lambda").invoke(FunctionName=context.invoked_function_arn, InvocationType="Event", Payload=payload)
        return {"continued": [outcome.record.id for outcome in left]}
    return answers(outcomes)


def _results(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """Reply with each task's result for the report of the job: where its answers are, or why it has no answers."""
    results = [
        {"taskId": outcome.record.id, "resultCode": CODES[outcome.state], "resultString": _result(outcome)[:1000]}
        for outcome in outcomes
    ]
    invocation = {key: event[key] for key in ("invocationSchemaVersion", "invocationId")}
    return {**invocation, "treatMissingKeysAs": "TemporaryFailure", "results": results}


def _result(outcome: "Outcome") -> str:
    return str(outcome.error) if outcome.error is not None else str((outcome.answer or {})["output"])


QUEUED = Trigger("files", _messages, _failed_messages, request_id, score=_score)
NOTIFIED = Trigger("files", _notifications, _answers, request_id, answers=True, score=_score)
BATCH = Trigger("batch", _tasks, _results, request_id, score=_score_tasks)
