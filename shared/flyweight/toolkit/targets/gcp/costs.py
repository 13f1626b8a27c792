"""The costs of Cloud Run functions, behind HTTP and by files; and of what other targets on Google Cloud have in common."""

from __future__ import annotations

import math
from dataclasses import replace

from flyweight.toolkit.costs.batch import AT_ONCE, FILES, files, in_pieces, later
from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import SECONDS, Bill, Line, hourly, metered
from flyweight.toolkit.costs.serverless import NO_SERVER, ONE_COMMAND, OVERHEAD, SCALES, active_seconds, egress
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.costs import Costs, Made, Settings, kept_ready


def function(work: Workload) -> Bill:
    """Price a Cloud Run function, billed while requests run, at least 100 ms; concurrent requests share an instance."""
    return Bill((*run_lines(work), egress(work, "gcp")))


def run_lines(work: Workload) -> list[Line]:
    """Price requests, vCPU-seconds and GiB-seconds of Cloud Run; more than 4 GiB need more CPUs."""
    gibibytes = work.memory_mb / 1024
    cpus = max(work.cpus, 2.0 ** math.ceil(math.log2(gibibytes / 4)) if gibibytes > 4 else 0.0)
    seconds = active_seconds(work, 0.1, min(work.cpus, 1.0))
    lines = [
        metered("requests", work.requests, "run.request", "run.free.request"),
        metered("CPU, seconds", seconds * cpus, "run.vcpu_second", "run.free.vcpu_second"),
        metered("memory, GiB-seconds", seconds * gibibytes, "run.gib_second", "run.free.gib_second"),
    ]
    if work.warm_instances:
        idle = work.warm_instances * float(SECONDS)  # all month, ignoring the time in which they are busy
        lines += [
            metered("CPU kept warm", idle * cpus, "run.idle.vcpu_second"),
            metered("memory kept warm", idle * gibibytes, "run.idle.gib_second"),
        ]
    return lines


def balancer(work: Workload) -> list[Line]:
    """Price Google's load balancer."""
    through = work.gigabytes_in + work.gigabytes_out
    return [hourly("load balancer", 1, "gclb.hour"), metered("through it, GB", through, "gclb.gb")]


def by_files(work: Workload) -> Bill:
    """Price files in a bucket whose events call a Cloud Run function."""
    return Bill((*run_lines(in_pieces(work)), *files(work, "gcs", "gcp.egress.gb")))


def shape(work: Workload, settings: Settings) -> Workload:
    """Adapt the workload to the script's variables."""
    ready = kept_ready(work, settings, "MIN_INSTANCES")
    return replace(work, cpus=float(settings.get("CPU") or 1), front="http", warm_instances=ready)


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price the resources that the script's variables create around the function."""
    lines = [metered("log taken in, GB", made.logs, "gcp.logs.gb", "gcp.free.logs.gb")]
    if made.has("MODEL"):
        lines.append(metered("model kept, GB", made.model, "gcs.gb"))
    if made.has("TRIGGER_TOPIC"):  # in and out, at least a thousand bytes each
        through = 2 * made.work.requests * max(made.work.sent, 1000) / 1e9
        lines.append(metered("messages, GB in and out", through, "pubsub.gb", "pubsub.free.gb"))
    if made.has("TRIGGER_BUCKET"):
        lines.append(metered("files kept, GB", made.work.gigabytes_in + made.work.gigabytes_out, "gcs.gb"))
    notes = ["identities, permissions, Eventarc of Google's own events, alerts (until September 2027) and budgets are free"]
    return lines, [*notes, "not counted: the image in Artifact Registry (half a GB is free), and the minutes of the build"]


FUNCTION = Option(
    "Cloud Run function",
    "serverless",
    "gcp",
    function,
    ratings(
        scalability=SCALES,
        security=NO_SERVER,
        ease=ONE_COMMAND,
        integration=(4, "can be called by Pub/Sub, Eventarc, tasks and schedules"),
    ),
    warm=False,
    slowed=lambda work: 1 / min(work.cpus, 1.0),
    overhead=OVERHEAD,
    limits=("60 min an answer",),
    most_mb=32768,
)
BY_FILES = later("Cloud Run by files", "gcp", by_files, FILES, 32768, AT_ONCE, TRIGGER_BUCKET="BUCKET")
COSTS = Costs((FUNCTION, BY_FILES), shape, resources)
