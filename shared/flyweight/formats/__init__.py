"""A request's body to instances: bytes of JSON, CSV or NDJSON come in, parsed and not yet validated instances go out."""

import json
from os import urandom

from flyweight.errors import Fault, InvalidInput, MalformedRequest, UnsupportedMediaType, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.models.signature import Feature

    Parsed = tuple[list[Any], Any]  # instances, and the outputs that the body asks for or None
    Parsers = dict[str, Callable[[str, list[Feature], dict[str, str]], Parsed]]

EXPECTED = 'an object {"instances": [...]} or an array of instances'


def parse(body: bytes, content_type: str, features: "list[Feature]", parsers: "Parsers | None" = None) -> "Parsed":
    """The instances in a body of the given content type (JSON where it is empty), and the outputs that it asks for or None.

    JSON names outputs under a key, the other forms by a parameter of the content type: `text/csv; outputs="scores"`.
    `parsers`: PARSERS, or LONE, which takes an object that is one instance as well.

    :raises MalformedRequest, UnsupportedMediaType, InvalidInput: in words for the caller.
    """
    media, parameters = (content_type, {}) if content_type in PARSERS else media_type(content_type)
    parser = (parsers or PARSERS).get(media or "application/json")
    if parser is None:
        raise UnsupportedMediaType(f"content type {preview(media)} is not one of {', '.join(PARSERS)}")
    charset = parameters.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f"charset {preview(charset)} is not spoken here; send UTF-8")
    text = _decoded(body)
    if not text or text.isspace():
        raise MalformedRequest(f"the body is empty; expected {EXPECTED}")
    named = parameters.get("outputs")
    outputs = None if named is None else [name.strip() for name in named.split(",")]
    instances, asked = parser(text, features, parameters)
    return instances, outputs if asked is None else asked


def media_type(text: str) -> "tuple[str, dict[str, str]]":
    """A Content-Type or one entry of an Accept header: the media type in lower case, and its parameters."""
    media, *rest = text.split(";")
    pairs = [part.partition("=") for part in rest]
    return media.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def listed(names: "list[str]") -> str:
    """Names for a message, eight at most."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more


def _decoded(body: bytes) -> str:
    try:
        return (body[3:] if body.startswith(b"\xef\xbb\xbf") else body).decode()
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"the body is not UTF-8: byte {error.start} is {body[error.start]:#04x}") from None


def _unique(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    unique = dict(pairs)
    if len(unique) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedRequest(f"the key {preview(twice)} stands twice in one object")
    return unique


def _no_constant(token: str) -> None:
    raise MalformedRequest(f"{token} is not JSON; send null for a missing value")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def parse_json(text: str, where: str = "the body") -> "Any":
    """Strict JSON: no NaN, no duplicate keys, no nesting beyond what the interpreter's stack takes.

    :raises MalformedRequest: with the line and column.
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedRequest(f"{where} is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise MalformedRequest(f"{where} is nested too deeply") from None
    except ValueError:  # more digits than Python converts
        raise MalformedRequest(f"{where} holds a number of too many digits") from None


def parse_together(bodies: "list[bytes]") -> "list[Any] | None":
    """The document in each of many bodies, by one call of the parser; None where one of them is not strict JSON.

    A secret string stands between each two. Who sends a body can't know it, so that no brackets that are open in one body
    and closed in another make documents which none of them holds.
    """
    mark = urandom(16).hex()
    try:
        found = _DECODER.decode("[" + f',"{mark}",'.encode().join(bodies).decode() + "]")
    except (ValueError, RecursionError, MalformedRequest):
        return None
    whole = type(found) is list and len(found) == 2 * len(bodies) - 1 and found[1::2] == [mark] * (len(bodies) - 1)
    return found[::2] if whole else None


def _json_instances(text: str, features: "list[Feature]", parameters: "dict[str, str]") -> "Parsed":
    return _listed_instances(parse_json(text), features)


def _listed_instances(document: "Any", features: "list[Feature]") -> "Parsed":
    outputs = None
    if isinstance(document, dict):
        if "instances" not in document:
            names = [feature.name for feature in features]
            hint = 'wrap the instance: {"instances": [{...}]}' if names[0] in document else None
            raise InvalidInput(Fault(EXPECTED, f"an object with the keys {listed([*document])}", hint=hint))
        extra = [key for key in document if key not in ("instances", "outputs")]
        if extra:
            raise InvalidInput(Fault("no other key beside 'instances' and 'outputs'", listed(extra)))
        outputs, document = document.get("outputs"), document["instances"]
    if not isinstance(document, list):
        raise InvalidInput(Fault(EXPECTED, preview(document)))
    return document, outputs


def _lone_instance(text: str, features: "list[Feature]", parameters: "dict[str, str]") -> "Parsed":
    """A record's body, which may be one instance, with nothing around it."""
    return lone(parse_json(text), features)


def lone(document: "Any", features: "list[Feature]") -> "Parsed":
    """The instances of a document that is a record's, and the outputs that it asks for or None.

    :raises InvalidInput: it is neither one instance nor what a request may have.
    """
    if isinstance(document, dict) and "instances" not in document:
        return [document], None
    return _listed_instances(document, features)


def _ndjson_instances(text: str, features: "list[Feature]", parameters: "dict[str, str]") -> "Parsed":
    lines = text.split("\n")
    return [parse_json(line, f"line {number}") for number, line in enumerate(lines, 1) if line and not line.isspace()], None


def _csv_instances(text: str, features: "list[Feature]", parameters: "dict[str, str]") -> "Parsed":
    from flyweight.formats.csv import instances  # csv is imported for those who send it

    return instances(text, features, header=parameters.get("header") != "absent"), None


PARSERS: "Parsers" = {
    "application/json": _json_instances,
    "text/csv": _csv_instances,
    "application/x-ndjson": _ndjson_instances,
}
LONE: "Parsers" = {**PARSERS, "application/json": _lone_instance}
