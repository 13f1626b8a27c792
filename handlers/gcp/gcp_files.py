"""Score the objects that events of Cloud Storage name; an unfinished file is delivered again.

https://cloud.google.com/eventarc/docs/event-types (google.cloud.storage.object.v1.finalized)
https://cloud.google.com/storage/docs/pubsub-notifications (the attributes of a notification by Pub/Sub)
"""

from time import monotonic

from gcp_cloudevents import answered, data_of, events, request_id

from flyweight import settings
from flyweight.files.checkpoint import is_output
from flyweight.files.records import score_files
from flyweight.records import Record, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

DEFAULT_SECONDS = 60.0  # the time of a function, if the platform does not say it
MAX_SECONDS = 540.0  # a subscription waits ten minutes for an acknowledgement; one minute is kept in reserve


def object_records(bucket: str, name: str, generation: "Any", time: "str | None") -> "list[Record]":
    """Make the record of an object. Our own output is skipped; it would trigger the function again without end.

    :param generation: it changes with the object's contents, and is a part of the record's id.
    """
    origin = {"source": f"gs://{bucket}", "address": f"gs://{bucket}/{name}", "time": time}
    return [] if is_output(name) else [Record(f"{name}#{generation}", b"", "", origin)]


def score_objects(predictor: "Predictor", records: "Sequence[Record]", *event: "Any") -> "list[Outcome]":
    """Score files until the function's time is over."""
    seconds = min(float(settings.variable("CLOUD_RUN_TIMEOUT_SECONDS") or DEFAULT_SECONDS) or MAX_SECONDS, MAX_SECONDS)
    return score_files(predictor, records, monotonic() + seconds)


def _objects(sent: "Any", context: "Any" = None) -> "list[Record]":
    """Make the records of the objects that events name."""
    created = [data_of(data) for _, data in events(sent, context)]
    return [
        record
        for data in created
        for record in object_records(data["bucket"], data["name"], data["generation"], data.get("timeCreated"))
    ]


OBJECT = Trigger("object", _objects, answered, request_id, score=score_objects)
