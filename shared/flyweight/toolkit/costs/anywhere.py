"""Options that belong to no cloud: the user's own Kubernetes cluster, and devices."""

from __future__ import annotations

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import Bill, Line, hourly
from flyweight.toolkit.costs.serverless import egress
from flyweight.toolkit.costs.servers import zonal_balancer
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets import ANY


def kubernetes(work: Workload) -> Bill:
    """Price a cluster: control plane, at least three nodes, load balancer."""
    nodes = max(3, work.machines(2 * 0.8, 2))  # the cluster itself uses a fifth of each node
    lines = (hourly("control plane", 1, "kubernetes.hour"), hourly("nodes", nodes, "ec2.hour"))
    balancer = zonal_balancer(work, "alb.hour", "lcu.hour", "aws.address.hour")
    return Bill((*lines, *balancer, egress(work, "aws")))


def devices(work: Workload) -> Bill:
    """Return a bill of nothing: the devices and their electricity are already paid for."""
    return Bill((Line("devices", 0.0, "already paid for; updates are sent as files"),))


OPTIONS = (
    Option(
        "Kubernetes",
        "kubernetes",
        ANY,
        kubernetes,
        ratings(
            scalability=(5, "pods and nodes scale by rules, across clouds"),
            security=(3, "you manage the policies and upgrades of the cluster"),
            ease=(1, "a cluster needs constant operation"),
            integration=(5, "KServe, meshes, canaries, all tools for Kubernetes"),
        ),
        warm=True,
        limits=("priced as EKS with t4g.small nodes",),
        most_mb=2048,
    ),
    Option(
        "On the device",
        "edge",
        ANY,
        devices,
        ratings(
            scalability=(5, "every device brings its own CPU"),
            security=(3, "data stays on the device; the model can be copied from it"),
            ease=(2, "an app to ship, and models to update on remote devices"),
            integration=(2, "LiteRT or ONNX Runtime inside an app; the pure engine on devices with Python"),
        ),
        warm=True,
        overhead=0.0,
        limits=("LiteRT or ONNX Runtime must support the model: flyweight pack --engine",),
    ),
)
