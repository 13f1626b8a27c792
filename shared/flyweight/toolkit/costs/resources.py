"""A place's parameters and traffic to the lines of the bill for what is made around the function, and what is not counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flyweight.toolkit.costs.limits import memory_mb, platform_logs
from flyweight.toolkit.costs.prices import SECONDS, Line, hourly, metered
from flyweight.toolkit.costs.workload import Workload

POLLS = 5 * SECONDS / 20  # of a queue that is empty: Lambda asks by five long polls of 20 s
DAYS = 365 / 12
READY = ("ProvisionedConcurrency", "MIN_INSTANCES", "alwaysReadyInstances")


@dataclass(frozen=True)
class ResourceCosts:
    """Lines for what the parameters make, and sentences about what is free or not counted."""

    lines: Sequence[Line]
    notes: Sequence[str]


@dataclass(frozen=True)
class _Made:
    """What is there to be priced: kinds of resources, parameters, GB of logs a month, GB of the model file."""

    work: Workload
    kinds: Sequence[str]
    settings: Mapping[str, str]
    logs: float
    model: float

    def has(self, name: str) -> bool:
        """Whether a parameter asks for something."""
        return self.settings.get(name, "").lower() not in ("", "false", "0")

    @property
    def messages(self) -> float:
        """Requests that come as messages: all of them, where nothing answers over HTTP."""
        return self.work.requests if self.work.front == "none" else 0.0


def shaped(target: str, work: Workload, settings: Mapping[str, str]) -> Workload:
    """The workload as these parameters serve it: memory, CPUs, architecture, what stands in front, what is kept ready."""
    ready = int(next((settings[name] for name in READY if settings.get(name, "").isdigit()), "0"))
    front = {"function-url": "url", "none": "none"}.get(settings.get("Endpoint", ""), "http")
    return replace(
        work,
        memory_mb=memory_mb(target, settings),
        cpus=float(settings.get("CPU") or 1),
        architecture=settings.get("Architecture", work.architecture),
        front="rest" if front == "http" and settings.get("Access") == "api-key" else front,
        warm_instances=max(work.warm_instances, ready),
    )


def around(target: str, work: Workload, settings: Mapping[str, str], kinds: Sequence[str], model: int) -> ResourceCosts:
    """What is made besides the function; `kinds`: of the resources, one for each; `model`: bytes of the model file."""
    logs, what = platform_logs(target)
    made = _Made(work, kinds, settings, work.requests * (work.measured.logged + logs) / 1e9, model / 1e9)
    lines, notes = {"aws": _aws, "gcp": _gcp, "azure": _azure}[target](made)
    counted = f"a request logs {work.measured.logged} bytes of its own" + (f" and {logs} of {what}" if logs else f"; {what}")
    return ResourceCosts(lines, [counted, *notes])


def _aws(made: _Made) -> tuple[list[Line], list[str]]:
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
    if made.has("Tracing"):  # X-Ray's default rule: the first request of each second, and one in twenty of the others
        traces = min(made.work.requests, SECONDS) * 0.95 + made.work.requests * 0.05
        lines.append(metered("traces, at the most", traces, "xray.trace", "xray.free.trace"))
    notes = ["roles, permissions, policies, the alias and CodeDeploy cost nothing; keys are AWS's own (SSE), free as well"]
    if made.messages:
        notes.append("each message is counted as a call of its own: batches make fewer")
    if made.has("Observability"):
        notes.append("not counted: the metrics that Powertools writes, $0.30 each a month beyond ten")
    if made.has("Schedule"):
        notes.append("not counted: the scheduled calls")
    return [*lines, *_aws_queues(made), *_aws_storage(made)], notes


def _aws_queues(made: _Made) -> list[Line]:
    """Queues: asked even when they are empty; a message is sent, taken and deleted."""
    lines, messages = [], made.messages if made.has("Queue") else 0.0
    results = messages if made.settings.get("Results") == "queue" else 0.0
    if polled := made.kinds.count("AWS::Lambda::EventSourceMapping"):
        asked = polled * POLLS + 3 * messages + results
        lines.append(metered("requests to queues", asked, "sqs.request", "sqs.free.request"))
    if "AWS::DynamoDB::Table" in made.kinds:
        stored = messages * made.work.received / 1e9
        lines += [
            metered("results written", messages, "dynamodb.write"),
            metered("results kept, GB", stored, "dynamodb.gb", "dynamodb.free.gb"),
            metered("results that can be gone back in, GB", stored, "dynamodb.recovery.gb"),
        ]
    return lines


def _aws_storage(made: _Made) -> list[Line]:
    """Buckets, snapshots, /tmp."""
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


def _gcp(made: _Made) -> tuple[list[Line], list[str]]:
    lines = [metered("log taken in, GB", made.logs, "gcp.logs.gb", "gcp.free.logs.gb")]
    if made.has("MODEL"):
        lines.append(metered("model kept, GB", made.model, "gcs.gb"))
    if made.has("TRIGGER_TOPIC"):  # in and out again, a thousand bytes at the least
        through = 2 * made.work.requests * max(made.work.sent, 1000) / 1e9
        lines.append(metered("messages, GB in and out", through, "pubsub.gb", "pubsub.free.gb"))
    if made.has("TRIGGER_BUCKET"):
        lines.append(metered("files kept, GB", made.work.gigabytes_in + made.work.gigabytes_out, "gcs.gb"))
    notes = ["identities, rights, Eventarc of Google's own events, alerts (until September 2027) and budgets cost nothing"]
    return lines, [*notes, "not counted: the image in Artifact Registry (half a GB is free), and the build's minutes"]


def _azure(made: _Made) -> tuple[list[Line], list[str]]:
    months = max(float(made.settings.get("logRetentionDays", "30")) - 31, 0.0) / DAYS
    lines = [metered("log taken in, GB", made.logs, "azure.logs.gb", "azure.free.logs.gb")]
    if months:
        lines.append(metered("log kept beyond 31 days, GB", made.logs * months, "azure.logs.kept.gb"))
    lines.append(metered("package kept, GB", made.work.measured.folder / 1e9, "blob.gb"))
    if made.has("model"):
        lines.append(metered("model kept, GB", made.model, "blob.gb"))
    if "Microsoft.ServiceBus/namespaces" in made.kinds:  # a message is sent, taken and completed
        lines += [
            hourly("Service Bus, Standard", 1, "servicebus.hour"),
            metered("operations of queues", 3 * made.work.requests, "servicebus.request", "servicebus.free.request"),
        ]
    if "Microsoft.EventHub/namespaces" in made.kinds:
        hubs = made.kinds.count("Microsoft.EventHub/namespaces/eventhubs")
        lines += [
            hourly("Event Hubs, Standard", 1, "eventhubs.hour"),
            metered("events taken in", hubs * made.work.requests, "eventhubs.event"),
        ]
    if made.has("scoreFiles"):
        lines.append(metered("files kept, GB", made.work.gigabytes_in + made.work.gigabytes_out, "blob.gb"))
    if "Microsoft.EventGrid/systemTopics" in made.kinds:
        events = 2 * made.work.requests
        lines.append(metered("events of files, two a file", events, "eventgrid.request", "eventgrid.free.request"))
    if several := made.kinds.count("Microsoft.Insights/metricAlerts"):
        lines.append(metered("alerts, time series", several, "azure.alert"))
    return lines, [
        "identities and roles cost nothing, keys are Microsoft's own; the host's own blobs are a few kB and not counted"
    ]
