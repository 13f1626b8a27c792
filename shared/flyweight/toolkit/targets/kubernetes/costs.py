"""The costs of a model on Kubernetes, priced as a new cluster of Amazon's."""

from __future__ import annotations

from flyweight.toolkit.costs.options import CLUSTER, Option, ratings
from flyweight.toolkit.costs.prices import Bill, Line, hourly, metered
from flyweight.toolkit.costs.serverless import egress
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets import ANY
from flyweight.toolkit.targets.aws.costs import balancer
from flyweight.toolkit.targets.costs import Costs, Made


def cluster(work: Workload) -> Bill:
    """Price a cluster: control plane, at least three nodes, load balancer."""
    nodes = max(3, work.machines(2 * 0.8, 2))  # the cluster itself uses a fifth of each node
    lines = (hourly("control plane", 1, "kubernetes.hour"), hourly("nodes (t4g.small)", nodes, "ec2.hour"))
    return Bill((*lines, *balancer(work), egress(work, "aws")))


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price the image; what collects logs and metrics is the cluster's own."""
    lines = [metered("image kept, GB", made.work.measured.folder / 1e9, "ecr.gb")]
    return lines, ["on a cluster that exists, the model adds the CPU and memory that it requests, and no resource that is paid"]


KUBERNETES = Option(
    "Kubernetes",
    CLUSTER,
    ANY,
    cluster,
    ratings(
        scalability=(5, "pods and nodes scale by rules, across clouds"),
        security=(3, "you manage the policies and upgrades of the cluster"),
        ease=(1, "a cluster needs constant operation"),
        integration=(5, "KServe, meshes, canaries, all tools for Kubernetes"),
    ),
    warm=True,
    limits=("priced as EKS with t4g.small nodes",),
    most_mb=2048,
)
COSTS = Costs((KUBERNETES,), resources=resources)
