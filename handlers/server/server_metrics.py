"""Answer `GET /metrics` for Prometheus, if FLYWEIGHT_METRICS=true: counts by operation and status, times, models.

The numbers come from the log entries of answers, so that all protocols and gRPC are counted in one place. Several processes count
in one piece of memory, each in a slot of its own, and any of them answers with the sums; a process that takes the place of one
that died goes on counting in its slot. https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://prometheus.io/docs/specs/om/open_metrics_spec/ have the two formats.
"""

import os
import time
from _bisect import bisect_left
from _thread import allocate_lock

from flyweight.errors import OK
from flyweight.formats import quality, split_content_type
from flyweight.values import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from server_http import Message
    from server_loop import Answer

    from flyweight.serving.logs import Entry, Log
    from flyweight.serving.service import Service

    Labels = tuple[str, str, str, str]  # operation, status, model, version

PATH = "/metrics"
TEXT, OPEN = "text/plain", "application/openmetrics-text"
TYPES = {TEXT: "text/plain; version=0.0.4; charset=utf-8", OPEN: "application/openmetrics-text; version=1.0.0; charset=utf-8"}
BOUNDS = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
LABELS = ("operation", "status", "model", "version")
OTHER = ("other", "", "", "")  # the series of answers for which there is no room
SERIES = 128  # of one process; more models, versions and statuses are counted as OTHER
WORD = 8  # bytes of a number
KEY = 32 * WORD  # bytes of a series' labels
ROW = KEY // WORD + len(BOUNDS) + 1 + 2  # numbers of a series: labels, buckets, seconds, instances
SLOT = 1 + SERIES * ROW  # numbers of a process: requests in flight, series
ESCAPES = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n"}


class Counters:
    """What one process has counted, in a slot of memory that all processes can read.

    :param memory: of all slots.
    """

    def __init__(self, memory: "memoryview", slot: int) -> None:
        start = slot * SLOT
        self._bytes = memory[start * WORD : (start + SLOT) * WORD]
        self._whole, self._real = self._bytes.cast("q"), self._bytes.cast("d")
        self._whole[0] = 0
        self._lock = allocate_lock()
        self._rows: dict[Labels, int] = {}
        for labels, row in series(self._bytes):
            self._rows[labels] = row

    def fly(self, change: int) -> None:
        """Count a request that has begun (1) or ended (-1)."""
        with self._lock:
            self._whole[0] += change

    def count(self, labels: "Labels", seconds: float, instances: int) -> None:
        """Count an answer."""
        with self._lock:
            row = self._rows.get(labels) or self._added(labels)
            self._whole[row + bisect_left(BOUNDS, seconds)] += 1
            self._real[row + len(BOUNDS) + 1] += seconds
            self._whole[row + len(BOUNDS) + 2] += instances

    def _added(self, labels: "Labels") -> int:
        """Begin a series; return where its numbers are."""
        key = "\0".join(labels).encode("utf-8", "replace")
        full = len(self._rows) >= SERIES - (labels != OTHER and OTHER not in self._rows)
        if full or len(key) >= KEY:
            return self._rows.get(OTHER) or self._added(OTHER)
        start = 1 + len(self._rows) * ROW
        self._bytes[start * WORD + 1 : start * WORD + 1 + len(key)] = key
        self._bytes[start * WORD] = 1  # the last, so that who reads meanwhile finds whole labels
        self._rows[labels] = start + KEY // WORD
        return self._rows[labels]


def series(slot: "memoryview") -> "Iterator[tuple[Labels, int]]":
    """List the series in the memory of one process: the labels, and where the numbers are."""
    for start in range(1, SLOT, ROW):
        if not slot[start * WORD]:
            return
        key = bytes(slot[start * WORD + 1 : start * WORD + KEY]).rstrip(b"\0")
        operation, status, model, version = (*key.decode().split("\0"), "", "", "")[:4]
        yield (operation, status, model, version), start + KEY // WORD


