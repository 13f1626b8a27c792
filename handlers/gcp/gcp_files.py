"""Make records of the objects that events of Cloud Storage name, and score them; an unfinished file is delivered again.

https://cloud.google.com/eventarc/docs/event-types (google.cloud.storage.object.v1.finalized)
https://cloud.google.com/storage/docs/pubsub-notifications (the attributes of a notification by Pub/Sub)
"""

from time import monotonic

from flyweight import settings
from flyweight.errors import MalformedRequest
from flyweight.files.checkpoint import is_output
from flyweight.files.records import score_files
from flyweight.records import Record
from flyweight.records.fields import fact, required

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

DEFAULT_SECONDS = 60.0  # the time of a function, if the platform does not say it
MAX_SECONDS = 540.0  # a subscription waits ten minutes for an acknowledgement; one minute is kept in reserve


def finalized_records(data: "Any") -> "list[Record]":
    """Make the record of the object that an event's data describes.

    :raises MalformedRequest: it names no bucket or no object.
    """
    return _object_records(required(data, "bucket"), required(data, "name"), data.get("generation"), data.get("timeCreated"))


def notified_records(attributes: "Mapping[str, Any]") -> "list[Record]":
    """Make the record of the object that a bucket's notification names; none if it was not written whole just now.

    :raises MalformedRequest: it names no bucket or no object.
    """
    if required(attributes, "eventType") != "OBJECT_FINALIZE":
        return []
    bucket, name = required(attributes, "bucketId"), required(attributes, "objectId")
    return _object_records(bucket, name, attributes.get("objectGeneration"), attributes.get("eventTime"))


def _object_records(bucket: str, name: str, generation: "Any", time: "Any") -> "list[Record]":
    """Make the record of an object. Skipped are our own output, which would trigger the function without end, and folders' marks.

    :param generation: it changes with the object's contents, and is a part of the record's id.
    """
    if not name or name.endswith("/") or is_output(name):
        return []
    origin = {"source": f"gs://{bucket}", "address": f"gs://{bucket}/{name}", "time": fact(time)}
    fault = None
    if bucket not in settings.event_senders().event_buckets:
        fault = MalformedRequest(f"the bucket {bucket[:100]!r} is not in FLYWEIGHT_EVENT_BUCKETS")
    return [Record(f"{name}#{fact(generation)}", b"", "", origin, "", fault)]


def score_objects(predictor: "Predictor", records: "Sequence[Record]") -> "list[Outcome]":
    """Score files until the function's time is over."""
    seconds = min(float(settings.variable("CLOUD_RUN_TIMEOUT_SECONDS") or DEFAULT_SECONDS) or MAX_SECONDS, MAX_SECONDS)
    return score_files(predictor, records, monotonic() + seconds)
