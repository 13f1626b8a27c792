"""Everything that can go wrong, as words; `service.py` maps a word to a status number.

FlyweightError
|-- MalformedRequest       the bytes are not what they claim to be
|-- InvalidInput           well-formed, but not what the model's signature asks for
|-- TooLarge               more bytes or instances than this deployment takes
|-- UnsupportedMediaType   a content type, charset or encoding that is not spoken here
|-- NotAcceptable          an answer was asked for in a form that is not spoken here
|-- NotFound, MethodNotAllowed
|-- ModelRefused           a model file that fails a check
`-- ModelUnavailable       no model to answer with, just now
    `-- StoreFailed        the store of models did not do what it was asked
        |-- Absent         nothing is there
        `-- Changed        someone else changed it first
"""

from flyweight.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


@frozen
class Fault:
    """One thing wrong with one input: where, what was expected, what came."""

    expected: str
    actual: str
    instance: "int | None" = None
    feature: "str | None" = None
    hint: "str | None" = None

    def __str__(self) -> str:
        place = [] if self.instance is None else [f"instance {self.instance}"]
        place += [] if self.feature is None else [f"feature {self.feature!r}"]
        text = f"expected {self.expected}, got {self.actual}"
        text = f"{', '.join(place)}: {text}" if place else text
        return f"{text} ({self.hint})" if self.hint else text


class FlyweightError(Exception):
    """The base of all errors that flyweight raises on purpose; `word` says which kind."""

    code = "internal"


class MalformedRequest(FlyweightError):
    """The body can't be read as its content type says; an adapter that found it so knows the request's id."""

    code = "malformed_request"

    def __init__(self, message: str, request_id: str = "") -> None:
        super().__init__(message)
        self.request_id = request_id


class InvalidInput(FlyweightError):
    """Instances that the model's signature, or the model itself, does not take."""

    code = "invalid_input"

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(str(fault) for fault in faults[:3]))
        self.faults: Sequence[Fault] = faults


class TooLarge(FlyweightError):
    """More bytes or instances than one request may carry."""

    code = "too_large"


class UnsupportedMediaType(FlyweightError):
    """A content type, charset or content encoding that is not spoken here."""

    code = "unsupported_media_type"


class NotAcceptable(FlyweightError):
    """None of the media types that the caller accepts is spoken here."""

    code = "not_acceptable"


class NotFound(FlyweightError):
    """No such path."""

    code = "not_found"


class MethodNotAllowed(FlyweightError):
    """The path is there, under another method."""

    code = "method_not_allowed"

    def __init__(self, message: str, allow: str) -> None:
        super().__init__(message)
        self.allow = allow


class ModelRefused(FlyweightError):
    """A model file that fails a check; nothing was predicted with it. `next_step`: what to do, where it is no other file."""

    code = "model_unavailable"

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


class ModelUnavailable(FlyweightError):
    """No model can answer now; a later request may be luckier."""

    code = "model_unavailable"


class StoreFailed(ModelUnavailable):
    """A store can't be reached, forbids, is slow or misbehaves; `transient`: to ask again, later, may help.

    The message names the key and never carries a credential or a signed URL.
    """

    def __init__(self, message: str, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class ObjectNotFound(StoreFailed):
    """The store answers, and nothing is there."""


class PreconditionFailed(StoreFailed):
    """Something else is there than the writer expected, who wrote nothing: read again, then decide."""


def preview(value: "Any", limit: int = 80) -> str:
    """A value as an error message shows it: JSON's words, short, never a whole body."""
    if value is None:
        return "null"
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "..."


def problem(error: Exception, status: int, request_id: str) -> "dict[str, Any]":
    """A problem document (RFC 9457); of an error that nobody foresaw it tells the request id and nothing else."""
    code = error.code if isinstance(error, FlyweightError) else FlyweightError.code
    document: dict[str, Any] = {"type": f"urn:flyweight:problem:{code}", "title": code.replace("_", " "), "status": status}
    if isinstance(error, FlyweightError):
        document["detail"] = str(error)
    if isinstance(error, InvalidInput):
        faults = [fault._asdict() for fault in error.faults]  # type: ignore[attr-defined]
        document["errors"] = [{key: value for key, value in fault.items() if value is not None} for fault in faults]
    return {**document, "request_id": request_id}


def with_next_step(error: Exception) -> str:
    """An error's words and what to do about it, for whoever runs the function; callers are told the words alone."""
    next_step = getattr(error, "next_step", "")
    return f"{error}; next: {next_step}" if next_step else str(error)


def log_fields(error: Exception) -> "dict[str, str]":
    """What the log tells of an error: its words if it was foreseen, its traceback if not."""
    if isinstance(error, FlyweightError):
        return {"message": f"{error.code}: {with_next_step(error)}"[:1000]}
    import traceback

    return {"message": f"internal: {type(error).__name__}", "exception": "".join(traceback.format_exception(error))}
