"""Write values as JSON that Python's encoder does not write as AWS's client does. Imported by the first such value only."""

import sys

from aws_client_json import as_dict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def converted(part: "Any", marks: "list[str]") -> "Any":
    """Convert a part that JSON has no form for; a number in `marks` is a text that later loses its quotes.

    :raises TypeError: nothing is known about its type.
    """
    if isinstance(part, bytes):
        return part.decode()
    method = as_dict(part)
    if method is not None:
        return _checked(method())
    numbers = sys.modules.get("decimal")
    if numbers is not None and isinstance(part, numbers.Decimal):
        if part.is_nan():
            return float("nan")
        if not marks:
            from posix import urandom  # a text that no caller can know

            marks.append(urandom(16).hex())
        return f"{marks[0]}{part}{marks[0]}"
    raise TypeError(f"Object of type {type(part).__name__} is not JSON serializable")


def _checked(value: "Any") -> "Any":
    if not isinstance(value, dict):
        raise TypeError(f"_asdict() must return a dict, not {type(value).__name__}")
    return value


def as_objects(value: "Any", above: "tuple[int, ...]" = ()) -> "Any":
    """Copy a value with objects in place of named tuples, and texts in place of keys of bytes.

    :raises ValueError: the value contains itself.
    """
    if not isinstance(value, (tuple, list, dict)):
        return value
    if id(value) in above:
        raise ValueError("Circular reference detected")
    above = (*above, id(value))
    method = as_dict(value)
    if method is not None:
        value = _checked(method())
    if isinstance(value, dict):
        return _Pairs((key.decode() if isinstance(key, bytes) else key, as_objects(item, above)) for key, item in value.items())
    return [as_objects(item, above) for item in value]


class _Pairs(dict):  # type: ignore[type-arg]
    """An object's pairs in order; a key may occur twice, once as bytes and once as text."""

    def __init__(self, pairs: "Any") -> None:
        self._pairs = [*pairs]
        super().__init__(self._pairs)

    def items(self) -> "Any":
        """Return the pairs."""
        return self._pairs
