"""Score the objects that S3's notifications, in any carrier, and S3's batch jobs name; an unfinished file is delivered again.

Notification: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html (keys are URL-encoded)
Event bus: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html (keys are not)
Batch Operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html (keys are encoded)
"""

import json
from time import monotonic

from aws_envelopes import S3_BUS, unwrapped
from aws_items import identity, unread
from aws_replies import answers, item_failures, names_of, request_id

from flyweight import settings
from flyweight.errors import MalformedRequest, ModelUnavailable, preview
from flyweight.files.checkpoint import is_output
from flyweight.files.records import score_files
from flyweight.records import InProgress, Record, Trigger, failed, records_of
from flyweight.records.fields import fact, fields, items, required, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

TEST = "s3:TestEvent"
CODES = {
    "scored": "Succeeded",
    "rejected": "PermanentFailure",
    "failed": "TemporaryFailure",
    "unfinished": "TemporaryFailure",  # the job tries the task again, which continues the file
}


def _messages(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each object that messages of a queue name; another message is a record as usual."""
    from aws_queues import message_records, unread_message, with_payloads

    def made(message: "Any") -> "list[Record]":
        notification = _notification(required(message, "body"))
        if notification is None:
            return message_records(message)
        return _objects(notification, {"message": identity(message.get("messageId"), message)})

    messages = event if isinstance(event, list) else event.get("Records", event)  # a pipe of EventBridge sends an array
    return with_payloads(records_of(items(messages), made, unread_message))


def _notifications(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each object that an event from S3, a topic or a bus names."""
    from aws_queues import notification_records, unread_notification, with_payloads

    def made(record: "Any") -> "list[Record]":
        if not isinstance(record, dict) or "Sns" not in record:
            return _objects({"Records": [record]}, {})
        notification = _notification(required(record["Sns"], "Message"))
        return notification_records(record) if notification is None else _objects(notification, {})

    if "Records" in event or "s3" in event or "Sns" in event:
        return with_payloads(records_of(items(event.get("Records", event)), made, unread_notification))
    return _objects(event, {})


def _notification(message: str) -> "dict[str, Any] | None":
    """Read S3's notification from a message, also within envelopes of topics and buses; None if the message is not from S3."""
    document, _ = unwrapped(message, "", {})
    try:
        document = json.loads(document) if isinstance(document, str) else document
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    records = document.get("Records")
    named = [fields(record).get("eventSource") for record in records] if isinstance(records, list) else []
    return document if document.get("Event") == TEST or document.get("source") == S3_BUS or "aws:s3" in named else None


def _objects(notification: "dict[str, Any]", origin: "dict[str, Any]") -> "list[Record]":
    """Make one record per created object. Our own output is skipped; it would trigger the function again without end."""
    from urllib.parse import unquote_plus

    def on_bus(event: "Any") -> "list[Record]":
        kind = required(event, "detail-type")
        if not kind.startswith("Object "):
            raise MalformedRequest(f"the field 'detail-type' should be as 'Object Created', got {preview(kind)}")
        detail = fields(event.get("detail"))
        entry = fields(detail.get("object"))
        return _object(detail.get("bucket"), entry, str, event.get("time"), origin) if kind == "Object Created" else []

    def notified(record: "Any") -> "list[Record]":
        name = required(record, "eventName")
        kind = name.removeprefix("s3:").partition(":")[0]
        if not (kind.isalpha() and kind[0].isupper()):
            raise MalformedRequest(f"the field 'eventName' should be as 'ObjectCreated:Put', got {preview(name)}")
        place = fields(record.get("s3"))
        entry = fields(place.get("object"))
        return (
            _object(place.get("bucket"), entry, unquote_plus, record.get("eventTime"), origin) if kind == "ObjectCreated" else []
        )

    def unreadable(item: "Any", error: Exception) -> Record:
        record = unread(item, error, "notification", fields(item).get("id"))
        return record._replace(origin={**record.origin, **origin})

    if notification.get("source") == S3_BUS:
        return records_of([notification], on_bus, unreadable)
    return records_of(items(notification.get("Records", [])), notified, unreadable)


def _object(
    bucket: "Any", entry: "dict[str, Any]", decode: "Callable[[str], str]", time: "Any", origin: "dict[str, Any]"
) -> "list[Record]":
    """Make the record of an object; none for our own output, and for the empty object that stands for a folder.

    :param bucket: an object with the bucket's name.
    :param decode: makes the key of the text in the notification.
    :raises MalformedRequest: the bucket has no name, or the object no key.
    """
    bucket, key = required(bucket, "name"), decode(required(entry, "key"))
    if is_output(key) or key.endswith("/"):
        return []
    version = text(entry.get("sequencer")) or text(entry.get("eTag")) or text(entry.get("etag"))
    facts = {"source": f"s3://{bucket}", "address": f"s3://{bucket}/{key}", "time": fact(time)}
    return [Record(f"{key}#{version}", b"", "", {**facts, **origin})]


def _tasks(event: "Any", context: "Any") -> "list[Record]":
    """Make a record of each task of a batch job. Our own output is refused; the list of a job may well contain it."""
    job = fact(fields(event.get("job")).get("id"))
    unreadable = lambda item, error: unread(item, error, "task", fields(item).get("taskId"))  # noqa: E731
    return records_of(items(event.get("tasks")), lambda task: _task(task, job), unreadable)


def _task(task: "Any", job: "Any") -> "list[Record]":
    """Make the record of one task.

    :raises MalformedRequest: the task has no key, or names no bucket.
    """
    from urllib.parse import unquote_plus

    key = unquote_plus(required(task, "s3Key"))
    bucket = text(task.get("s3Bucket")) or required(task, "s3BucketArn").rpartition(":")[2]
    origin = {"source": f"s3://{bucket}", "address": f"s3://{bucket}/{key}", "job": job}
    version = text(task.get("s3VersionId"))
    if version:
        origin["version"] = version
    fault = MalformedRequest(f"{key[-200:]!r} was written when a file was scored") if is_output(key) else None
    return [Record(identity(task.get("taskId"), task), b"", "", origin, fault=fault)]


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
    return item_failures(names_of(failed(outcomes)))


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
    invocation = {key: event.get(key) for key in ("invocationSchemaVersion", "invocationId")}
    return {**invocation, "treatMissingKeysAs": "TemporaryFailure", "results": results}


def _result(outcome: "Outcome") -> str:
    return str(outcome.error) if outcome.error is not None else str((outcome.answer or {})["output"])


QUEUED = Trigger("files", _messages, _failed_messages, request_id, score=_score)
NOTIFIED = Trigger("files", _notifications, _answers, request_id, answers=True, score=_score)
BATCH = Trigger("batch", _tasks, _results, request_id, score=_score_tasks)
