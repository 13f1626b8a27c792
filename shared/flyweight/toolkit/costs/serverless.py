"""Functions of the three clouds: billed while they answer."""

from __future__ import annotations

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import SECONDS, Bill, Line, metered, tiered
from flyweight.toolkit.costs.workload import Workload, lambda_share

FOREVER = float("inf")
SCALES = (5, "from none to thousands of instances, without anybody's doing")
NO_SERVER = (5, "no system to patch; an identity of its own, rights by resource")
SMALL = "about {:.0f} MB a request at most"


def aws(work: Workload) -> Bill:
    """Lambda on arm64 behind an HTTP API; INIT is billed as well."""
    share, gigabytes = lambda_share(work.memory_mb), work.memory_mb / 1024
    lines = [
        metered("requests", work.requests, "lambda.request", "lambda.free.request"),
        metered(
            "compute, GB-seconds",
            max(work.busy_seconds(share), 0.001 * work.requests) * gigabytes,
            "lambda.gb_second",
            "lambda.free.gb_second",
        ),
        tiered("HTTP API", work.requests, ((300e6, "apigateway.http.request"), (FOREVER, "apigateway.http.request.beyond"))),
        metered("data out, GB", work.gigabytes_out, "aws.egress.gb", "aws.free.egress.gb"),
    ]
    return Bill((*lines, *_kept(work, "lambda.provisioned.gb_second", gigabytes)))


def gcp(work: Workload) -> Bill:
    """A Cloud Run function, billed while requests run, 100 ms at the least; several requests share an instance that is busy."""
    seconds = _active(work, 0.1)
    lines = [
        metered("requests", work.requests, "run.request", "run.free.request"),
        metered("CPU, seconds", seconds, "run.vcpu_second", "run.free.vcpu_second"),
        metered("memory, GiB-seconds", seconds * work.memory_mb / 1024, "run.gib_second", "run.free.gib_second"),
        metered("data out, GB", work.gigabytes_out, "gcp.egress.gb", "gcp.free.egress.gb"),
    ]
    kept = [metered("CPU kept warm", work.warm_instances * SECONDS, "run.idle.vcpu_second")] if work.warm_instances else []
    return Bill((*lines, *kept, *_kept(work, "run.idle.gib_second", work.memory_mb / 1024)))


def azure(work: Workload) -> Bill:
    """Flex Consumption, billed while an instance is busy, for a second at the least."""
    gigabytes = max(work.memory_mb, 512) / 1024
    seconds = _active(work, 1.0)
    lines = [
        metered("executions", work.requests, "flex.request", "flex.free.request"),
        metered("compute, GB-seconds", seconds * gigabytes, "flex.gb_second", "flex.free.gb_second"),
        metered("data out, GB", work.gigabytes_out, "azure.egress.gb", "azure.free.egress.gb"),
    ]
    return Bill((*lines, *_kept(work, "flex.ready.gb_second", gigabytes)))


def _active(work: Workload, least: float) -> float:
    """Seconds in which instances are billed that take several requests at once: `least` a request, while they come one by one.

    At the most one instance is busy all month, or as many as the CPU time takes at 60 of 100 of what they can.
    """
    one_by_one = work.requests * max(work.busy_seconds() / max(work.requests, 1.0), least)
    return min(one_by_one, max(float(SECONDS), work.busy_seconds() / 0.6))


def _kept(work: Workload, name: str, gigabytes: float) -> tuple[Line, ...]:
    if not work.warm_instances:
        return ()
    return (metered("memory kept warm", work.warm_instances * SECONDS * gigabytes, name),)


OPTIONS = (
    Option(
        "AWS Lambda",
        "serverless",
        "aws",
        aws,
        ratings(
            scalability=SCALES,
            security=NO_SERVER,
            ease=(5, "one command deploys, nothing to look after"),
            integration=(5, "queues, buckets, streams, tables and schedules call it"),
        ),
        warm=False,
        slowed=lambda work: 1 / lambda_share(work.memory_mb),
        overhead=0.010,
        limits=(SMALL.format(6), "30 s behind an HTTP API", "250 MB unzipped"),
    ),
    Option(
        "Cloud Run function",
        "serverless",
        "gcp",
        gcp,
        ratings(
            scalability=SCALES,
            security=NO_SERVER,
            ease=(5, "one command deploys, nothing to look after"),
            integration=(4, "Pub/Sub, Eventarc, tasks and schedules call it"),
        ),
        warm=False,
        overhead=0.010,
        limits=(SMALL.format(32), "60 min an answer"),
    ),
    Option(
        "Azure Functions",
        "serverless",
        "azure",
        azure,
        ratings(
            scalability=(4, "to 1,000 instances, each of 512 MB at the least"),
            security=NO_SERVER,
            ease=(4, "two tools deploy: one what it needs, one the code"),
            integration=(5, "bindings to queues, blobs, hubs and databases"),
        ),
        warm=False,
        overhead=0.010,
        limits=(SMALL.format(100), "230 s an answer over HTTP"),
    ),
)
