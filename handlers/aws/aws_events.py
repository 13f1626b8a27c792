"""Events from a bus or a schedule, destinations, Map batches and S3's batch jobs to records, and their replies.

Event bus: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
Destinations: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
Batches of a Map state: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
S3 Batch Operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

import json

from aws_triggers import request_id

from flyweight.errors import MalformedRequest, ModelUnavailable, TooLarge
from flyweight.outputs import json_bytes
from flyweight.records import Record, Trigger, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

MOST = 6 * 1024 * 1024  # bytes of an object that is scored as one body
KINDS = {"csv": "text/csv", "jsonl": "application/x-ndjson", "ndjson": "application/x-ndjson"}
CODES = {"scored": "Succeeded", "rejected": "PermanentFailure", "failed": "TemporaryFailure"}


def answers(outcomes: "Sequence[Outcome]", *event: "Any") -> "Any":
    """The answers in their order, problem documents among them.

    :raises Exception: what failed for now; Lambda, or the state machine, tries again.
    """
    for outcome in failed(outcomes)[:1]:
        assert outcome.error is not None
        raise outcome.error
    return json.loads(json_bytes([outcome.answer for outcome in outcomes]))


def _answer(outcomes: "Sequence[Outcome]", *event: "Any") -> "Any":
    """The one answer, or None where there was nothing to score."""
    return next(iter(answers(outcomes)), None)


def _event(event: "Any", context: "Any") -> "list[Record]":
    """The detail; a schedule without one only has the model loaded and checked."""
    if not event["detail"]:
        return []
    source = ",".join(event.get("resources") or [event["source"]])
    origin = {"source": source, "event": event["source"], "detail_type": event["detail-type"], "time": event["time"]}
    return [Record(event["id"], json.dumps(event["detail"]).encode(), "", origin)]


def _destination(event: "Any", context: "Any") -> "list[Record]":
    """What another function returned or, where it failed for good, what it had been given."""
    asked = event["requestContext"]
    done = asked["condition"] == "Success"
    payload = event["responsePayload"] if done else event["requestPayload"]
    origin = {"source": asked["functionArn"], "condition": asked["condition"], "time": event.get("timestamp")}
    return [Record(asked["requestId"], json.dumps(payload).encode(), "", origin)]


def _items(event: "Any", context: "Any") -> "list[Record]":
    """A record an item; where they are objects that hold instances each may hold many."""
    invocation = request_id(event, context)
    return [Record(f"{invocation}/{place}", json.dumps(item).encode()) for place, item in enumerate(event["Items"])]


def _tasks(event: "Any", context: "Any") -> "list[Record]":
    """A record a task, which names an object and does not hold it."""
    from urllib.parse import unquote_plus

    records = []
    for task in event["tasks"]:
        bucket, key = task.get("s3Bucket") or task["s3BucketArn"].rpartition(":")[2], unquote_plus(task["s3Key"])
        origin = {"source": f"s3://{bucket}/{key}", "version": task.get("s3VersionId"), "job": event["job"]["id"]}
        records.append(
            Record(task["taskId"], b"", KINDS.get(key.rpartition(".")[2], ""), {**origin, "bucket": bucket, "key": key})
        )
    return records


def _objects(predictor: "Predictor", records: "Sequence[Record]", *event: "Any") -> "list[Outcome]":
    """Objects no larger than a request, each scored as the body of one."""
    import boto3

    from flyweight.scoring import score

    client = boto3.client("s3")
    return score(predictor, [_filled(client, record) for record in records])


def _filled(client: "Any", record: Record) -> Record:
    from botocore.exceptions import BotoCoreError, ClientError

    origin = record.origin
    version = {"VersionId": origin["version"]} if origin["version"] else {}
    fault: Exception | None = None
    try:
        found = client.get_object(Bucket=origin["bucket"], Key=origin["key"], **version)
        if found["ContentLength"] <= MOST:
            return Record(record.id, found["Body"].read(), record.media, origin)
        fault = TooLarge(f"the object has {found['ContentLength']} bytes, as one body it may have {MOST}")
    except ClientError as error:
        word = error.response["Error"]["Code"]
        gone = word in ("NoSuchKey", "NoSuchVersion", "NoSuchBucket")
        fault = MalformedRequest(f"the object is not there: {word}") if gone else ModelUnavailable(f"S3 answers {word}")
    except BotoCoreError as error:
        fault = ModelUnavailable(f"S3 can't be reached: {type(error).__name__}")
    return Record(record.id, b"", record.media, origin, fault=fault)


def _results(outcomes: "Sequence[Outcome]", event: "Any", context: "Any") -> "dict[str, Any]":
    """What the job's report tells of each task."""
    results = [
        {"taskId": outcome.record.id, "resultCode": CODES[outcome.state], "resultString": str(outcome.error or "scored")[:1000]}
        for outcome in outcomes
    ]
    same = {key: event[key] for key in ("invocationSchemaVersion", "invocationId")}
    return {**same, "treatMissingKeysAs": "TemporaryFailure", "results": results}


EVENT = Trigger("event", _event, _answer, request_id, answers=True)
DESTINATION = Trigger("destination", _destination, _answer, request_id, answers=True)
MAP = Trigger("map", _items, answers, request_id, answers=True)
BATCH = Trigger("batch", _tasks, _results, request_id, score=_objects)
