"""Functions of the three clouds: billed while they answer."""

from __future__ import annotations

import math

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import FOREVER, SECONDS, Bill, Line, metered, tiered
from flyweight.toolkit.costs.workload import FULL, Workload, flex_mb, flex_share, lambda_share

SCALES = (5, "from none to thousands of instances, without anybody's doing")
NO_SERVER = (5, "no system to patch; an identity of its own, rights by resource")
LAMBDA_FOLDER = 250 * 2**20
ONE_COMMAND = (5, "one command deploys, nothing to look after")


def aws(work: Workload) -> Bill:
    """Lambda behind what `front` says; INIT is billed as well."""
    return Bill((*lambda_lines(work), *_gateway(work), egress(work, "aws")))


def gcp(work: Workload) -> Bill:
    """A Cloud Run function, billed while requests run, 100 ms at the least; several requests share an instance that is busy."""
    return Bill((*run_lines(work), egress(work, "gcp")))


def azure(work: Workload) -> Bill:
    """Flex Consumption, billed while an instance is busy, for a second at the least."""
    return Bill((*flex_lines(work), egress(work, "azure")))


def lambda_lines(work: Workload) -> list[Line]:
    """Invocations and GB-seconds: instances that are kept ready take what they can, the others the rest."""
    gigabytes, suffix = work.memory_mb / 1024, ".x86_64" if work.architecture == "x86_64" else ""
    seconds = max(work.busy_seconds(lambda_share(work.memory_mb)), 0.001 * work.requests)
    ready = min(seconds, work.warm_instances * SECONDS)
    lines = [
        metered("requests", work.requests, "lambda.request", "lambda.free.request"),
        metered("compute, GB-seconds", (seconds - ready) * gigabytes, f"lambda.gb_second{suffix}", "lambda.free.gb_second"),
    ]
    if work.warm_instances:
        kept = work.warm_instances * SECONDS * gigabytes
        lines += [
            metered("compute of what is kept ready", ready * gigabytes, f"lambda.provisioned.run.gb_second{suffix}"),
            metered("memory kept ready", kept, f"lambda.provisioned.gb_second{suffix}"),
        ]
    return lines


def run_lines(work: Workload) -> list[Line]:
    """Requests, vCPU-seconds and GiB-seconds of Cloud Run; more than 4 GiB ask for more CPUs."""
    gibibytes = work.memory_mb / 1024
    cpus = max(work.cpus, 2.0 ** math.ceil(math.log2(gibibytes / 4)) if gibibytes > 4 else 0.0)
    seconds = active_seconds(work, 0.1, min(work.cpus, 1.0))
    lines = [
        metered("requests", work.requests, "run.request", "run.free.request"),
        metered("CPU, seconds", seconds * cpus, "run.vcpu_second", "run.free.vcpu_second"),
        metered("memory, GiB-seconds", seconds * gibibytes, "run.gib_second", "run.free.gib_second"),
    ]
    if work.warm_instances:
        idle = work.warm_instances * float(SECONDS)  # all month: what is busy meanwhile is a little less
        lines += [
            metered("CPU kept warm", idle * cpus, "run.idle.vcpu_second"),
            metered("memory kept warm", idle * gibibytes, "run.idle.gib_second"),
        ]
    return lines


def flex_lines(work: Workload) -> list[Line]:
    """Executions and GB-seconds of Flex Consumption: what is kept ready costs less a second, and has no free amounts."""
    gigabytes = flex_mb(work.memory_mb) / 1024
    seconds = active_seconds(work, 1.0, flex_share(work.memory_mb))
    ready = min(seconds, work.warm_instances * SECONDS)
    there = work.requests * ready / seconds if seconds else 0.0
    lines = [
        metered("executions", work.requests - there, "flex.request", "flex.free.request"),
        metered("compute, GB-seconds", (seconds - ready) * gigabytes, "flex.gb_second", "flex.free.gb_second"),
    ]
    if work.warm_instances:
        lines += [
            metered("executions where it is kept ready", there, "flex.ready.request"),
            metered("compute of what is kept ready", ready * gigabytes, "flex.ready.run.gb_second"),
            metered("memory kept ready", work.warm_instances * SECONDS * gigabytes, "flex.ready.gb_second"),
        ]
    return lines


def egress(work: Workload, cloud: str) -> Line:
    """Answers, on their way to the internet."""
    return metered("data out, GB", work.gigabytes_out, f"{cloud}.egress.gb", f"{cloud}.free.egress.gb")


def active_seconds(work: Workload, least: float, share: float) -> float:
    """Seconds in which instances are billed that take several requests at once: `least` a request, while they come one by one.

    At the most one instance is busy all month, or as many as the CPU time takes at 60 of 100 of what they can.
    """
    busy = work.busy_seconds(share)
    one_by_one = work.requests * max(busy / max(work.requests, 1.0), least)
    return min(one_by_one, max(float(SECONDS), busy / FULL))


def _gateway(work: Workload) -> list[Line]:
    """What stands in front: HTTP APIs count each 512 kB of a request as one more."""
    if work.front == "http":
        calls = work.requests * max(math.ceil(max(work.sent, work.received) / 512_000), 1)
        return [tiered("HTTP API", calls, ((300e6, "apigateway.http.request"), (FOREVER, "apigateway.http.request.beyond")))]
    if work.front == "rest":
        tiers = ((333e6, "apigateway.rest.request"), (FOREVER, "apigateway.rest.request.beyond"))
        return [tiered("REST API", work.requests, tiers)]
    return []


OPTIONS = (
    Option(
        "AWS Lambda",
        "serverless",
        "aws",
        aws,
        ratings(
            scalability=SCALES,
            security=NO_SERVER,
            ease=ONE_COMMAND,
            integration=(5, "queues, buckets, streams, tables and schedules call it"),
        ),
        warm=False,
        slowed=lambda work: 1 / lambda_share(work.memory_mb),
        overhead=0.010,
        limits=("30 s behind an HTTP API", "250 MB unzipped"),
        most_mb=10240,
        most_folder=LAMBDA_FOLDER,
    ),
    Option(
        "Cloud Run function",
        "serverless",
        "gcp",
        gcp,
        ratings(
            scalability=SCALES,
            security=NO_SERVER,
            ease=ONE_COMMAND,
            integration=(4, "Pub/Sub, Eventarc, tasks and schedules call it"),
        ),
        warm=False,
        slowed=lambda work: 1 / min(work.cpus, 1.0),
        overhead=0.010,
        limits=("60 min an answer",),
        most_mb=32768,
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
        slowed=lambda work: 1 / flex_share(work.memory_mb),
        overhead=0.010,
        limits=("230 s an answer over HTTP",),
        most_mb=4096,
    ),
)
