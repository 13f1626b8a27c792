"""Objects that were finalised to records that name them; their bytes are in the bucket, to be scored as a stream.

https://cloud.google.com/eventarc/docs/event-types (google.cloud.storage.object.v1.finalized)
"""

import json

from gcp_events import answered, events, request_id

from flyweight.errors import UnsupportedMediaType
from flyweight.records import Record, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _objects(sent: "Any", context: "Any" = None) -> "list[Record]":
    """A record an object, whose id changes with its contents."""
    return [_object(json.loads(data) if isinstance(data, (bytes, str)) else data) for _, data in events(sent, context)]


def _object(told: "dict[str, Any]") -> Record:
    bucket, name, generation = told["bucket"], told["name"], str(told["generation"])
    address = f"gs://{bucket}/{name}"
    origin = {"source": f"gs://{bucket}", "address": address, "generation": generation, "time": told.get("timeCreated")}
    fault = UnsupportedMediaType(f"{address} landed, and files are not scored by this deployment")
    return Record(f"{name}#{generation}", b"", told.get("contentType") or "", origin, "", fault)


OBJECT = Trigger("object", _objects, answered, request_id)
