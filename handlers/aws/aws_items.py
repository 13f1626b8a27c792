"""Name the items of an event, and make records of items that can't be read."""

from flyweight.errors import MalformedRequest
from flyweight.records import unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.records import Record

UNNAMED = "unnamed-"  # begins the id of an item that its sender gave no id


def identity(name: "Any", item: "Any") -> str:
    """Get the id that a sender gave an item; without one the id is made of the item's contents, so that it stays the same."""
    if isinstance(name, str) and name:
        return name
    return UNNAMED + unreadable(item, MalformedRequest("")).id


def unread(item: "Any", error: Exception, what: str, name: "Any" = None, source: "Any" = "", sequence: str = "") -> "Record":
    """Make the record of an item that can't be read, which is rejected alone.

    :param what: the word for an item, for the message.
    :param name: the id that the sender gave it, if it is a text.
    """
    if isinstance(error, MalformedRequest):
        error = MalformedRequest(f"the {what} can't be read: {error}")
    return unreadable(item, error, what, source, identity(name, item), sequence)
