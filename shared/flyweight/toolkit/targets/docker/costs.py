"""The costs of containers: Fargate, Container Apps and App Service, and an engine of the user's own."""

from __future__ import annotations

import math
from dataclasses import replace

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import HOURS, SECONDS, Bill, Line, metered
from flyweight.toolkit.costs.serverless import active_seconds, egress
from flyweight.toolkit.costs.servers import CONTAINER, TWO, Machine, fleet, hardware
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.aws.costs import balancer, watching
from flyweight.toolkit.targets.costs import Costs, Made, Settings

UNITS = 1024  # of a processor on Fargate
TASK = "512/1024/X86_64"  # Cpu, Memory and Architecture of a task that no parameters describe
REPLICA_CPU, REPLICA_GIB = 0.25, 0.5  # infra/docker/container_apps.json
PLANS = (Machine("B1", "appservice.hour", 1, 1792),)
OWN = ratings(
    scalability=(1, "as far as the machine goes"),
    security=(3, "data stays with you; you patch the host, and maintain the image"),
    ease=(3, "one command starts it; the host and its certificate are yours to maintain"),
    integration=(3, "anything that the engine runs"),
)


def fargate(work: Workload) -> Bill:
    """Price tasks behind a load balancer, with more memory than usual if the model needs it."""
    units, memory, architecture = (work.machine or TASK).split("/")
    cpus, arm = int(units) / UNITS, ".arm" if architecture == "ARM64" else ""
    gigabytes = int(memory) / 1024 if work.machine else max(1, math.ceil(work.need_mb / 1024))
    tasks = work.machines(cpus, work.instances)
    lines = [
        metered("task CPU, vCPU-hours", tasks * cpus * HOURS, f"fargate{arm}.vcpu_hour"),
        metered("task memory, GB-hours", tasks * gigabytes * HOURS, f"fargate{arm}.gb_hour"),
    ]
    return Bill((*lines, *balancer(work), egress(work, "aws")))


def fargate_slows(work: Workload) -> float:
    """Return the factor by which a task is slower than a whole CPU."""
    return max(1.0, UNITS / int((work.machine or TASK).split("/")[0]))


def container_app(work: Workload) -> Bill:
    """Price a container app: replicas that are kept, active for a second for each request, and idle between."""
    seconds = work.machines(REPLICA_CPU, 1) * SECONDS
    active = min(active_seconds(work, 1.0, REPLICA_CPU), seconds)
    lines = [
        metered("requests", work.requests, "aca.request", "aca.free.request"),
        metered("CPU, vCPU-seconds", active * REPLICA_CPU, "aca.vcpu_second", "aca.free.vcpu_second"),
        metered("CPU, idle vCPU-seconds", seconds * REPLICA_CPU, "aca.idle.vcpu_second"),  # all month: less while it is active
        metered("memory, GiB-seconds", seconds * REPLICA_GIB, "aca.gib_second", "aca.free.gib_second"),
    ]
    return Bill((*lines, egress(work, "azure")))


def app_service(work: Workload) -> Bill:
    """Price the machines of an App Service plan; its load balancer is included."""
    return Bill((fleet(work, PLANS, "machines of the plan"), egress(work, "azure")))


def shape(work: Workload, settings: Settings) -> Workload:
    """Adapt the workload to the parameters of a platform."""
    task = "/".join(settings[name] for name in ("Cpu", "Memory", "Architecture") if name in settings)
    least = next((int(settings[name]) for name in ("Least", "instances") if settings.get(name)), 1)
    front = "internet" if settings.get("Scheme") == "internet-facing" else "http"
    return replace(work, machine=task or settings.get("sku", ""), instances=least, front=front)


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price the image, and the log where the platform keeps it."""
    platform, gigabytes = made.settings.get("platform", ""), made.work.measured.folder / 1e9
    if platform == "compose":
        return [], ["it creates nothing that is paid"]
    if platform == "fargate":
        notes = [
            "roles, the cluster and scaling rules are free",
            "not counted: the layers of the image's base, endpoints of the network",
        ]
        return [*watching(made), metered("image kept, GB", gigabytes, "ecr.gb")], notes
    notes = ["identities and roles are free; logs are in the platform's own stream, of which nothing is kept"]
    if made.settings.get("least") == "0":
        notes.append("priced with one replica that always runs; with least=0 it costs less, and starts cold")
    return [metered("registry of images, Basic", 1, "acr.month")], notes


COSTS = Costs(
    (
        hardware("Docker on your own machine", "compose", OWN),
        Option(
            "Fargate", "container", "aws", fargate, CONTAINER, True, slowed=fargate_slows, limits=(TWO,), most_mb=4096,
            platform="fargate", settings={"Cpu": "512", "Memory": "1024", "Least": "2"},
        ),
        Option(
            "Container Apps", "container", "azure", container_app, CONTAINER, True, slowed=lambda work: 1 / REPLICA_CPU,
            most_mb=512, platform="container_apps", settings={"least": "1"},
        ),
        Option(
            "App Service", "container", "azure", app_service, CONTAINER, True, limits=(TWO,), most_mb=PLANS[0].memory_mb,
            platform="app_service", settings={"instances": "2"},
        ),
    ),
    shape,
    resources,
)  # fmt: skip
