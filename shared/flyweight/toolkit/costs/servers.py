"""What runs all month, whether anybody asks or not: managed endpoints, virtual machines, containers, Kubernetes."""

from __future__ import annotations

import math
from collections.abc import Callable

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import HOURS, SECONDS, Bill, Line, hourly, metered
from flyweight.toolkit.costs.serverless import active_seconds, egress
from flyweight.toolkit.costs.workload import Workload

TWO = "two at the least, so that one may fail"
Balancer = Callable[[Workload], list[Line]]


def endpoint(name: str, cpus: float, cloud: str) -> Callable[[Workload], Bill]:
    """A managed endpoint: instances by the hour, two of them."""

    def bill(work: Workload) -> Bill:
        return Bill((hourly("instances", work.machines(cpus, 2), name), egress(work, cloud)))

    return bill


def machines(name: str, cpus: float, balancer: Balancer, cloud: str) -> Callable[[Workload], Bill]:
    """Virtual machines behind a load balancer, two of them."""

    def bill(work: Workload) -> Bill:
        return Bill((hourly("machines", work.machines(cpus, 2), name), *balancer(work), egress(work, cloud)))

    return bill


def alb(work: Workload) -> list[Line]:
    """Amazon's load balancer in two zones, each with a public address."""
    units = max(1.0, work.requests / SECONDS / 25, (work.gigabytes_out + work.gigabytes_in) / HOURS)
    return [
        hourly("load balancer", 1, "alb.hour"),
        hourly("its capacity units", round(units, 2), "lcu.hour"),
        hourly("its public addresses", 2, "aws.address.hour"),
    ]


def gclb(work: Workload) -> list[Line]:
    """Google's load balancer."""
    through = work.gigabytes_in + work.gigabytes_out
    return [hourly("load balancer", 1, "gclb.hour"), metered("through it, GB", through, "gclb.gb")]


def azurelb(work: Workload) -> list[Line]:
    """Azure's load balancer."""
    through = work.gigabytes_in + work.gigabytes_out
    return [
        hourly("load balancer", 1, "azurelb.hour"),
        metered("through it, GB", through, "azurelb.gb"),
        hourly("its public address", 1, "azure.address.hour"),
    ]


def fargate(work: Workload) -> Bill:
    """Tasks of half a CPU and a gigabyte, or what the model needs, behind a load balancer, two of them."""
    count, gigabytes = work.machines(0.5, 2), max(1, math.ceil(work.need_mb / 1024))
    lines = [
        metered("task CPU, vCPU-hours", count * 0.5 * HOURS, "fargate.vcpu_hour"),
        metered("task memory, GB-hours", count * float(gigabytes) * HOURS, "fargate.gb_hour"),
    ]
    return Bill((*lines, *alb(work), egress(work, "aws")))


def run_service(work: Workload) -> Bill:
    """A container of one's own on Cloud Run, one instance of one CPU that always has it: no fee for requests."""
    seconds = work.machines(1.0, 1) * SECONDS
    gibibytes = max(512, work.need_mb) / 1024
    lines = [
        metered("CPU, vCPU-seconds", seconds, "run.job.vcpu_second", "run.job.free.vcpu_second"),
        metered("memory, GiB-seconds", seconds * gibibytes, "run.job.gib_second", "run.job.free.gib_second"),
    ]
    return Bill((*lines, egress(work, "gcp")))


def container_app(work: Workload) -> Bill:
    """A container app, one replica of half a CPU and a gibibyte kept, idle between requests, which count for a second each."""
    seconds = work.machines(0.5, 1) * SECONDS
    active = min(active_seconds(work, 1.0, 0.5), seconds)
    lines = [
        metered("requests", work.requests, "aca.request", "aca.free.request"),
        metered("CPU, vCPU-seconds", active * 0.5, "aca.vcpu_second", "aca.free.vcpu_second"),
        metered("CPU, idle vCPU-seconds", seconds * 0.5, "aca.idle.vcpu_second"),  # all month: less while it is active
        metered("memory, GiB-seconds", seconds * 1.0, "aca.gib_second", "aca.free.gib_second"),
    ]
    return Bill((*lines, egress(work, "azure")))


def kubernetes(work: Workload) -> Bill:
    """A cluster of its own: control plane, three nodes at the least, load balancer."""
    nodes = max(3, work.machines(2 * 0.8, 2))  # a fifth of a node is the cluster's own
    lines = (hourly("control plane", 1, "kubernetes.hour"), hourly("nodes", nodes, "ec2.hour"))
    return Bill((*lines, *alb(work), egress(work, "aws")))


_ENDPOINT = ratings(
    scalability=(4, "scales by rules, in minutes, down to one"),
    security=(5, "no system to patch, rights by resource"),
    ease=(3, "a container or an inference script, an endpoint and a scaling rule to write"),
    integration=(5, "registry, monitoring and pipelines of the same platform"),
)
_MACHINE = ratings(
    scalability=(2, "machines are added by rules of your own, in minutes"),
    security=(2, "the system is yours to patch and to harden"),
    ease=(2, "image, service, certificate, balancer and updates to look after"),
    integration=(3, "anything that you install"),
)
_CONTAINER = ratings(
    scalability=(4, "more containers within a minute, by rule"),
    security=(4, "no host to patch; the image is yours"),
    ease=(3, "an image to build and a registry to keep"),
    integration=(4, "HTTP, queues and jobs of the same cloud"),
)
_CLUSTER = ratings(
    scalability=(5, "pods and nodes scale by rule, over clouds"),
    security=(3, "policies and upgrades of the cluster are yours"),
    ease=(1, "a cluster is a product of its own to run"),
    integration=(5, "KServe, meshes, canaries, anything that speaks Kubernetes"),
)


def _managed(name: str, cloud: str, price: str, most_mb: int) -> Option:
    return Option(name, "managed endpoint", cloud, endpoint(price, 2, cloud), _ENDPOINT, True, limits=(TWO,), most_mb=most_mb)


def _virtual(name: str, cloud: str, price: str, cpus: float, balancer: Balancer, most_mb: int) -> Option:
    bill = machines(price, cpus, balancer, cloud)
    return Option(name, "virtual machine", cloud, bill, _MACHINE, True, limits=(TWO,), most_mb=most_mb)


OPTIONS = (
    _managed("SageMaker endpoint", "aws", "sagemaker.hour", 4096),
    _managed("Vertex AI endpoint", "gcp", "vertex.hour", 8192),
    _managed("Azure ML endpoint", "azure", "azureml.hour", 7168),
    _virtual("EC2 machines", "aws", "ec2.hour", 2, alb, 2048),
    _virtual("Compute Engine machines", "gcp", "gce.hour", 0.5, gclb, 2048),
    _virtual("Azure machines", "azure", "azurevm.hour", 0.1, azurelb, 1024),
    Option("Fargate", "container", "aws", fargate, _CONTAINER, True, slowed=lambda work: 2.0, limits=(TWO,), most_mb=4096),
    Option("Cloud Run container", "container", "gcp", run_service, _CONTAINER, True, most_mb=4096),
    Option("Container Apps", "container", "azure", container_app, _CONTAINER, True, slowed=lambda work: 2.0, most_mb=1024),
    Option(
        "Kubernetes",
        "kubernetes",
        "any",
        kubernetes,
        _CLUSTER,
        True,
        limits=("priced as EKS with t4g.small nodes",),
        most_mb=2048,
    ),
)
