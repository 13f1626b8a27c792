"""Read the bodies that the extended clients of SQS and SNS left in S3; the message holds the bucket and the key only.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-managing-large-messages.html
https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html
The role of the function says which buckets may be read. The objects stay: the extended client's own receiver would delete them.
"""

import json

from flyweight import settings
from flyweight.errors import MalformedRequest, ModelUnavailable, NotDone, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.records import Record

CLASSES = ("software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer")
POINTERS = tuple([f'["{name}"'.encode() for name in CLASSES])
AT_ONCE = 4  # objects that are read at the same time
BODIES = 4  # of the largest size that are held in memory; the messages after them are left for the next delivery


def fetched(records: "list[Record]") -> "list[Record]":
    """Replace each body that is a pointer by the object that it points to; a body that can't be had is the record's fault."""
    limit = int(settings.variable("FLYWEIGHT_MAX_BODY_BYTES") or settings.Limits().max_body_bytes)
    places = [place for place, record in enumerate(records) if record.body.startswith(POINTERS)]
    whole, held = [*records], 0
    client = _client()
    for begin in range(0, len(places), AT_ONCE):
        part = places[begin : begin + AT_ONCE]
        if held > BODIES * limit:
            later = NotDone("the bodies of the messages before it fill the memory; it is read when it is delivered again")
            bodies: list[Any] = [later] * len(part)
        else:
            bodies = _read_all(client, [records[place].body for place in part], limit)
        for place, body in zip(part, bodies, strict=True):
            fault = body if isinstance(body, Exception) else None
            whole[place] = records[place]._replace(**({"fault": fault} if fault else {"body": body}))
            held += 0 if fault else len(body)
    return whole


def _client() -> "Any":
    """Make the client; if none exists, the error for which no body can be read now."""
    try:
        import boto3
        from botocore.config import Config

        retries: Any = {"mode": "standard", "total_max_attempts": 3}
        config = Config(retries=retries, connect_timeout=2, read_timeout=10, max_pool_connections=AT_ONCE)
        return boto3.client("s3", config=config)
    except Exception as error:  # boto3 is absent, or its own settings are wrong
        return ModelUnavailable(f"the message points to an object in S3, and boto3 can't be used: {type(error).__name__}")


def _read_all(client: "Any", pointers: "list[bytes]", limit: int) -> "list[bytes | Exception]":
    if isinstance(client, Exception):
        return [client] * len(pointers)
    if len(pointers) == 1:
        return [_read(client, pointers[0], limit)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [*pool.map(lambda pointer: _read(client, pointer, limit), pointers)]


def _read(client: "Any", pointer: bytes, limit: int) -> "bytes | Exception":
    """Read the object that a pointer names.

    :returns: its bytes, or why they can't be had: an error of the sender, or one that may pass.
    """
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    try:
        _, place = json.loads(pointer)
        bucket, key = place["s3BucketName"], place["s3Key"]
        found = client.get_object(Bucket=bucket, Key=key)
        if found["ContentLength"] > limit:
            return TooLarge(f"the body in S3 has {found['ContentLength']} bytes, the limit is {limit}")
        data: bytes = found["Body"].read()
        return data
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("404", "NoSuchKey", "NoSuchBucket", "InvalidBucketName", "KeyTooLongError"):
            return MalformedRequest(f"the message points to an object in S3 that does not exist: {code}")
        return ModelUnavailable(f"the message points to an object in S3 that can't be read: {code}")
    except (ParamValidationError, TypeError, ValueError, KeyError, RecursionError):
        return MalformedRequest("the message points to an object in S3, but names no bucket or no key")
    except (BotoCoreError, OSError) as error:
        return ModelUnavailable(f"the message points to an object in S3, which can't be reached: {type(error).__name__}")
