"""What runs all month, whether anybody asks or not: managed endpoints, virtual machines, containers, Kubernetes."""

from __future__ import annotations

from collections.abc import Callable

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import HOURS, SECONDS, Bill, Line, hourly, metered
from flyweight.toolkit.costs.workload import Workload

TWO = "two at the least, so that one may fail"


def endpoint(name: str, cpus: float, cloud: str) -> Callable[[Workload], Bill]:
    """A managed endpoint: instances by the hour, two of them."""

    def bill(work: Workload) -> Bill:
        return Bill((hourly("instances", work.machines(cpus, 2), name), _egress(work, cloud)))

    return bill


def machines(name: str, cpus: float, balancer: str, cloud: str) -> Callable[[Workload], Bill]:
    """Virtual machines behind a load balancer, two of them."""

    def bill(work: Workload) -> Bill:
        count = work.machines(cpus, 2)
        return Bill((hourly("machines", count, name), hourly("load balancer", 1, balancer), _egress(work, cloud)))

    return bill


def fargate(work: Workload) -> Bill:
    """Tasks of half a CPU and a gigabyte behind a load balancer, two of them."""
    count = work.machines(0.5, 2)
    units = max(1.0, work.requests / SECONDS / 25, (work.gigabytes_out + work.requests * work.sent / 1e9) / HOURS)
    lines = [
        metered("task CPU, vCPU-hours", count * 0.5 * HOURS, "fargate.vcpu_hour"),
        metered("task memory, GB-hours", count * 1.0 * HOURS, "fargate.gb_hour"),
        hourly("load balancer", 1, "alb.hour"),
        hourly("its capacity units", round(units, 2), "lcu.hour"),
    ]
    return Bill((*lines, _egress(work, "aws")))


def run_service(work: Workload) -> Bill:
    """A container of one's own on Cloud Run, one instance kept."""
    return _billed_by_second(work, "run", "gcp")


def container_app(work: Workload) -> Bill:
    """A container app, one replica kept, at the active rate while requests come."""
    return _billed_by_second(work, "aca", "azure")


def kubernetes(work: Workload) -> Bill:
    """A cluster of its own: control plane, three nodes at the least, load balancer."""
    nodes = max(3, work.machines(2 * 0.8, 2))  # a fifth of a node is the cluster's own
    lines = (
        hourly("control plane", 1, "kubernetes.hour"),
        hourly("nodes", nodes, "kubernetes.node.hour"),
        hourly("load balancer", 1, "alb.hour"),
    )
    return Bill((*lines, _egress(work, "aws")))


def _billed_by_second(work: Workload, service: str, cloud: str) -> Bill:
    """Half a CPU and half a gigabyte a replica, all month."""
    count = work.machines(0.5, 1)
    lines = [
        metered("requests", work.requests, f"{service}.request", f"{service}.free.request"),
        metered("CPU, vCPU-seconds", count * 0.5 * SECONDS, f"{service}.vcpu_second", f"{service}.free.vcpu_second"),
        metered("memory, GiB-seconds", count * 0.5 * SECONDS, f"{service}.gib_second", f"{service}.free.gib_second"),
    ]
    return Bill((*lines, _egress(work, cloud)))


def _egress(work: Workload, cloud: str) -> Line:
    return metered("data out, GB", work.gigabytes_out, f"{cloud}.egress.gb", f"{cloud}.free.egress.gb")


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

OPTIONS = (
    Option("SageMaker endpoint", "managed endpoint", "aws", endpoint("sagemaker.hour", 2, "aws"), _ENDPOINT, True, limits=(TWO,)),
    Option("Vertex AI endpoint", "managed endpoint", "gcp", endpoint("vertex.hour", 2, "gcp"), _ENDPOINT, True, limits=(TWO,)),
    Option(
        "Azure ML endpoint", "managed endpoint", "azure", endpoint("azureml.hour", 2, "azure"), _ENDPOINT, True, limits=(TWO,)
    ),
    Option("EC2 machines", "virtual machine", "aws", machines("ec2.hour", 2, "alb.hour", "aws"), _MACHINE, True, limits=(TWO,)),
    Option(
        "Compute Engine machines",
        "virtual machine",
        "gcp",
        machines("gce.hour", 0.5, "gclb.hour", "gcp"),
        _MACHINE,
        True,
        limits=(TWO,),
    ),
    Option(
        "Azure machines",
        "virtual machine",
        "azure",
        machines("azurevm.hour", 0.2, "azurelb.hour", "azure"),
        _MACHINE,
        True,
        limits=(TWO,),
    ),
    Option("Fargate", "container", "aws", fargate, _CONTAINER, True, slowed=lambda work: 2.0, limits=(TWO,)),
    Option("Cloud Run container", "container", "gcp", run_service, _CONTAINER, True, slowed=lambda work: 2.0),
    Option("Container Apps", "container", "azure", container_app, _CONTAINER, True, slowed=lambda work: 2.0),
    Option("Kubernetes", "kubernetes", "any", kubernetes, _CLUSTER, True, limits=("priced as EKS with t4g.small nodes",)),
)
