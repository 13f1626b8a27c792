"""Set up Python's `logging` as AWS's own client does. Imported with `logging` itself, which most functions never import.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

import logging
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from aws_client_output import LogSink

TEXT_FRAMES = {0: 0xA55A0003, 10: 0xA55A000B, 20: 0xA55A000F, 30: 0xA55A0013, 40: 0xA55A0017, 50: 0xA55A001B}
JSON_FRAMES = {level: frame - 1 for level, frame in TEXT_FRAMES.items()}
TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
# attributes of a record that are no fields of the user's
KNOWN = frozenset(
    "name msg args levelname levelno pathname filename module exc_info exc_text stack_info lineno funcName created msecs "
    "relativeCreated thread threadName processName process aws_request_id tenant_id _frame_type".split()
)


class LambdaLoggerHandler(logging.Handler):
    """Writes records to the sink."""

    def __init__(self, log_sink: "LogSink") -> None:
        super().__init__()
        self.log_sink = log_sink

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; an error of its arguments is the caller's, as under AWS's client."""
        self.log_sink.log(self.format(record))


class LambdaLoggerHandlerWithFrameType(LambdaLoggerHandler):
    """Writes records to the sink in frames that tell the level."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        message = self.format(record)
        self.log_sink.log(message, getattr(record, "_frame_type", None) or TEXT_FRAMES.get(_tens(record)))


class LambdaLoggerFilter(logging.Filter):
    """Adds the current request to each record."""

    def __init__(self, sink: "LogSink") -> None:
        super().__init__()
        self._sink = sink

    def filter(self, record: logging.LogRecord) -> bool:
        """Add id and tenant, and let every record pass."""
        record.aws_request_id, record.tenant_id = self._sink.request_id, self._sink.tenant
        return True


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, and note the type of its frame."""
        import json

        record.levelno = _tens(record)
        record.levelname = logging.getLevelName(record.levelno)
        record._frame_type = JSON_FRAMES.get(record.levelno, JSON_FRAMES[0])
        fields = self._fields(record)
        if getattr(record, "tenant_id", None) is not None:
            fields["tenantId"] = record.tenant_id  # type: ignore[attr-defined]
        fields.update([(key, value) for key, value in record.__dict__.items() if key not in KNOWN and key not in fields])
        present = {key: value for key, value in fields.items() if value is not None}
        return json.dumps(present, ensure_ascii=False, default=str) + "\n"

    def _fields(self, record: logging.LogRecord) -> "dict[str, Any]":
        as_object = isinstance(record.msg, dict) and not record.args
        fields: dict[str, Any] = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": record.levelname,
            "message": record.msg if as_object else record.getMessage(),
            "logger": record.name,
            "stackTrace": None,
            "errorType": None,
            "errorMessage": None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": None,
        }
        if record.exc_info:
            import traceback

            kind, error, trace = record.exc_info
            fields["stackTrace"] = traceback.format_tb(trace)
            fields["errorType"], fields["errorMessage"] = kind.__name__ if kind is not None else None, str(error)
            fields["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        return fields


def _tens(record: logging.LogRecord) -> int:
    """Round a record's level down to one that has a name."""
    return min(50, max(0, record.levelno)) // 10 * 10


def set_up(sink: "LogSink") -> None:
    """Give the root logger its one handler, in the format and at the level of the function's configuration."""
    logging.Formatter.converter = time.gmtime
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    level = "DEBUG" if level == "TRACE" else level.upper()
    with_type = sink.is_json or level
    one = LambdaLoggerHandlerWithFrameType(sink) if with_type else LambdaLoggerHandler(sink)
    one.setFormatter(JsonFormatter() if sink.is_json else logging.Formatter(TEXT, "%Y-%m-%dT%H:%M:%S"))
    root = logging.getLogger()
    if level in logging.getLevelNamesMapping():
        root.setLevel(level)
    one.addFilter(LambdaLoggerFilter(sink))
    root.addHandler(one)
