"""Make records of the blobs that events of Event Grid name; each is scored as a file, and comes again until it is finished.

https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
"""

import json
from urllib.parse import unquote, urlsplit

from flyweight.errors import MalformedRequest
from flyweight.files.checkpoint import is_output
from flyweight.records import Record
from flyweight.settings import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def blob_records(data: "Mapping[str, Any]", origin: "Mapping[str, Any]") -> "list[Record]":
    """Make the record of a blob. Our own output is skipped; it would trigger the function again without end.

    The record's id changes with the contents.

    :param data: of the event.
    :param origin: facts about the event, which the record keeps.
    """
    url = urlsplit(data["url"])
    path = unquote(url.path).lstrip("/")
    if is_output(path):
        return []
    return [Record(f"{path}#{data['eTag']}", b"", "", {**origin, "address": f"az://{path}"}, "", _foreign_account(url.netloc))]


def _foreign_account(host: str) -> "MalformedRequest | None":
    """Make the fault of a blob in another storage account: an az:// address names no account, the settings name the only one."""
    account, ours = host.partition(".")[0], variable("AZURE_STORAGE_ACCOUNT_NAME")
    if not ours or account.lower() == ours.lower():
        return None
    return MalformedRequest(f"the blob is in the storage account {account!r}, but this app reads {ours!r}; see docs/triggers.md")


def message_records(record: Record, created: str) -> "list[Record]":
    """Make the records of the blobs that a message names, in Event Grid's own schema or as CloudEvents.

    :param record: the message; it is returned itself if it is not such an event.
    :param created: the type of the events of created blobs.
    """
    try:
        events = json.loads(record.body)
        blobs = []
        for event in events if isinstance(events, list) else [events]:
            if (event.get("eventType") or event.get("type")) != created:
                return [record]
            blobs += blob_records(event["data"], {**record.origin, "message": record.id})
        return blobs
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return [record]
