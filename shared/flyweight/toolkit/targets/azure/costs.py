"""What Azure Functions cost, behind HTTP and by files; and what other targets on Azure have in common with them."""

from __future__ import annotations

from dataclasses import replace

from flyweight.toolkit.costs.batch import AT_ONCE, FILES, files, in_pieces, later
from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import SECONDS, Bill, Line, hourly, metered
from flyweight.toolkit.costs.serverless import NO_SERVER, OVERHEAD, active_seconds, egress
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.costs import Costs, Made, Settings, kept_ready

DAYS = 365 / 12


def function(work: Workload) -> Bill:
    """Flex Consumption, billed while an instance is busy, for a second at the least."""
    return Bill((*flex_lines(work), egress(work, "azure")))


def flex_mb(memory_mb: float) -> int:
    """The least size of an instance on Flex Consumption that has this memory; the largest where none has."""
    return next((size for size in (512, 2048, 4096) if memory_mb <= size), 4096)


def flex_share(memory_mb: float) -> float:
    """The share of one CPU that such an instance has: learn.microsoft.com/azure/azure-functions/flex-consumption-plan."""
    return min(flex_mb(memory_mb) / 2048, 1.0)


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


def balancer(work: Workload) -> list[Line]:
    """Azure's load balancer, within a network."""
    through = work.gigabytes_in + work.gigabytes_out
    return [hourly("load balancer", 1, "azurelb.hour"), metered("through it, GB", through, "azurelb.gb")]


def by_files(work: Workload) -> Bill:
    """Blobs whose events call Functions, by Event Grid."""
    return Bill((*flex_lines(in_pieces(work)), *files(work, "blob", "azure.egress.gb")))


def shape(work: Workload, settings: Settings) -> Workload:
    """The workload as the template's parameters serve it."""
    return replace(work, cpus=1.0, front="http", warm_instances=kept_ready(work, settings, "alwaysReadyInstances"))


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """What the template's parameters make around the function."""
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
    note = "identities and roles cost nothing, keys are Microsoft's own; the host's own blobs are a few kB and not counted"
    return lines, [note]


FUNCTION = Option(
    "Azure Functions",
    "serverless",
    "azure",
    function,
    ratings(
        scalability=(4, "to 1,000 instances, each of 512 MB at the least"),
        security=NO_SERVER,
        ease=(4, "two tools deploy: one what it needs, one the code"),
        integration=(5, "bindings to queues, blobs, hubs and databases"),
    ),
    warm=False,
    slowed=lambda work: 1 / flex_share(work.memory_mb),
    overhead=OVERHEAD,
    limits=("230 s an answer over HTTP",),
    most_mb=4096,
)
BY_FILES = later(
    "Azure Functions by files",
    "azure",
    by_files,
    FILES,
    4096,
    AT_ONCE,
    lambda work: flex_share(work.memory_mb),
    scoreFiles="true",
)
COSTS = Costs((FUNCTION, BY_FILES), shape, resources)
