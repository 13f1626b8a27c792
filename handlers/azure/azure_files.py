"""Make records of the blobs that events of Event Grid name; each is scored as a file, and comes again until it is finished.

https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
"""

from urllib.parse import unquote, urlsplit

from flyweight.errors import MalformedRequest
from flyweight.files.checkpoint import is_output
from flyweight.records import Record
from flyweight.records.fields import fact, required
from flyweight.settings import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def blob_records(data: "Any", origin: "Mapping[str, Any]") -> "list[Record]":
    """Make the record of a blob. Skipped are our own output, which would trigger the function without end, and folders' marks.

    The record's id changes with the contents.

    :param data: of the event.
    :param origin: facts about the event, which the record keeps.
    :raises MalformedRequest: the data names no blob.
    """
    text = required(data, "url")
    try:
        url = urlsplit(text)
    except ValueError as error:
        raise MalformedRequest(f"the field 'url' is no address: {error}") from None
    path = unquote(url.path).removeprefix("/")
    if path.endswith("/") or is_output(path):
        return []
    fault = None if path else MalformedRequest(f"the field 'url' names no blob: {text[:200]!r}")
    identity, address = f"{path}#{fact(data.get('eTag'))}", f"az://{path}"
    return [Record(identity, b"", "", {**origin, "address": address}, "", fault or _foreign(url.netloc))]


def _foreign(host: str) -> "MalformedRequest | None":
    """Make the fault of a blob in another storage account: an az:// address names no account, the settings name the only one."""
    account, ours = host.partition(".")[0], variable("AZURE_STORAGE_ACCOUNT_NAME")
    if not ours or account.lower() == ours.lower():
        return None
    return MalformedRequest(f"the blob is in the storage account {account!r}, but this app reads {ours!r}; see docs/triggers.md")