class Metrics:
    """What all processes of a server have counted, and the answer to `GET /metrics`.

    :param workers: the number of processes; with more than one this is made before they are forked.
    """

    def __init__(self, service: "Service", workers: int) -> None:
        self._service, self._workers, self._began = service, workers, time.time()
        size = workers * SLOT * WORD
        self._file = -1
        if workers == 1:
            self._memory = memoryview(bytearray(size))
            self._own = Counters(self._memory, 0)
        else:
            from mmap import mmap

            self._file = _shared_file(size)
            self._memory = memoryview(mmap(self._file, size))
            os.register_at_fork(after_in_child=self._claim)
        service.follow(self._following)

    def answering(self, answer: "Answer") -> "Answer":
        """Make what answers requests: those for PATH here, the others as before."""

        def measured(message: "Message") -> Response:
            if message.error is None and message.method in ("GET", "HEAD") and message.path == PATH:
                return self._answer(message)
            own = self._own
            own.fly(1)
            try:
                return answer(message)
            finally:
                own.fly(-1)

        return measured

    def _claim(self) -> None:
        """Take a slot that no living process has; the system unlocks those of processes that end in any way."""
        from fcntl import LOCK_EX, LOCK_NB, lockf

        for slot in range(self._workers):
            try:
                lockf(self._file, LOCK_EX | LOCK_NB, 1, slot)
            except OSError:
                continue
            self._own = Counters(self._memory, slot)
            return
        self._own = Counters(memoryview(bytearray(SLOT * WORD)), 0)  # never: there is a slot for each process

    def _following(self, log: "Log") -> "Log":
        """Make a log that counts the entries of answers, and passes all on."""

        def write(entry: "Entry") -> None:
            if "status" in entry and "duration_ms" in entry:
                self._own.count(_labels(entry), entry["duration_ms"] / 1000, entry.get("instances", 0))
            log(entry)

        template = getattr(log, "template", None)
        if template is not None:

            def counted(entry: "Entry", varying: "Sequence[str]") -> "Callable[..., None]":
                write_texts, labels, names = template(entry, varying), _labels(entry), [*varying]
                duration, instances = names.index("duration_ms"), names.index("instances")

                def write_and_count(*texts: str) -> None:
                    self._own.count(labels, float(texts[duration]) / 1000, int(texts[instances]))
                    write_texts(*texts)

                return write_and_count

            write.template = counted  # type: ignore[attr-defined]
        return write

    def _answer(self, message: "Message") -> Response:
        """Write what was counted, in the format that the caller prefers."""
        kind = _preferred(message.headers.get("accept", ""))
        body = self.text(kind == OPEN).encode()
        headers = {"content-type": TYPES[kind], "content-length": str(len(body)), "cache-control": "no-store"}
        return Response(OK, headers, b"" if message.method == "HEAD" else body)

    def text(self, openly: bool) -> str:
        """Write what all processes have counted.

        :param openly: whether in OpenMetrics' format instead of Prometheus' own.
        """
        flying = 0
        sums: dict[Labels, list[float]] = {}
        for start in range(0, len(self._memory), SLOT * WORD):
            slot = self._memory[start : start + SLOT * WORD]
            whole, real = slot.cast("q"), slot.cast("d")
            flying += whole[0]
            for labels, row in series(slot):
                buckets = whole[row : row + len(BOUNDS) + 1].tolist()
                numbers = [*buckets, real[row + len(BOUNDS) + 1], whole[row + len(BOUNDS) + 2]]
                sums[labels] = [old + new for old, new in zip(sums.get(labels, [0] * len(numbers)), numbers, strict=True)]
        return "".join([*_families(sums, openly), *self._state(flying, openly)]) + ("# EOF\n" if openly else "")

    def _state(self, flying: int, openly: bool) -> "Iterator[str]":
        """Write what is so now: requests in flight, processes, models, and the server's start."""
        yield _head("flyweight_requests_in_flight", "gauge", "HTTP requests that are being answered.")
        yield f"flyweight_requests_in_flight {flying}\n"
        yield _head("flyweight_workers", "gauge", "Processes that answer.")
        yield f"flyweight_workers {self._workers}\n"
        name, kind = ("flyweight_model", "info") if openly else ("flyweight_model_info", "gauge")
        yield _head(name, kind, "Models that are loaded.")
        loaded = {(one.model.predictor.name, one.model.predictor.version) for one in self._service.models.entries()}
        for model, version in sorted(loaded):
            yield f"flyweight_model_info{_written({'model': model, 'version': version})} 1\n"
        told = "When the server started, in seconds since 1970."
        yield _head("process_start_time_seconds", "gauge", told, "seconds" if openly else "")
        yield f"process_start_time_seconds {self._began!r}\n"


