"""One structured line a request, on standard output, under the field names that a handler asks for."""

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
# model, version, cold, load_ms where the request had to load the model, and on an unknown error the traceback as `exception`.


def line(names: "Mapping[str, str]") -> "Log":
    """A log that prints each entry as one line of JSON, its fields and the `timestamp` that it adds renamed by `names`."""

    def write(entry: "Entry") -> None:
        renamed = {names.get(field, field): value for field, value in {"timestamp": _now(), **entry}.items()}
        # one call, so that the lines of two threads do not mix
        sys.stdout.write(strict_json.encode(renamed).decode() + "\n")
        sys.stdout.flush()

    return write


_second: "tuple[int, str]" = (-1, "")  # the last whole second, and how it reads: most requests share theirs with another


def _now() -> str:
    """The time as RFC 3339 has it; a line without one loses its level in some log stores."""
    global _second
    seconds = time()
    whole, text = _second
    if int(seconds) != whole:
        whole, text = _second = int(seconds), strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))
    return f"{text}.{int((seconds - whole) * 1000):03d}Z"
