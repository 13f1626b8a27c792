"""Write one structured line for each request to standard output, with the field names that a handler chooses."""

import sys
from time import gmtime, strftime, time

from flyweight import strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Entry = Mapping[str, Any]
    Log = Callable[[Entry], None]

# The fields of an entry: level ("INFO", "WARNING", "ERROR"), message, request_id, operation, status, duration_ms, instances,
# model, version, cold, load_ms if the request loaded the model, and after an unexpected error the traceback as `exception`.


def line(names: "Mapping[str, str]") -> "Log":
    """Make a log that prints each entry as one line of JSON, with a `timestamp`.

    :param names: from the name of a field, or `timestamp`, to the name that is printed instead.
    :returns: the log; it raises if a line can't be written. Its attribute `template(entry, varying)` makes a function that takes
        the JSON of the fields `varying`, in the order in which the entry has them, and prints the line of the entry with these
        values. The other values should not come from a caller.
    """

    def write(entry: "Entry") -> None:
        # one call, so that the lines of two threads do not mix
        _print(_encoded({"timestamp": _now(), **entry}, names) + b"\n")

    def template(entry: "Entry", varying: "Sequence[str]") -> "Callable[..., None]":
        marks = {field: f"\ufffe{field}\ufffe" for field in ("timestamp", *varying)}
        text = _encoded({"timestamp": "", **entry, **marks}, names).decode().replace("%", "%%")
        for mark in marks.values():
            text = text.replace(f'"{mark}"', "%s")
        text = text.replace("%s", '"%s"', 1) + "\n"

        def write_texts(*texts: str) -> None:
            _print((text % (_now(), *texts)).encode("utf-8", "replace"))

        return write_texts

    write.template = template  # type: ignore[attr-defined]
    return write


def _encoded(entry: "Entry", names: "Mapping[str, str]") -> bytes:
    """Write an entry as JSON, its fields under the names that a handler has chosen."""
    return strict_json.encode({names.get(field, field): value for field, value in entry.items()})


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
    if not 0.0 <= seconds - whole < 1.0:
        whole = int(seconds)
        text = strftime("%Y-%m-%dT%H:%M:%S", gmtime(whole))
        _second = whole, text
    return "%s.%03dZ" % (text, 1000.0 * (seconds - whole))  # noqa: UP031 - half the time of an f-string
