"""The costs of a Cloud Run service: the prices of a Cloud Run function, or of an instance that always has its CPU."""

from __future__ import annotations

from dataclasses import replace

from flyweight.toolkit.costs.options import Option
from flyweight.toolkit.costs.prices import SECONDS, Bill, metered
from flyweight.toolkit.costs.serverless import egress
from flyweight.toolkit.costs.servers import CONTAINER
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.gcp.costs import COSTS as FUNCTIONS
from flyweight.toolkit.targets.gcp.costs import FUNCTION


def always(work: Workload) -> Bill:
    """Price an instance with one CPU that it has all the time: no fee for requests."""
    seconds = work.machines(1.0, 1) * float(SECONDS)
    gibibytes = max(512, work.need_mb) / 1024
    lines = [
        metered("CPU, vCPU-seconds", seconds, "run.always.vcpu_second", "run.always.free.vcpu_second"),
        metered("memory, GiB-seconds", seconds * gibibytes, "run.always.gib_second", "run.always.free.gib_second"),
    ]
    return Bill((*lines, egress(work, "gcp")))


SERVICE = replace(FUNCTION, name="Cloud Run service")
ALWAYS = Option(
    "Cloud Run, CPU always", "container", "gcp", always, CONTAINER, True, most_mb=4096,
    settings={"CPU_ALWAYS": "true", "MIN_INSTANCES": "1"},
)  # fmt: skip
COSTS = replace(FUNCTIONS, options=(SERVICE, ALWAYS))
