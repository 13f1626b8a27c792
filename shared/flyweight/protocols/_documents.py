"""Read a body that is one JSON object, and write the errors of protocols that answer `{"error": TEXT}`."""

from flyweight import formats, strict_json
from flyweight.errors import OK, FlyweightError, InvalidInput, MalformedRequest, preview, status_of
from flyweight.protocols import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.validation import Validator
    from flyweight.values import Request

JSON = "application/json"
# what clients send that name no type, and what `curl -d` calls every body
UNTYPED = (*formats.UNSPECIFIC, "application/x-www-form-urlencoded")
TOKENS = ("NaN", "Infinity")  # no JSON, but what many writers of JSON make of such a number


def read(body: bytes, request: "Request", validator: "Validator", expected: str) -> "dict[str, Any]":
    """Read a body of JSON, after its size and the memory that it would take are checked.

    A body without a content type is JSON, because clients of these protocols name none. The tokens NaN and Infinity are read.

    :param body: all or a part of the request's body.
    :param validator: of the model that the body is for.
    :param expected: what the object should be, for messages, as `{"instances": [...]}`.
    :raises UnsupportedMediaType: another media type or charset.
    :raises TooLarge: the body is over the limit, or takes too much memory.
    :raises MalformedRequest: the body is empty, not JSON in UTF-8, or no object.
    """
    if not body or body.isspace():
        raise MalformedRequest(f"the body is empty; expected {expected}")
    content_type = request.headers.get("content-type", "")
    if formats.split_content_type(content_type[: formats.MAX_HEADER])[0] in UNTYPED:
        content_type = JSON
    document, _ = formats.parse(body, content_type, validator, {JSON: parse_json})
    return members(document, "the body", expected)


def members(value: "Any", place: str, expected: str = "an object") -> "dict[str, Any]":
    """Check that a value is an object, and return it.

    :param place: where it stands, for the message.
    :raises MalformedRequest: it is another value.
    """
    if not isinstance(value, dict):
        raise MalformedRequest(f"{place} should be {expected}, got {preview(value)}")
    return value


def error(error: Exception, request_id: str) -> Answer:
    """Write an error as `{"error": TEXT}`; instances that do not fit the model have the status of any other wrong body."""
    return answer({"error": message(error, request_id)}, status(error))


def status(error: Exception) -> int:
    """Get the status of an error; instances that do not fit the model have that of any other wrong body."""
    return MalformedRequest.status if isinstance(error, InvalidInput) else status_of(error)


def message(error: Exception, request_id: str) -> str:
    """Word an error for its caller; of an unexpected one only the request id."""
    if isinstance(error, FlyweightError):
        return str(error)
    return f"internal error; the log has it under the request id {request_id}"


def answer(document: "Any", status: int = OK) -> Answer:
    """Write a document as the answer to a request; a number that is not finite becomes null."""
    return Answer(strict_json.encode(document), JSON, status)


def parse_json(text: str, validator: "Validator", parameters: "dict[str, str]") -> "tuple[Any, None]":
    """Parse JSON with the tokens NaN and Infinity.

    :raises MalformedRequest: the text is neither JSON nor JSON with these tokens.
    """
    try:
        return strict_json.parse(text), None
    except strict_json.NotStrictJSON as error:
        if any(token in text for token in TOKENS):
            import json  # imported late: such bodies are rare

            try:
                return json.loads(text, object_pairs_hook=strict_json.unique), None
            except (ValueError, RecursionError):
                pass
        raise MalformedRequest(f"the body {error}") from None
