"""Parse bodies into instances and write predictions as bytes, by media type."""

from flyweight import errors  # for rare errors, which are made when they are asked for
from flyweight.errors import MalformedRequest, TooLarge, preview
from flyweight.formats import json as json_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flyweight.models.validation import Validator
    from flyweight.values import Parsed, Prediction

    Parser = Callable[[str, Validator, dict[str, str]], Parsed]  # takes text, validator, parameters of the content type
    Writer = Callable[[Prediction, dict[str, str]], bytes]  # takes a prediction, and the name and version of the model

LARGE = 1 << 16  # bytes; a larger body is looked over before it is read
MAX_HEADER = 1 << 13  # characters of a header that is split here


def parse(body: bytes, content_type: str, validator: "Validator", parsers: "dict[str, Parser] | None" = None) -> "Parsed":
    """Parse a body by its content type, by the default of the settings if that is empty.

    JSON names outputs under a key, the other formats by a parameter of the content type: `text/csv; outputs="scores"`.

    :param content_type: the media type, with or without parameters.
    :param validator: of the model that the body is for; its limits have the largest size of a body.
    :param parsers: PARSERS, or RECORD_PARSERS, for which a JSON object may be one instance.
    :returns: instances that are not validated yet, and the outputs that the body asks for or None.
    :raises UnsupportedMediaType: another media type or charset.
    :raises TooLarge: the body is over the limit.
    :raises MalformedRequest: the body is empty, not UTF-8, or not of its content type.
    :raises InvalidInput: the body is well formed, but holds no instances, or its columns are not the model's features.
    """
    max_bytes = validator.limits.max_body_bytes
    if len(body) > max_bytes:
        raise TooLarge(f"the body has {len(body)} bytes, the limit is {max_bytes}")
    if len(content_type) > MAX_HEADER:
        raise errors.UnsupportedMediaType(f"the content type has {len(content_type)} characters, the limit is {MAX_HEADER}")
    media_type, parameters = (content_type, {}) if content_type in PARSERS else split_content_type(content_type)
    if media_type not in PARSERS:
        media_type, parameters = _usual_name(media_type, parameters, validator.limits.content_type)
    parser = (parsers or PARSERS).get(media_type)
    if parser is None:
        raise errors.UnsupportedMediaType(f"content type {preview(media_type)} is not one of {', '.join(parsers or PARSERS)}")
    charset = parameters.get("charset", "utf-8").partition(",")[0].strip('" ').lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise errors.UnsupportedMediaType(f"charset {preview(charset)} is not supported; send UTF-8")
    text = _decoded(body)
    if not text or text.isspace():
        raise MalformedRequest(f"the body is empty; expected {json_format.EXPECTED}")
    if len(body) > LARGE:
        from flyweight.formats import bounds  # imported late: small bodies need no check

        bounds.check(text, len(body), media_type, validator)
    named = parameters.get("outputs")
    outputs = None if named is None else [name.strip() for name in named.split(",")]
    instances, requested = parser(text, validator, parameters)
    return instances, outputs if requested is None else requested


def write(prediction: "Prediction", content_type: str, model: "dict[str, str]") -> bytes:
    """Write a prediction.

    :param content_type: one of the media types of `WRITERS`.
    :param model: the `name` and `version` of the model.
    """
    return WRITERS[content_type](prediction, model)


def negotiate(accept: str) -> str:
    """Choose the media type of an answer by an Accept header; JSON if the caller has no preference.

    :raises NotAcceptable: none of the accepted types is supported.
    """
    if not accept or accept == "*/*":
        return "application/json"
    if len(accept) > MAX_HEADER:
        raise errors.NotAcceptable(f"the header Accept has {len(accept)} characters, the limit is {MAX_HEADER}")
    ranges = []
    for position, entry in enumerate(accept.split(",")):
        media_range, parameters = split_content_type(entry)
        ranges.append((-quality(parameters.get("q", "1")), position, media_range))
    for weight, _, media_range in sorted(ranges):
        if weight and (media_range in WRITERS or media_range in WILDCARDS):
            return media_range if media_range in WRITERS else WILDCARDS[media_range]
    raise errors.NotAcceptable(f"none of {preview(accept)} is supported; supported are {', '.join(WRITERS)}")


def split_content_type(text: str) -> "tuple[str, dict[str, str]]":
    """Split a Content-Type, or one entry of an Accept header, into the lower-case media type and its parameters."""
    media_type, *rest = text.split(";")
    media_type = media_type.partition(",")[0]  # of a header that was sent twice, and joined on the way, the first counts
    pairs = [part.partition("=") for part in rest]
    return media_type.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _usual_name(media_type: str, parameters: "dict[str, str]", default: str) -> "tuple[str, dict[str, str]]":
    """Replace another name of a format by the one in PARSERS, and a media type that says nothing by the default.

    :param default: FLYWEIGHT_CONTENT_TYPE, for senders that name no type, or only that there are bytes.
    :returns: the media type, unchanged if it is of no known format, and its parameters.
    """
    if media_type in UNSPECIFIC:
        media_type, added = split_content_type(default or "application/json")
        parameters = {**added, **parameters}
    if media_type in LINES:
        return "application/x-ndjson", parameters
    # a structured suffix says that the syntax is JSON: https://www.rfc-editor.org/rfc/rfc6839#section-3.1
    if media_type == "text/json" or (media_type.startswith("application/") and media_type.endswith("+json")):
        return "application/json", parameters
    return media_type, parameters


def quality(text: str) -> float:
    """Read the weight of an entry of an Accept header, from 0 to 1; 0 if it is not a number."""
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _decoded(body: bytes) -> str:
    """Decode UTF-8, without a byte order mark.

    :raises MalformedRequest: the body is not UTF-8.
    """
    try:
        return (body[3:] if body.startswith(b"\xef\xbb\xbf") else body).decode()
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"the body is not UTF-8: byte {error.start} is {body[error.start]:#04x}") from None


def _parse_csv(text: str, validator: "Validator", parameters: "dict[str, str]") -> "Parsed":
    from flyweight.formats import csv  # imported by requests that send CSV only

    return csv.parse(text, validator, header=parameters.get("header") != "absent"), None


def _write_csv(prediction: "Prediction", model: "dict[str, str]") -> bytes:
    from flyweight.formats import csv

    return csv.write(prediction).encode("utf-8", "replace")


PARSERS: "dict[str, Parser]" = {
    "application/json": json_format.parse,
    "text/csv": _parse_csv,
    "application/x-ndjson": json_format.parse_lines,
}
UNSPECIFIC = ("", "application/octet-stream", "binary/octet-stream")  # what clients and queues send if nobody chose a type
# the names under which one JSON document a line is sent; none is registered
LINES = (
    *("application/ndjson", "application/jsonl", "application/x-jsonl", "application/jsonlines", "application/x-jsonlines"),
    *("application/json-lines", "application/x-json-stream", "application/json-stream", "text/x-ndjson", "text/jsonl"),
)
RECORD_PARSERS: "dict[str, Parser]" = {**PARSERS, "application/json": json_format.parse_record}
WRITERS: "dict[str, Writer]" = {
    "application/json": json_format.write,
    "text/csv": _write_csv,
    "application/x-ndjson": json_format.write_lines,
}
WILDCARDS = {"*/*": "application/json", "application/*": "application/json", "text/*": "text/csv"}