def measured(answer: "Answer", service: "Service", workers: int) -> "Answer":
    """Make what answers requests, those for the metrics as well, and count them from now on."""
    return Metrics(service, workers).answering(answer)


def _families(sums: "Mapping[Labels, Sequence[float]]", openly: bool) -> "Iterator[str]":
    """Write the counters and the histogram."""
    end = len(BOUNDS) + 1
    suffix = "" if openly else "_total"
    yield _head(f"flyweight_requests{suffix}", "counter", "Answered requests.")
    for labels in sorted(sums):
        yield f"flyweight_requests_total{_written(dict(zip(LABELS, labels, strict=True)))} {sum(sums[labels][:end])}\n"
    yield _head(f"flyweight_instances{suffix}", "counter", "Instances of answered requests.")
    for labels in [labels for labels in sorted(sums) if sums[labels][end + 1]]:
        yield f"flyweight_instances_total{_written(dict(zip(LABELS, labels, strict=True)))} {sums[labels][end + 1]}\n"
    name = "flyweight_request_duration_seconds"
    yield _head(name, "histogram", "Seconds from a whole request to its whole answer.", "seconds" if openly else "")
    for operation in sorted({labels[0] for labels in sums}):
        rows = [row for labels, row in sums.items() if labels[0] == operation]
        numbers, below = [sum(column) for column in zip(*rows, strict=True)], 0.0
        for bound, count in zip([*map(str, BOUNDS), "+Inf"], numbers[:end], strict=True):
            below += count
            yield f"{name}_bucket{_written({'operation': operation, 'le': bound})} {below:.0f}\n"
        yield f"{name}_sum{_written({'operation': operation})} {numbers[end]!r}\n"
        yield f"{name}_count{_written({'operation': operation})} {below:.0f}\n"


def _labels(entry: "Mapping[str, Any]") -> "Labels":
    """Read the labels of an answer's log entry; all are names of ours or of loaded models, and no caller can invent one."""
    return str(entry.get("operation", "none")), str(entry["status"]), str(entry.get("model", "")), str(entry.get("version", ""))


def _head(name: str, kind: str, told: str, unit: str = "") -> str:
    """Write what a family of numbers is."""
    return f"# HELP {name} {told}\n# TYPE {name} {kind}\n" + (f"# UNIT {name} {unit}\n" if unit else "")


def _written(labels: "Mapping[str, str]") -> str:
    """Write labels; empty ones are left out, which is the same in both formats."""
    pairs = [f'{name}="{value.translate(ESCAPES)}"' for name, value in labels.items() if value]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _preferred(accept: str) -> str:
    """Choose the format by an Accept header: Prometheus' own unless OpenMetrics' is preferred."""
    weights: dict[str, float] = {}
    for entry in accept.split(","):
        media_type, parameters = split_content_type(entry)
        weights[media_type] = max(weights.get(media_type, 0.0), quality(parameters.get("q", "1")))
    usual = weights.get(TEXT, weights.get("text/*", weights.get("*/*", 0.0)))
    return OPEN if weights.get(OPEN, 0.0) > usual else TEXT


def _shared_file(size: int) -> int:
    """Open a file in memory that processes share after a fork, of zeros."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("flyweight-metrics")
    else:
        from tempfile import TemporaryFile

        with TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    os.truncate(file, size)
    return file
