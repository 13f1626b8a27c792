"""Log by Powertools, and trace by its Tracer: a request or batch is a subsegment of X-Ray, and loading a model one within it.

An entry is logged when the work is done and says how long it took. So no other code has to know about traces.
"""

from time import time

from aws_lambda_powertools import Tracer
from aws_powertools import log as powertools_log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.serving.logs import Entry, Log

# fields of an entry -> annotations, by which X-Ray searches traces
ANNOTATIONS = {"cold": "ColdStart", "model": "Model", "version": "Version", "variant": "Variant"}
METADATA = ("status", "instances", "records", "scored", "rejected", "failed", "unfinished", "cold_start_ms")


def log() -> "Log":
    """Make a log that also traces; libraries are not patched, since that would import them."""
    write = powertools_log()
    tracer = Tracer(auto_patch=False)

    def traced(entry: "Entry") -> None:
        write(entry)
        if "duration_ms" in entry:
            _trace(tracer, entry, time())

    return traced


def _trace(tracer: Tracer, entry: "Entry", end: float) -> None:
    """Send a subsegment for an entry.

    :param end: in seconds since 1970.
    """
    recorder: Any = tracer.provider  # the X-Ray SDK's own
    began = end - entry["duration_ms"] / 1000
    subsegment = recorder.begin_subsegment(f"## {entry.get('operation', 'none')}")
    subsegment.start_time = began
    if "load_ms" in entry:
        recorder.begin_subsegment("## load").start_time = began
        recorder.end_subsegment(began + entry["load_ms"] / 1000)
    subsegment.put_annotation("Service", tracer.service)
    for field, name in ANNOTATIONS.items():
        if field in entry:
            subsegment.put_annotation(name, entry[field])
    subsegment.put_metadata("entry", {field: entry[field] for field in METADATA if field in entry}, "flyweight")
    if entry["level"] == "ERROR":
        subsegment.add_fault_flag()
    recorder.end_subsegment(end)
