"""Read and write JSON as AWS's own client does, by the two functions in C on which Python's `json` package rests.

The package itself imports `re`, which would take longer than the rest of this client. `_json` has had these names and arguments
from CPython 3.11 to 3.14; where a trial shows that they changed, the package is used.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WHITE = " \t\n\r"
PLAIN = frozenset((str, int, float, bool, type(None)))


def _no_constant(token: str) -> None:
    """Refuse NaN, Infinity and -Infinity, as AWS's client does.

    :raises ValueError: always.
    """
    raise ValueError(f"{token} is not JSON")


Namespace: "Any" = type(sys.implementation)  # types.SimpleNamespace: to make a class takes longer than to parse an event
RULES = Namespace(  # what the scanner asks of its decoder
    strict=True, object_hook=None, object_pairs_hook=None, parse_float=float, parse_int=int, parse_constant=_no_constant
)


def read(body: bytes) -> "Any":
    """Parse an event.

    :raises ValueError: it is not JSON in UTF-8; the message is Python's own.
    :raises RecursionError: it is nested too deeply.
    """
    text = body.decode().removeprefix("\ufeff")
    if _scan is None:
        return _by_package(text)
    try:
        value, end = _scan(text, len(text) - len(text.lstrip(WHITE)))
    except (
        StopIteration,
        SystemError,
    ):  # on Python 3.11 the scanner fails where `json.decoder`, with its error, was not imported
        return _by_package(text)
    return value if end == len(text) or not text[end:].strip(WHITE) else _by_package(text)


def _by_package(text: str) -> "Any":
    """Parse by the `json` package, whose errors name line and column."""
    import json

    return json.loads(text, parse_constant=_no_constant)


def write(value: "Any", only_ascii: bool) -> str:
    """Write a value as JSON: numbers of type Decimal with all their digits, named tuples as objects, bytes as text.

    :param only_ascii: whether other characters are escaped.
    :raises TypeError: a part of the value has no form in JSON.
    :raises ValueError: the value contains itself, or bytes that are not UTF-8.
    :raises RecursionError: it is nested too deeply.
    """
    marks: list[str] = []

    def other(part: "Any") -> "Any":
        from aws_client_objects import converted

        return converted(part, marks)

    if _has_objects(value):
        from aws_client_objects import as_objects

        value = as_objects(value)
    try:
        text = _encoder(only_ascii)(value, other)
    except TypeError as error:
        words, separator, name = str(error).partition(", not ")
        if not words.startswith("keys must be"):
            raise
        raise TypeError(f"{words}{separator}{name.rpartition('.')[2]}") from None  # the class without its module
    if marks:
        text = text.replace(f'"{marks[0]}', "").replace(f'{marks[0]}"', "")
    return text


def as_dict(part: "Any") -> "Callable[[], Any] | None":
    """Return the method by which named tuples become objects, if a value has one."""
    method = None if isinstance(part, type) else getattr(part, "_asdict", None)
    return method if callable(method) else None


def _has_objects(value: "Any") -> bool:
    """Tell whether a value holds a named tuple, or bytes as a key, which the encoder in C does not write as AWS's client does."""
    if type(value) in PLAIN:
        return False
    waiting, seen = [value], set()
    while waiting:
        part = waiting.pop()
        kind = type(part)
        if kind is not list and kind is not dict and kind is not tuple:
            if not isinstance(part, (tuple, list, dict)):
                continue
            if as_dict(part) is not None:
                return True
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            if bytes in map(type, part):
                return True
            waiting += [item for item in part.values() if type(item) not in PLAIN]
        else:
            waiting += [item for item in part if type(item) not in PLAIN]
    return False


def _encoder(only_ascii: bool) -> "Callable[[Any, Callable[[Any], Any]], str]":
    """Return what writes a value, given a function for the parts that it does not know."""
    if _encoders is None:
        return lambda value, other: _written_by_package(value, other, only_ascii)
    make, escape = _encoders[0], _encoders[2 if only_ascii else 1]
    return lambda value, other: "".join(make({}, other, escape, None, ": ", ", ", False, False, True)(value, 0))


def _written_by_package(value: "Any", other: "Callable[[Any], Any]", only_ascii: bool) -> str:
    import json

    return json.dumps(value, default=other, ensure_ascii=only_ascii)


def _functions() -> "tuple[Any, Any]":
    """Return the scanner and the parts of the encoder if they do in a trial what this module expects, else None for each."""
    try:
        from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner

        scan = make_scanner(RULES)
        parts = make_encoder({}, str, encode_basestring, None, ": ", ", ", False, False, True)({"é": [1, (2.5, None)]}, 0)
        if scan(' {"a": [1, 2.5]}', 1) == ({"a": [1, 2.5]}, 16) and "".join(parts) == '{"é": [1, [2.5, null]]}':
            return scan, (make_encoder, encode_basestring, encode_basestring_ascii)
    except (ImportError, TypeError, ValueError, AttributeError):
        pass
    return None, None


_scan, _encoders = _functions()
