"""Describe errors as AWS's own client does: for the caller, for X-Ray, and for the log. Imported by the first error only."""

import os
import time
import traceback

from aws_client_json import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from aws_client_output import LogSink

    Frames = list[tuple[str, int, str, str | None]]

OWN = os.path.join(os.path.dirname(__file__), "aws_client")  # what the paths of this client's modules begin with
LONGEST_CAUSE = 1 << 20  # bytes: X-Ray's header is left out from here on
NO_BREAK_SPACE = "\u00a0"  # keeps the indentation of a traceback in CloudWatch
WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
    "However, in rare cases, a Lambda runtime update can cause unexpected function behavior. "
    "For functions using managed runtimes, runtime updates can be triggered by a function change, or can be applied "
    "automatically. To determine if the runtime has been updated, check the runtime version in the INIT_START log entry. "
    "If this error correlates with a change in the runtime version, you may be able to mitigate this error by temporarily "
    "rolling back to the previous runtime version. "
    "For more information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)


class Fault(Exception):
    """An error that the client itself finds.

    `kind`: its type for the caller; `trace`: lines of a stack trace.
    """

    def __init__(self, kind: str, message: str, trace: "list[str] | None" = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, trace or []


class Report:
    """One error in its forms: `body` for the Runtime API, `cause` for X-Ray (empty if it is too long), `lines` for the log."""

    def __init__(self, error: BaseException, request_id: str = "") -> None:
        frames: Frames = []
        if isinstance(error, Fault):
            kind, message, trace, cause_kind = error.kind, error.message, error.trace, "LambdaValidationError"
        else:
            frames = _frames(error.__traceback__)
            kind, message, trace = type(error).__name__, _text(error), traceback.format_list(frames)
            cause_kind = kind
        self.kind = kind
        self.document = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}
        self.body = encoded(self.document)
        cause = encoded(_cause(cause_kind, message, frames))
        self.cause = cause if len(cause) < LONGEST_CAUSE else b""

    def log(self, sink: "LogSink") -> None:
        """Write the error to the log, as one record in JSON or as lines."""
        if sink.is_json:
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            record = encoded({"timestamp": moment, "level": "ERROR", **self.document})
            return sink.log_error([record.decode()])
        kind, message = self.document["errorType"], str(self.document["errorMessage"])
        lines = [f"[ERROR] {kind}" + (f": {message}" if message else ""), "Traceback (most recent call last):"]
        for part in self.document["stackTrace"]:
            lines += [_indented(line) for line in part.splitlines()] if part else [""]
        sink.log_error(lines)


def fault_of(stage: str, error: Exception) -> Exception:
    """Return the error to report for one that was raised in a stage of an invocation.

    :param stage: `event`, `response`, or another one, whose errors are reported as they are.
    """
    if isinstance(error, Fault):
        return error
    if stage == "event":
        return Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {_text(error)}")
    if stage == "response":
        return Fault("Runtime.MarshalError", f"Unable to marshal response: {_text(error)}")
    return error


def too_large(size: int, most: int) -> Fault:
    """Return the error of an answer that Lambda does not carry, in Lambda's words."""
    return Fault(
        "Function.ResponseSizeTooLarge",
        f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({most} bytes).",
    )


def encoded(document: "Any") -> bytes:
    """Write a document as JSON; half a character, which UTF-8 can't write, becomes the escape that JSON has for it."""
    return write(document, only_ascii()).encode("utf-8", "backslashreplace")


def only_ascii() -> bool:
    """Tell whether AWS's client escapes other characters under this runtime: it does before Python 3.12."""
    return os.environ.get("AWS_EXECUTION_ENV") not in [f"AWS_Lambda_python3.{minor}" for minor in (12, 13, 14, 15)]


def _text(error: BaseException) -> str:
    """Return an error's message, also where its class fails to make one."""
    try:
        return str(error)
    except Exception as other:
        return f"<the message of this {type(error).__name__} can't be made: {type(other).__name__}>"


def _frames(trace: "TracebackType | None") -> "Frames":
    """List the frames of a traceback from the first one on that is not this client's."""
    frames = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in traceback.extract_tb(trace)]
    for number, frame in enumerate(frames):
        if not frame[0].startswith(OWN):
            return frames[number:]
    return frames


def _cause(kind: str, message: str, frames: "Frames") -> "dict[str, Any]":
    """Describe an error for X-Ray."""
    stack = [{"label": name, "path": path, "line": line} for path, line, name, _ in frames]
    return {
        "working_directory": os.getcwd(),
        "exceptions": [{"message": message, "type": kind, "stack": stack}],
        "paths": [*dict.fromkeys(frame[0] for frame in frames)],
    }


def _indented(line: str) -> str:
    """Replace the blanks before a line by ones that CloudWatch keeps."""
    rest = line.lstrip(" ")
    return NO_BREAK_SPACE * (len(line) - len(rest)) + rest
