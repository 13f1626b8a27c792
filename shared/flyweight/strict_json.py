"""Parse and write strict JSON: no NaN or Infinity, no duplicate keys, no nesting that exhausts the stack.

Every text is hostile: a request's body, a model file's header, a record in a store. https://www.rfc-editor.org/rfc/rfc8259

Both directions use the functions in C on which Python's `json` package rests. The package itself imports `re`, which takes as
long as all modules of the core, so that only errors and unknown Pythons import it.
"""

import sys
from math import isfinite

from flyweight.errors import preview

try:
    from posix import urandom
except ImportError:  # Windows
    from os import urandom

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


WHITE = " \t\n\r"
MOST_DEPTH = 1000  # in WebAssembly, whose stack holds some thousand levels: one too many ends the process, without RecursionError
# what the scanner raises where no value is; on Python 3.11 it fails if `json.decoder`, which has its error, was not imported
NO_VALUE = (StopIteration, SystemError)


class NotStrictJSON(ValueError):
    """A text is not strict JSON; the message continues a sentence that names the text ("the body" + " is not JSON: ...")."""


def parse(text: "str | bytes") -> "Any":
    """Parse one JSON document.

    :param text: the document; bytes are decoded as UTF-8.
    :raises NotStrictJSON: syntax (with line and column), a duplicate key, NaN, too deep nesting, or too many digits.
    """
    try:
        return _document(text if isinstance(text, str) else text.decode())
    except NotStrictJSON:
        raise
    except UnicodeDecodeError as error:
        raise NotStrictJSON(f"is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}") from None
    except RecursionError:
        raise NotStrictJSON("is nested too deeply") from None
    except ValueError as error:
        if hasattr(error, "lineno"):  # json.JSONDecodeError, named without an import of `json`
            raise NotStrictJSON(f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None  # type: ignore[attr-defined]
        # int() refuses more digits than `sys.get_int_max_str_digits`
        raise NotStrictJSON("holds a number of too many digits") from None


def parse_sequence(text: str, most: int) -> "tuple[list[Any], list[int]]":
    """Parse documents that follow each other with white space or nothing between them, as stream buffers join them.

    :param most: the number of documents after which parsing stops.
    :returns: the documents, and for each the number of the line on which it begins, from 1.
    :raises NotStrictJSON: one of them is not strict JSON.
    """
    documents: list[Any] = []
    lines: list[int] = []
    place, line, end = 0, 1, len(text)
    try:
        while True:
            begin = place
            while place < end and text[place] in " \t\r\n":
                place += 1
            line += text.count("\n", begin, place)
            if place == end or len(documents) == most:
                return documents, lines
            begin = place
            document, place = scan(text, place)
            documents.append(document)
            lines.append(line)
            line += text.count("\n", begin, place)
    except NotStrictJSON:
        raise
    except (ValueError, RecursionError, *NO_VALUE):
        raise NotStrictJSON(f"is not JSON from line {line} on") from None


def parse_all(texts: "list[bytes]") -> "list[Any] | None":
    """Parse many documents by one call of the parser.

    A secret string separates each two documents. Senders can't know it, so brackets opened in one text and closed in another
    are detected.

    :param texts: at least one document, in UTF-8.
    :returns: the documents in the same order; None if one of them is not strict JSON.
    """
    separator = urandom(16).hex()
    try:
        values = _document("[" + f',"{separator}",'.encode().join(texts).decode() + "]")
    except (ValueError, RecursionError):
        return None
    whole = type(values) is list and len(values) == 2 * len(texts) - 1 and values[1::2] == [separator] * (len(texts) - 1)
    return values[::2] if whole else None


def encode(value: "Any") -> bytes:
    """Write a value as compact JSON in UTF-8; a number that is not finite becomes null."""
    try:
        text = dumps(value)
    except ValueError:
        text = dumps(_finite(value))
    # JSON's \u can hold a lone surrogate, which is not a character: UTF-8 has no bytes for it, and some runtimes crash on it.
    return text.encode("utf-8", "replace")


def unique(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    """Make an object of its pairs.

    :raises NotStrictJSON: two pairs have the same key.
    """
    unique = dict(pairs)
    if len(unique) != len(pairs):
        for key, _ in pairs:
            if key not in unique:
                raise NotStrictJSON(f"has the key {preview(key)} twice in one object")
            del unique[key]
    return unique


def _no_constant(token: str) -> None:
    """Refuse NaN, Infinity and -Infinity.

    :raises NotStrictJSON: always.
    """
    raise NotStrictJSON(f"holds {token}, which is not JSON; send null for a missing value")


Namespace: "Any" = type(sys.implementation)  # types.SimpleNamespace: to make a class takes longer than to parse a request
RULES = Namespace(  # what the scanner asks of a decoder
    strict=True, object_hook=None, object_pairs_hook=unique, parse_float=float, parse_int=int, parse_constant=_no_constant
)


def _decoder() -> "Any":
    """Make a decoder of the package, with the same rules."""
    import json

    return json.JSONDecoder(object_pairs_hook=unique, parse_constant=_no_constant)


def _makescan() -> "Callable[[str, int], tuple[Any, int]]":
    """Make what reads a value at a place in a text, and tells its end; StopIteration means that none exists.

    It is the same in CPython 3.11 to 3.14; a Python without it reads by the package.
    """
    try:
        from _json import make_scanner

        scan: Callable[[str, int], tuple[Any, int]] = make_scanner(RULES)
    except (ImportError, AttributeError, TypeError):
        scan = _decoder().scan_once
    return guarded(scan) if sys.platform == "emscripten" else scan


def guarded(scan: "Callable[[str, int], tuple[Any, int]]") -> "Callable[[str, int], tuple[Any, int]]":
    """Make a reader that refuses more than `MOST_DEPTH` levels by RecursionError before it begins."""

    def read(text: str, place: int) -> "tuple[Any, int]":
        if text.count("[", place) + text.count("{", place) > MOST_DEPTH and _depth(text, place) > MOST_DEPTH:
            raise RecursionError
        return scan(text, place)

    return read


def _depth(text: str, place: int) -> int:
    """Count the levels of nesting from a place on; brackets within strings do not count."""
    import re  # imported late: only a deep or long text is looked at

    depth = deepest = 0
    for found in re.compile(r'(?s)"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]').finditer(text, place):
        first = found[0][0]
        depth += 1 if first in "[{" else -1 if first in "]}" else 0
        deepest = max(deepest, depth)
    return deepest


def _document(text: str) -> "Any":
    """Read one document and nothing after it.

    :raises ValueError: it is not JSON, as the package words it.
    """
    try:
        value, end = scan(text, len(text) - len(text.lstrip(WHITE)))
    except NO_VALUE:
        return _decoder().decode(text)
    return value if end == len(text) or not text[end:].strip(WHITE) else _decoder().decode(text)


def _unknown(value: "Any") -> "Any":
    """Refuse a value that JSON has no form for, in the package's words."""
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _make_dumps() -> "Callable[[Any], str]":
    """Make one encoder for all calls: `JSONEncoder.encode` makes its C half anew each time, at a third of an answer's cost."""
    try:
        from _json import encode_basestring, make_encoder

        # as `JSONEncoder.iterencode` does in CPython 3.11 to 3.14; a Python that changes this uses the public method below
        chunks = make_encoder(None, _unknown, encode_basestring, None, ":", ",", False, False, False)
        return lambda value: "".join(chunks(value, 0))
    except (ImportError, AttributeError, TypeError):
        import json

        return json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _make_quoted() -> "Callable[[str], str]":
    """Make what writes one text as the encoder does."""
    try:
        from _json import encode_basestring

        return encode_basestring
    except ImportError:
        return dumps


scan = _makescan()
dumps = _make_dumps()
quoted = _make_quoted()  # a text as JSON; the caller encodes it in UTF-8, as `encode` does


def _finite(value: "Any") -> "Any":
    """Copy a value with null in place of numbers that are not finite."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
