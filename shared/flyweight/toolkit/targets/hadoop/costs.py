"""The costs of a streaming job of Hadoop: none but those of the cluster, which is there already."""

from __future__ import annotations

from flyweight.toolkit.costs.batch import own_job
from flyweight.toolkit.costs.options import ratings
from flyweight.toolkit.costs.prices import Line
from flyweight.toolkit.targets.costs import Costs, Made

OWN = ratings(
    scalability=(4, "the nodes of your cluster; a lost one's rows are scored again"),
    security=(3, "data stays with you; you patch and harden the cluster"),
    ease=(2, "one file and one command; the cluster is yours to maintain"),
    integration=(3, "files in HDFS, and streaming jobs around it"),
)


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price nothing: the mapper is a file in HDFS, and its job takes turns with others on the cluster."""
    return [], ["it creates nothing that is paid: a folder in HDFS, and jobs on machines that run anyway"]


COSTS = Costs((own_job("Hadoop on your own cluster", OWN, input="FOLDER", output="FOLDER"),), resources=resources)
