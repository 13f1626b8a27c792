"""Write what a function prints and logs: both streams without a buffer, and log records to the platform's descriptor.

The frames are those of AWS's own client: four bytes of type, four of length, eight of time in microseconds, then the message.
"""

import sys
import time
from posix import write

from aws_client_environment import set_variable, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT, TEXT_ERROR, JSON_ERROR = 0xA55A0003, 0xA55A0017, 0xA55A0016
DESCRIPTOR = "_LAMBDA_TELEMETRY_LOG_FD"
Finder: "Any" = type(sys.implementation)  # types.SimpleNamespace: to make a class of its own takes longer


class Unbuffered:
    """A stream that is flushed at each write, so that a frozen or killed process has lost nothing."""

    def __init__(self, stream: "Any") -> None:
        self.stream = stream

    def __enter__(self) -> "Unbuffered":
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the stream open."""

    def __getattr__(self, name: str) -> "Any":
        return getattr(self.stream, name)

    def write(self, text: str) -> None:
        """Write a text, and flush."""
        self.stream.write(text)
        self.stream.flush()

    def writelines(self, lines: "Any") -> None:
        """Write lines, and flush once."""
        self.stream.writelines(lines)
        self.stream.flush()


class LogSink:
    """Where log records go.

    `descriptor`: the platform's descriptor, which takes frames; None for standard output. `request_id`, `tenant`: of the request
    that this process answers now, which records name.
    """

    def __init__(self, descriptor: "int | None") -> None:
        self.descriptor = descriptor
        self.request_id = ""
        self.tenant: str | None = None
        self.is_json = (variable("AWS_LAMBDA_LOG_FORMAT") or "").upper() == "JSON"

    def log(self, message: str, frame_type: "int | bytes | None" = None) -> None:
        """Write one record."""
        if self.descriptor is None:
            return _print(message)
        data = message.encode("utf-8", "backslashreplace")
        kind = frame_type or TEXT
        kind = kind if isinstance(kind, bytes) else kind.to_bytes(4, "big")
        frame = kind + len(data).to_bytes(4, "big") + (time.time_ns() // 1000).to_bytes(8, "big") + data
        while frame:
            frame = frame[write(self.descriptor, frame) :]

    def log_error(self, lines: "list[str]") -> None:
        """Write an error of several lines as one record."""
        if self.descriptor is None:
            return _print("\r".join(lines) + "\n")
        self.log("\n".join(lines), JSON_ERROR if self.is_json else TEXT_ERROR)


def _print(text: str) -> None:
    """Write to standard output, if there is one; what its encoding lacks is escaped."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        sys.stdout.write(text.encode("utf-8", "backslashreplace").decode())


def unbuffer() -> None:
    """Replace both standard streams by unbuffered ones; a closed one stays None, and what is printed to it is lost."""
    if sys.stdout is not None:
        sys.stdout = Unbuffered(sys.stdout)
    if sys.stderr is not None:
        sys.stderr = Unbuffered(sys.stderr)


def open_sink() -> LogSink:
    """Return the sink of this process; the variable that names the descriptor is removed, as the platform's client does."""
    descriptor = variable(DESCRIPTOR)
    set_variable(DESCRIPTOR, None)
    return LogSink(None if descriptor is None else int(descriptor))


def prepare_logging(sink: LogSink) -> None:
    """Have `logging` write to the sink: now if it is imported, else by a finder that waits for its first import.

    A function that does not log never imports `logging`, which takes as long as half of its cold start.
    """
    if "logging" in sys.modules:
        from aws_client_logging import set_up

        return set_up(sink)
    finder: Any = Finder(find_spec=lambda name, *place: _logging(finder, sink, *place) if name == "logging" else None)
    sys.meta_path.insert(0, finder)


def _logging(finder: "Any", sink: LogSink, path: "Any" = None, target: "Any" = None) -> "Any":
    """Find `logging` where it is, with a step after it was loaded."""
    sys.meta_path.remove(finder)
    for other in sys.meta_path:
        spec = other.find_spec("logging", path, target)
        if spec is not None:
            _extend(spec, sink)
            return spec
    return None


def _extend(spec: "Any", sink: LogSink) -> None:
    load = spec.loader.exec_module

    def load_and_set_up(module: "Any") -> None:
        load(module)
        from aws_client_logging import set_up

        set_up(sink)

    spec.loader.exec_module = load_and_set_up
