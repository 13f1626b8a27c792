"""Parse and write strict JSON: no NaN or Infinity, no duplicate keys, no nesting that exhausts the stack.

Every text is hostile: a request's body, a model file's header, a record in a store. https://www.rfc-editor.org/rfc/rfc8259
"""

import json
from math import isfinite
from os import urandom

from flyweight.errors import preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class NotStrictJSON(ValueError):
    """A text is not strict JSON; the message continues a sentence that names the text ("the body" + " is not JSON: ...")."""


def parse(text: "str | bytes") -> "Any":
    """Parse one JSON document.

    :param text: the document; bytes are decoded as UTF-8.
    :raises NotStrictJSON: syntax (with line and column), a duplicate key, NaN, too deep nesting, or too many digits.
    """
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode())
    except NotStrictJSON:
        raise
    except json.JSONDecodeError as error:
        raise NotStrictJSON(f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise NotStrictJSON(f"is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}") from None
    except RecursionError:
        raise NotStrictJSON("is nested too deeply") from None
    except ValueError:  # int() refuses more digits than `sys.get_int_max_str_digits`
        raise NotStrictJSON("holds a number of too many digits") from None


def parse_all(texts: "list[bytes]") -> "list[Any] | None":
    """Parse many documents by one call of the parser.

    A secret string separates each two documents. Senders can't know it, so brackets opened in one text and closed in another
    are detected.

    :param texts: at least one document, in UTF-8.
    :returns: the documents in the same order; None if one of them is not strict JSON.
    """
    separator = urandom(16).hex()
    try:
        values = _DECODER.decode("[" + f',"{separator}",'.encode().join(texts).decode() + "]")
    except (ValueError, RecursionError):
        return None
    whole = type(values) is list and len(values) == 2 * len(texts) - 1 and values[1::2] == [separator] * (len(texts) - 1)
    return values[::2] if whole else None


def encode(value: "Any") -> bytes:
    """Write a value as compact JSON in UTF-8; a number that is not finite becomes null."""
    try:
        text = _dumps(value)
    except ValueError:
        text = _dumps(_finite(value))
    # JSON's \u can hold a lone surrogate, which is not a character: UTF-8 has no bytes for it, and some runtimes crash on it.
    return text.encode("utf-8", "replace")


def _unique(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    """Make an object of its pairs.

    :raises NotStrictJSON: two pairs have the same key.
    """
    unique = dict(pairs)
    if len(unique) != len(pairs):
        keys: set[str] = set()
        for key, _ in pairs:
            if key in keys:
                raise NotStrictJSON(f"has the key {preview(key)} twice in one object")
            keys.add(key)
    return unique


def _no_constant(token: str) -> None:
    """Refuse NaN, Infinity and -Infinity.

    :raises NotStrictJSON: always.
    """
    raise NotStrictJSON(f"holds {token}, which is not JSON; send null for a missing value")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _make_dumps() -> "Callable[[Any], str]":
    """Make one encoder for all calls: `JSONEncoder.encode` makes its C half anew each time, at a third of an answer's cost."""
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        # as `JSONEncoder.iterencode` does in CPython 3.11 to 3.14; a Python that changes this uses the public method below
        chunks = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
            None, encoder.default, json.encoder.encode_basestring, None, ":", ",", False, False, False
        )
        return lambda value: "".join(chunks(value, 0))
    except (AttributeError, TypeError):
        return encoder.encode


_dumps = _make_dumps()


def _finite(value: "Any") -> "Any":
    """Copy a value with null in place of numbers that are not finite."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
