"""Write one structured line for each request to standard output, with the field names that a handler chooses."""

import sys
from time import gmtime, strftime, time

from flyweight import strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Entry = Mapping[str, Any]
    Log = Callable[[Entry], None]

# The fields of an entry: level ("INFO", "WARNING", "ERROR"), message, request_id, operation, status, duration_ms, instances,
# model, version, cold, load_ms if the request loaded the model, and after an unexpected error the traceback as `exception`.


def line(names: "Mapping[str, str]") -> "Log":
    """Make a log that prints each entry as one line of JSON, with a `timestamp`.

    :param names: from the name of a field, or `timestamp`, to the name that is printed instead.
    :returns: the log; it raises if a line can't be written.
    """

    def write(entry: "Entry") -> None:
        renamed = {names.get(field, field): value for field, value in {"timestamp": _now(), **entry}.items()}
        # one call, so that the lines of two threads do not mix
        _print(strict_json.encode(renamed) + b"\n")

    return write


def _print(data: bytes) -> None:
    """Write UTF-8 to standard output, and not the encoding that the platform has chosen for texts.

    :raises OSError: the bytes can't be written.
    """
    stream = sys.stdout
    buffer = getattr(stream, "buffer", None)
    if buffer is None:  # a stream of texts alone, such as a notebook's
        stream.write(data.decode())
        stream.flush()
    else:
        stream.flush()  # texts that were printed before come first
        buffer.write(data)
        buffer.flush()


_second: "tuple[int, str]" = (-1, "")  # the last whole second and its text, which most requests share with another


def _now() -> str:
    """Write the current time in RFC 3339's form; some log stores ignore the level of a line without a time."""
    global _second
    seconds = time()
    whole, text = _second
    if int(seconds) != whole:
        whole, text = _second = int(seconds), strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))
    return f"{text}.{int((seconds - whole) * 1000):03d}Z"
