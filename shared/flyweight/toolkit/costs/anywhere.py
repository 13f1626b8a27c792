"""Ways to deploy that belong to no cloud: a cluster of one's own, and the devices of one's users."""

from __future__ import annotations

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import Bill, Line, hourly
from flyweight.toolkit.costs.serverless import egress
from flyweight.toolkit.costs.servers import zonal_balancer
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets import ANY


def kubernetes(work: Workload) -> Bill:
    """A cluster of its own: control plane, three nodes at the least, load balancer."""
    nodes = max(3, work.machines(2 * 0.8, 2))  # a fifth of a node is the cluster's own
    lines = (hourly("control plane", 1, "kubernetes.hour"), hourly("nodes", nodes, "ec2.hour"))
    balancer = zonal_balancer(work, "alb.hour", "lcu.hour", "aws.address.hour")
    return Bill((*lines, *balancer, egress(work, "aws")))


def devices(work: Workload) -> Bill:
    """The devices are there already, and so is their electricity."""
    return Bill((Line("devices", 0.0, "they are yours already; updates are sent as files"),))


OPTIONS = (
    Option(
        "Kubernetes",
        "kubernetes",
        ANY,
        kubernetes,
        ratings(
            scalability=(5, "pods and nodes scale by rule, over clouds"),
            security=(3, "policies and upgrades of the cluster are yours"),
            ease=(1, "a cluster is a product of its own to run"),
            integration=(5, "KServe, meshes, canaries, anything that speaks Kubernetes"),
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
            ease=(2, "an app to ship, and models to update on devices that are away"),
            integration=(2, "LiteRT or ONNX Runtime inside an app; the pure engine where there is Python"),
        ),
        warm=True,
        overhead=0.0,
        limits=("LiteRT or ONNX Runtime has to take the model: flyweight pack --engine",),
    ),
)
