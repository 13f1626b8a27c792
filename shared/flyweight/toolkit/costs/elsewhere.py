"""Answers that nobody waits for at a server: on the device, or by night."""

from __future__ import annotations

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import Bill, Line, metered
from flyweight.toolkit.costs.workload import Workload, lambda_share


def edge(work: Workload) -> Bill:
    """The devices are there already, and so is their electricity."""
    return Bill((Line("devices", 0.0, "they are yours already; updates are sent as files"),))


def batch(work: Workload) -> Bill:
    """Rows by files, at 1,000 a call, by the same function: no gateway, one cold start for many."""
    calls, gigabytes = work.requests * work.rows / 1000, work.memory_mb / 1024
    seconds = max(work.requests * work.measured.warm / lambda_share(work.memory_mb), 0.001 * calls)
    lines = [
        metered("calls", calls, "lambda.request", "lambda.free.request"),
        metered("compute, GB-seconds", seconds * gigabytes, "lambda.gb_second", "lambda.free.gb_second"),
    ]
    return Bill(tuple(lines))


OPTIONS = (
    Option(
        "On the device",
        "edge",
        "any",
        edge,
        ratings(
            scalability=(5, "every device brings its own CPU"),
            security=(3, "data stays on the device; the model can be copied from it"),
            ease=(2, "an app to ship, and models to update on devices that are away"),
            integration=(2, "LiteRT or ONNX Runtime inside an app; the pure engine where there is Python"),
        ),
        warm=True,
        overhead=0.0,
        limits=("LiteRT or ONNX Runtime has to take the model: flyweight pack --engine",),
    ),
    Option(
        "Batch by files",
        "batch",
        "aws",
        batch,
        ratings(
            scalability=(5, "files are scored side by side"),
            security=(5, "nothing listens; rights by bucket"),
            ease=(4, "the same folder, told of files instead of requests"),
            integration=(4, "buckets, tables, schedules"),
        ),
        warm=False,
        live=False,
        slowed=lambda work: 1 / lambda_share(work.memory_mb),
        limits=("answers come minutes or hours later", "priced as AWS Lambda told of S3 files; storage not included"),
    ),
)
