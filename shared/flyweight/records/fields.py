"""Read the fields of an event's items; any of them may be absent or of another type than its sender documents."""

from flyweight.errors import MalformedRequest, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def text(value: "Any") -> str:
    """Get a text; "" for anything else."""
    return value if isinstance(value, str) else ""


def fact(value: "Any") -> "Any":
    """Get a text, a number, true or false, which fit into a record's origin; None for anything else."""
    return value if isinstance(value, (str, int, float)) else None


def fields(value: "Any") -> "dict[str, Any]":
    """Get an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: "Any") -> "list[Any]":
    """Get a list; anything else is a list of itself, so that it is refused as an item."""
    return value if isinstance(value, list) else [value]


def required(item: "Any", name: str) -> str:
    """Get the text of a field without which an item can't be scored.

    :raises MalformedRequest: the item is no object, or the field is absent or no text.
    """
    if not isinstance(item, dict):
        raise MalformedRequest(f"expected an object with the field {name!r}, got {preview(item)}")
    if name not in item:
        raise MalformedRequest(f"the field {name!r} is missing")
    if not isinstance(item[name], str):
        raise MalformedRequest(f"the field {name!r} should be a text, got {preview(item[name])}")
    value: str = item[name]
    return value


def decoded(data: "Any", name: str) -> bytes:
    """Decode base64 that an event holds; None and "" are no bytes.

    :param name: of the field, for the message.
    :raises MalformedRequest: the value is no text, or not base64.
    """
    if data is None or data == "":
        return b""
    if not isinstance(data, str):
        raise MalformedRequest(f"the field {name!r} should be base64, got {preview(data)}")
    from binascii import a2b_base64

    try:
        return a2b_base64(data, strict_mode=True)
    except ValueError as error:
        raise MalformedRequest(f"the field {name!r} is not base64: {error}") from None
