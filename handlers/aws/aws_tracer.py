"""Log entries to Powertools' log, and to X-Ray by its Tracer: what was asked is a subsegment, and loading a model one in it.

An entry comes when all is done and says how long it took, so that nothing else of a request has to know of traces.
"""

from time import time

from aws_lambda_powertools import Tracer
from aws_powertools import log as logged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.serving.logs import Entry, Log

ANNOTATED = {"cold": "ColdStart", "model": "Model", "version": "Version", "variant": "Variant"}  # what X-Ray finds traces by
COUNTED = ("status", "instances", "records", "scored", "rejected", "failed", "unfinished", "cold_start_ms")


def log() -> "Log":
    """A log that also traces; libraries are not patched, since that imports them."""
    write = logged()
    tracer = Tracer(auto_patch=False)

    def traced(entry: "Entry") -> None:
        write(entry)
        if "duration_ms" in entry:
            _trace(tracer, entry, time())

    return traced


def _trace(tracer: Tracer, entry: "Entry", end: float) -> None:
    recorder: Any = tracer.provider  # the X-Ray SDK's own
    began = end - entry["duration_ms"] / 1000
    subsegment = recorder.begin_subsegment(f"## {entry.get('operation', 'none')}")
    subsegment.start_time = began
    if "load_ms" in entry:
        recorder.begin_subsegment("## load").start_time = began
        recorder.end_subsegment(began + entry["load_ms"] / 1000)
    subsegment.put_annotation("Service", tracer.service)
    for field, name in ANNOTATED.items():
        if field in entry:
            subsegment.put_annotation(name, entry[field])
    subsegment.put_metadata("entry", {field: entry[field] for field in COUNTED if field in entry}, "flyweight")
    if entry["level"] == "ERROR":
        subsegment.add_fault_flag()
    recorder.end_subsegment(end)
