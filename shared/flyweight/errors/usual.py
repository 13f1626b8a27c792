"""The errors that most functions may meet, and what is made of an error: a problem document, the fields of a log line."""

from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

MAX_FAULTS = 20  # that one answer lists
OK = 200
NO_CONTENT = 204
NO_HEADERS: "Mapping[str, str]" = {}


class Fault(Value):
    """One thing wrong with one input: its place, the expected and the actual value, and a hint.

    `line`: of a text, from 1; beside it the number of the instance, from 0, says nothing more to a reader.
    """

    expected: str
    actual: str
    instance: "int | None" = None
    feature: "str | None" = None
    hint: "str | None" = None
    line: "int | None" = None

    def __str__(self) -> str:
        place = [] if self.instance is None else [f"instance {self.instance}"]
        place = place if self.line is None else [f"line {self.line}"]
        place += [] if self.feature is None else [f"feature {self.feature!r}"]
        text = f"expected {self.expected}, got {self.actual}"
        text = f"{', '.join(place)}: {text}" if place else text
        return f"{text} ({self.hint})" if self.hint else text


class FlyweightError(Exception):
    """The base of all errors that flyweight raises on purpose; `code` names the kind, `status` is its HTTP status.

    `headers`: those that the answer to a request has beside the usual ones. `request_headers`: those of the request, set by an
    adapter that could read them, but not the body.
    """

    code = "internal"
    status = 500
    headers: "Mapping[str, str]" = NO_HEADERS
    request_headers: "Mapping[str, str]" = NO_HEADERS

    def __reduce__(self) -> "tuple[Any, ...]":
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(kind: "type[FlyweightError]", args: "tuple[Any, ...]", state: "dict[str, Any]") -> FlyweightError:
    """Make a pickled error again without calling its class, whose arguments are not kept."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class MalformedRequest(FlyweightError):
    """The body can't be read as its content type says.

    `request_id` and `request_headers`: given by an adapter that could read them, but not the body.
    """

    code, status = "malformed_request", 400

    def __init__(self, message: str, request_id: str = "", request_headers: "Mapping[str, str]" = NO_HEADERS) -> None:
        super().__init__(message)
        self.request_id, self.request_headers = request_id, request_headers


class InvalidInput(FlyweightError):
    """Instances do not fit the model's signature, or the model itself refuses them."""

    code, status = "invalid_input", 422

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(str(fault) for fault in faults[:3]))
        self.faults: Sequence[Fault] = faults


class TooLarge(FlyweightError):
    """More bytes or instances than one request may carry. `request_headers`: as for MalformedRequest."""

    code, status = "too_large", 413

    def __init__(self, message: str, request_headers: "Mapping[str, str]" = NO_HEADERS) -> None:
        super().__init__(message)
        self.request_headers = request_headers


class NotFound(FlyweightError):
    """No such path, or no such model."""

    code, status = "not_found", 404


class ModelRefused(FlyweightError):
    """A model file fails a check, and nothing was predicted with it. `next_step`: advice for the operator."""

    code, status = "model_unavailable", 503

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


class InvalidSetting(FlyweightError, ValueError):
    """A setting or an argument has a value with no meaning; the message names it and what was expected."""


class ModelUnavailable(FlyweightError):
    """No model can answer now; a later request may succeed."""

    code, status = "model_unavailable", 503


def preview(value: "Any", limit: int = 80) -> str:
    """Show a value in an error message: in JSON's words and at most `limit` characters."""
    if value is None:
        return "null"
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, (str, bytes)):
        value = value[: limit + 1]  # the rest would take memory, and is not shown
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python writes
        return "a number of too many digits"
    return text if len(text) <= limit else text[:limit] + "..."


def listing(names: "list[str]") -> str:
    """Join names for an error message, eight at most, and of each its first hundred characters."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join([name if len(name) <= 100 else f"{name[:100]}..." for name in names[:8]]) + more


def status_of(error: Exception) -> int:
    """Get the HTTP status of any exception; an unexpected one has that of an internal error."""
    return error.status if isinstance(error, FlyweightError) else FlyweightError.status


def log_level(status: int) -> str:
    """Choose the level of a response's log line."""
    return "INFO" if status < 400 else "WARNING" if status < 500 else "ERROR"


def problem(error: Exception, request_id: str) -> "dict[str, Any]":
    """Make the problem document (RFC 9457) of an error. For an unexpected error the document holds the request id only."""
    code, status = error.code if isinstance(error, FlyweightError) else FlyweightError.code, status_of(error)
    document: dict[str, Any] = {"type": f"urn:flyweight:problem:{code}", "title": code.replace("_", " "), "status": status}
    if isinstance(error, FlyweightError):
        document["detail"] = str(error)
    if isinstance(error, InvalidInput):
        faults = [fault._asdict() for fault in error.faults]
        document["errors"] = [{key: value for key, value in fault.items() if value is not None} for fault in faults]
    return {**document, "request_id": request_id}


def with_next_step(error: Exception) -> str:
    """Get an error's message and its next step, for the operator; callers see the message alone."""
    next_step = getattr(error, "next_step", "")
    return f"{error}; next: {next_step}" if next_step else str(error)


def error_fields(error: Exception) -> "dict[str, str]":
    """Make the log fields of an error: its message if it was raised on purpose, else its traceback."""
    if isinstance(error, FlyweightError):
        return {"message": f"{error.code}: {with_next_step(error)}"[:1000]}
    import traceback

    trace = "".join(traceback.format_exception(error))
    return {"message": f"internal: {type(error).__name__}", "exception": without_secrets(trace)}


def without_secrets(text: str) -> str:
    """Hide what a library may have put into the message of an exception: credentials and queries of URLs, tokens, signatures."""
    import re  # imported late: only unexpected errors need it

    text = re.sub(r"://[^/\s@'\"]*@", "://***@", text)
    text = re.sub(r"(://[^\s?'\"]{0,500}\?)[^\s'\"<>)]*", r"\1***", text)
    text = re.sub(r"(?i)\b(bearer|basic) +[\w.~+/=-]{8,}", r"\1 ***", text)
    named = r"(?i)\b([\w-]{0,40}(?:signature|sig|token|password|secret|key)['\"]?[=:] ?['\"]?)[^\s'\",;&]{8,}"
    return re.sub(named, r"\1***", text)
