"""S3's notifications, whatever carried them, and its batch jobs to records that name objects; what is not done comes again.

Notification: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html (keys are URL-encoded)
Event bus: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html (keys are not)
Batch Operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html (keys are encoded)
"""

import json
from time import monotonic

from aws_triggers import request_id

from flyweight import settings
from flyweight.errors import MalformedRequest, ModelUnavailable
from flyweight.files.checkpoint import is_ours
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
    "unfinished": "TemporaryFailure",  # the job tries the task again, and the file goes on
}


def _messages(event: "Any", context: "Any") -> "list[Record]":
    """The objects that messages of a queue tell of; a message that tells of none is a record as elsewhere."""
    from aws_queues import SQS

    records: list[Record] = []
    for message in event["Records"]:
        told = _told(message["body"])
        records += (
            SQS.records({"Records": [message]}, context) if told is None else _objects(told, {"message": message["messageId"]})
        )
    return records


def _notifications(event: "Any", context: "Any") -> "list[Record]":
    """The objects that one event tells of, be it from S3, from a topic or from a bus."""
    records: list[Record] = []
    for record in event.get("Records", []):
        told = _told(record["Sns"]["Message"]) if "Sns" in record else {"Records": [record]}
        if told is None:
            from aws_queues import SNS

            records += SNS.records({"Records": [record]}, context)
        else:
            records += _objects(told, {})
    return [*records, *_objects({**event, "Records": []}, {})]


def _told(text: str) -> "dict[str, Any] | None":
    """What S3 says in a message, through a topic or not; None where it is not from S3."""
    try:
        told = json.loads(text)
        if told.get("Type") == "Notification":
            told = json.loads(told["Message"])
        from_s3 = (
            told.get("Event") == "s3:TestEvent"
            or told.get("source") == "aws.s3"
            or any(record["eventSource"] == "aws:s3" for record in told["Records"])
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None
    return told if from_s3 else None


def _objects(told: "dict[str, Any]", origin: "dict[str, Any]") -> "Iterator[Record]":
    """The objects that were created, but for what is written here: that would never end."""
    from urllib.parse import unquote_plus

    if told.get("detail-type") == "Object Created":
        detail = told["detail"]
        yield from _object(detail["bucket"]["name"], detail["object"]["key"], detail["object"], told["time"], origin)
    for record in told.get("Records", []):
        if record["eventName"].removeprefix("s3:").startswith("ObjectCreated:"):
            entry = record["s3"]["object"]
            yield from _object(record["s3"]["bucket"]["name"], unquote_plus(entry["key"]), entry, record["eventTime"], origin)


def _object(bucket: str, key: str, entry: "dict[str, Any]", time: str, origin: "dict[str, Any]") -> "Iterator[Record]":
    if is_ours(key):
        return
    version = entry.get("sequencer") or entry.get("eTag") or entry.get("etag") or ""
    named = {"source": f"s3://{bucket}", "address": f"s3://{bucket}/{key}", "time": time}
    yield Record(f"{key}#{version}", b"", "", {**named, **origin})


def _tasks(event: "Any", context: "Any") -> "list[Record]":
    """A record a task; what is written here is refused, since a job's list may well have it."""
    from urllib.parse import unquote_plus

    records = []
    for task in event["tasks"]:
        bucket, key = task.get("s3Bucket") or task["s3BucketArn"].rpartition(":")[2], unquote_plus(task["s3Key"])
        origin = {"source": f"s3://{bucket}", "address": f"s3://{bucket}/{key}", "job": event["job"]["id"]}
        version = task.get("s3VersionId")
        if version:
            origin["version"] = version
        fault = MalformedRequest(f"{key[-200:]!r} is what was written for a file") if is_ours(key) else None
        records.append(Record(task["taskId"], b"", "", origin, fault=fault))
    return records


def _current(record: Record) -> Record:
    """The record, at fault where its task names a version of an object that has a newer one: stores know the newest only."""
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
        word = error.response["Error"]["Code"]
        gone = word in ("404", "NoSuchKey", "NoSuchBucket")
        fault = MalformedRequest(f"the object is not there: {word}") if gone else ModelUnavailable(f"S3 answers {word}")
    except BotoCoreError as error:
        fault = ModelUnavailable(f"S3 can't be reached: {type(error).__name__}")
    return Record(record.id, b"", "", record.origin, fault=fault)


def _done(predictor: "Predictor", records: "Sequence[Record]", event: "Any", context: "Any") -> "list[Outcome]":
    return _scored(predictor, [*map(_current, records)], event, context)


def _scored(predictor: "Predictor", records: "Sequence[Record]", event: "Any", context: "Any") -> "list[Outcome]":
    return score_files(predictor, records, monotonic() + context.get_remaining_time_in_millis() / 1000)


def _batch_item_failures(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """The messages of files that are not done: they come again when their visibility timeout ends, and the files go on."""
    again = dict.fromkeys([outcome.record.origin.get("message", outcome.record.id) for outcome in failed(outcomes)])
    return {"batchItemFailures": [{"itemIdentifier": message} for message in again]}


def _answers(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "Any":
    """What is told of each file; where one is not done the function is called again, or fails, and Lambda tries it again."""
    from aws_events import answers

    left = failed(outcomes)
    if left and settings.files().continued and all(isinstance(outcome.error, InProgress) for outcome in left):
        import boto3

        payload = json.dumps(event).encode()
        boto3.client("lambda").invoke(FunctionName=context.invoked_function_arn, InvocationType="Event", Payload=payload)
        return {"continued": [outcome.record.id for outcome in left]}
    return answers(outcomes)


def _results(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """What the job's report tells of each task: where its answers are, or why there are none."""
    results = [
        {"taskId": outcome.record.id, "resultCode": CODES[outcome.state], "resultString": _result(outcome)[:1000]}
        for outcome in outcomes
    ]
    same = {key: event[key] for key in ("invocationSchemaVersion", "invocationId")}
    return {**same, "treatMissingKeysAs": "TemporaryFailure", "results": results}


def _result(outcome: "Outcome") -> str:
    return str(outcome.error) if outcome.error is not None else str((outcome.answer or {})["output"])


QUEUED = Trigger("files", _messages, _batch_item_failures, request_id, score=_scored)
NOTIFIED = Trigger("files", _notifications, _answers, request_id, answers=True, score=_scored)
BATCH = Trigger("batch", _tasks, _results, request_id, score=_done)
