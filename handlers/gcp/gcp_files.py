"""Objects that were finalised to records that name them; each is scored as a stream, and comes again until it is done.

https://cloud.google.com/eventarc/docs/event-types (google.cloud.storage.object.v1.finalized)
https://cloud.google.com/storage/docs/pubsub-notifications (the attributes of a notification by Pub/Sub)
"""

import json
from time import monotonic

from gcp_events import answered, events, request_id

from flyweight import settings
from flyweight.files.checkpoint import is_ours
from flyweight.files.records import score_files
from flyweight.records import Record, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome

SECONDS = 60.0  # a function's time where the platform does not tell it
MOST = 540.0  # what a subscription waits for an acknowledgement at most, and some to spare


def _objects(sent: "Any", context: "Any" = None) -> "list[Record]":
    told = [json.loads(data) if isinstance(data, (bytes, str)) else data for _, data in events(sent, context)]
    return [record for one in told for record in landed(one["bucket"], one["name"], one["generation"], one.get("timeCreated"))]


def landed(bucket: str, name: str, generation: "Any", time: "str | None") -> "list[Record]":
    """A record of an object, whose id changes with its contents; none of what is written here: that would never end."""
    origin = {"source": f"gs://{bucket}", "address": f"gs://{bucket}/{name}", "time": time}
    return [] if is_ours(name) else [Record(f"{name}#{generation}", b"", "", origin)]


def scored(predictor: "Predictor", records: "Sequence[Record]", *event: "Any") -> "list[Outcome]":
    """The outcomes of files, as far as the function's time goes."""
    seconds = min(float(settings.variable("CLOUD_RUN_TIMEOUT_SECONDS") or SECONDS) or MOST, MOST)
    return score_files(predictor, records, monotonic() + seconds)


OBJECT = Trigger("object", _objects, answered, request_id, score=scored)
