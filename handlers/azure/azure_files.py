"""Blobs that were created to records that name them; each is scored as a stream, and comes again until it is done.

https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
"""

import json
from time import monotonic
from urllib.parse import unquote, urlsplit

from flyweight.errors import MalformedRequest
from flyweight.files.checkpoint import is_ours
from flyweight.files.records import score_files
from flyweight.records import Record
from flyweight.records.scoring import score
from flyweight.settings import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.records import Outcome


def blob(data: "Mapping[str, Any]", origin: "Mapping[str, Any]") -> "list[Record]":
    """A record of a blob, whose id changes with its contents; none of what is written here: that would never end."""
    url = urlsplit(data["url"])
    path = unquote(url.path).lstrip("/")
    if is_ours(path):
        return []
    return [Record(f"{path}#{data['eTag']}", b"", "", {**origin, "address": f"az://{path}"}, "", _elsewhere(url.netloc))]


def _elsewhere(host: str) -> "MalformedRequest | None":
    """What is wrong with a blob of another account: an address names no account, and what is read is that of the settings."""
    told, ours = host.partition(".")[0], variable("AZURE_STORAGE_ACCOUNT_NAME")
    if not ours or told.lower() == ours.lower():
        return None
    return MalformedRequest(f"the blob lies in the storage account {told!r}, and this app reads {ours!r}: see docs/triggers.md")


def told(record: Record, created: str) -> "list[Record]":
    """The blobs that a message tells of, in Event Grid's own schema or CloudEvents'; the record itself where it tells of none."""
    try:
        events = json.loads(record.body)
        blobs = []
        for event in events if isinstance(events, list) else [events]:
            if (event.get("eventType") or event.get("type")) != created:
                return [record]
            blobs += blob(event["data"], {**record.origin, "message": record.id})
        return blobs
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return [record]


def scored(predictor: "Predictor", records: "Sequence[Record]", seconds: float) -> "list[Outcome]":
    """The outcomes in the order of the records: of all bodies by one predict, then of files until the time is over."""
    deadline = monotonic() + seconds
    bodies = [record for record in records if "address" not in record.origin]
    files = [record for record in records if "address" in record.origin]
    outcomes = iter(score(predictor, bodies)), iter(score_files(predictor, files, deadline))
    return [next(outcomes["address" in record.origin]) for record in records]
