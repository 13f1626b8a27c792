"""The costs of Lambda, behind HTTP and by files; and of what other targets on AWS have in common with it."""

from __future__ import annotations

import math
from dataclasses import replace

from flyweight.toolkit.costs.batch import AT_ONCE, FILES, files, in_pieces, later
from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import FOREVER, SECONDS, Bill, Line, count, dollars, metered, price, tiered
from flyweight.toolkit.costs.serverless import NO_SERVER, ONE_COMMAND, OVERHEAD, SCALES, egress
from flyweight.toolkit.costs.servers import zonal_balancer
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.aws.package import PACKAGE
from flyweight.toolkit.targets.costs import Costs, Made, Settings, kept_ready

VCPU_MB = 1769  # of memory give a function one CPU: docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
POLLS = 5 * SECONDS / 20  # of an empty queue: Lambda uses five long polls of 20 s each
DAYS = 365 / 12
LAMBDA_FOLDER = PACKAGE.unzipped_limit or math.inf


def function(work: Workload) -> Bill:
    """Price Lambda behind the workload's `front`."""
    return Bill((*lambda_lines(work), *_gateway(work), egress(work, "aws")))


def lambda_share(memory_mb: float) -> float:
    """Return the share of one CPU that a function with this memory has."""
    return min(memory_mb / VCPU_MB, 1.0)


def lambda_lines(work: Workload) -> list[Line]:
    """Price invocations, GB-seconds and INIT: provisioned instances take as many requests as they can, others the rest."""
    gigabytes, suffix = work.memory_mb / 1024, ".x86_64" if work.architecture == "x86_64" else ""
    seconds = work.requests * max(work.measured.warm / lambda_share(work.memory_mb), 0.001)
    ready = min(seconds, work.warm_instances * SECONDS)
    computed = (seconds - ready) * gigabytes
    lines = [
        metered("requests", work.requests, "lambda.request", "lambda.free.request"),
        metered("compute, GB-seconds", computed, f"lambda.gb_second{suffix}", "lambda.free.gb_second"),
    ]
    if work.cold_starts and not work.snapshots:
        lines.append(_init(work, gigabytes, computed, f"lambda.init.gb_second{suffix}"))
    if work.warm_instances:
        kept = work.warm_instances * SECONDS * gigabytes
        lines += [
            metered("compute of instances kept ready", ready * gigabytes, f"lambda.provisioned.run.gb_second{suffix}"),
            metered("memory kept ready", kept, f"lambda.provisioned.gb_second{suffix}"),
        ]
    return lines


def _init(work: Workload, gigabytes: float, computed: float, name: str) -> Line:
    """Price INIT, which is billed for every cold start since 2025-08-01, after what other compute leaves of the free amount.

    It is not divided by the CPU's share: Lambda gives INIT a whole CPU with any memory (INIT durations by memory size in
    https://github.com/maxday/lambda-perf).

    :param computed: the GB-seconds of that other compute.
    """
    rate, free = price(name), price("lambda.free.gb_second")
    amount, left = work.cold_starts * work.init * gigabytes, max(free.value - computed, 0.0)
    less = f" - {count(left)} free{free.mark}" if left else ""
    each = f"{count(work.cold_starts)} cold starts x {work.init:.3g} s x {gigabytes:g} GB"
    text = f"({each}{less}) x {dollars(rate.value)}{rate.mark} per {rate.unit}"
    return Line("INIT, GB-seconds", max(amount - left, 0.0) * rate.value, text, rate.confirmed and free.confirmed)


def balancer(work: Workload) -> list[Line]:
    """Price Amazon's load balancer."""
    return zonal_balancer(work, "alb.hour", "lcu.hour", "aws.address.hour")


def by_files(work: Workload) -> Bill:
    """Price files in a bucket whose events call Lambda: no gateway, and one cold start for many parts."""
    return Bill((*lambda_lines(in_pieces(work)), *files(work, "s3", "aws.egress.gb")))


def shape(work: Workload, settings: Settings) -> Workload:
    """Adapt the workload to the template's parameters."""
    front = {"function-url": "url", "none": "none"}.get(settings.get("Endpoint", ""), "http")
    return replace(
        work,
        architecture=settings.get("Architecture", work.architecture),
        front="rest" if front == "http" and settings.get("Access") == "api-key" else front,
        warm_instances=kept_ready(work, settings, "ProvisionedConcurrency"),
        snapshots=settings.get("SnapStart", "").lower() == "true",
    )


def watching(made: Made) -> list[Line]:
    """Price logs, alarms, dashboards and metrics."""
    kept = made.logs * float(made.settings.get("LogRetentionDays", "30")) / DAYS
    lines = [
        metered("log taken in, GB", made.logs, "cloudwatch.logs.gb", "cloudwatch.free.logs.gb"),
        metered("log kept, GB", kept, "cloudwatch.logs.kept.gb"),
    ]
    for kind, what, name in (
        ("AWS::CloudWatch::Alarm", "alarms", "alarm"),
        ("AWS::CloudWatch::Dashboard", "dashboard", "dashboard"),
        ("AWS::Logs::MetricFilter", "metrics of the log", "metric"),
    ):
        if several := made.kinds.count(kind):
            lines.append(metered(what, several, f"cloudwatch.{name}", f"cloudwatch.free.{name}"))
    return lines


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price the resources that the template's parameters create around the function."""
    lines = watching(made)
    if made.has("Tracing"):  # X-Ray's default rule: the first request of each second, and one in twenty of the others
        traces = min(made.work.requests, SECONDS) * 0.95 + made.work.requests * 0.05
        lines.append(metered("traces, at most", traces, "xray.trace", "xray.free.trace"))
    notes = ["roles, permissions, policies, the alias, CodeDeploy and AWS's own encryption keys (SSE) are free"]
    if made.messages:
        notes.append("each message is counted as one call; batches reduce their number")
    if made.has("Observability"):
        notes.append("not counted: the metrics of Powertools, $0.30 each per month after the first ten")
    if made.has("Schedule"):
        notes.append("not counted: the scheduled calls")
    return [*lines, *_queues(made), *_storage(made)], notes


def _gateway(work: Workload) -> list[Line]:
    """Price the HTTP front end: an HTTP API counts each 512 kB of a request as one request."""
    if work.front == "http":
        calls = work.requests * max(math.ceil(max(work.sent, work.received) / 512_000), 1)
        return [tiered("HTTP API", calls, ((300e6, "apigateway.http.request"), (FOREVER, "apigateway.http.request.beyond")))]
    if work.front == "rest":
        tiers = ((333e6, "apigateway.rest.request"), (FOREVER, "apigateway.rest.request.beyond"))
        return [tiered("REST API", work.requests, tiers)]
    return []


def _queues(made: Made) -> list[Line]:
    """Price queues, which are polled even when empty; each message is sent, received and deleted."""
    lines, messages = [], made.messages if made.has("Queue") else 0.0
    results = messages if made.settings.get("Results") == "queue" else 0.0
    if polled := made.kinds.count("AWS::Lambda::EventSourceMapping"):
        requests = polled * POLLS + 3 * messages + results
        lines.append(metered("requests to queues", requests, "sqs.request", "sqs.free.request"))
    if "AWS::DynamoDB::Table" in made.kinds:
        stored = messages * made.work.received / 1e9
        lines += [
            metered("results written", messages, "dynamodb.write"),
            metered("results kept, GB", stored, "dynamodb.gb", "dynamodb.free.gb"),
            metered("results with point-in-time recovery, GB", stored, "dynamodb.recovery.gb"),
        ]
    return lines


def _storage(made: Made) -> list[Line]:
    """Price buckets, snapshots and /tmp."""
    work, gigabytes, lines = made.work, made.work.memory_mb / 1024, []
    if made.has("ModelBucket"):
        lines.append(metered("model kept, GB", made.model, "s3.gb"))
    if made.has("FilesBucket"):
        lines.append(metered("files kept, GB", work.gigabytes_in + work.gigabytes_out, "s3.gb"))
    if made.has("SnapStart"):
        lines += [
            metered("snapshot kept, GB-seconds", gigabytes * SECONDS, "lambda.snapstart.cached"),
            metered("snapshots restored, GB", work.requests * work.cold_share * gigabytes, "lambda.snapstart.restored"),
        ]
    if (more := float(made.settings.get("EphemeralStorage", "512")) - 512) > 0:
        seconds = max(work.busy_seconds(), 0.001 * work.requests) * more / 1024
        lines.append(metered("/tmp beyond 512 MB, GB-seconds", seconds, "lambda.tmp.gb_second"))
    return lines


FUNCTION = Option(
    "AWS Lambda",
    "serverless",
    "aws",
    function,
    ratings(
        scalability=SCALES,
        security=NO_SERVER,
        ease=ONE_COMMAND,
        integration=(5, "can be called by queues, buckets, streams, tables and schedules"),
    ),
    warm=False,
    slowed=lambda work: 1 / lambda_share(work.memory_mb),
    overhead=OVERHEAD,
    limits=("30 s behind an HTTP API", "250 MB unzipped"),
    most_mb=10240,
    most_folder=LAMBDA_FOLDER,
)
BY_FILES = later(
    "Lambda by files", "aws", by_files, FILES, 10240, AT_ONCE, lambda work: lambda_share(work.memory_mb), LAMBDA_FOLDER,
    FilesBucket="BUCKET",
)  # fmt: skip
COSTS = Costs((FUNCTION, BY_FILES), shape, resources)
