"""The ratings and costs that functions of all clouds share: they are billed while they answer."""

from __future__ import annotations

from flyweight.toolkit.costs.prices import SECONDS, Line, metered
from flyweight.toolkit.costs.workload import FULL, Workload

SCALES = (5, "from zero to thousands of instances, automatically")
NO_SERVER = (5, "no system to patch; its own identity, permissions per resource")
ONE_COMMAND = (5, "one command to deploy, nothing to maintain")
OVERHEAD = 0.010  # seconds between the caller and a function


def egress(work: Workload, cloud: str) -> Line:
    """Price the answers sent to the internet."""
    return metered("data out, GB", work.gigabytes_out, f"{cloud}.egress.gb", f"{cloud}.free.egress.gb")


def active_seconds(work: Workload, least: float, share: float) -> float:
    """Estimate the billed seconds of instances with concurrent requests: `least` seconds per request, without overlap.

    The estimate is limited to one instance all month, or to the instances that the CPU time needs at 60 % utilization.
    """
    busy = work.busy_seconds(share)
    one_by_one = work.requests * max(busy / max(work.requests, 1.0), least)
    return min(one_by_one, max(float(SECONDS), busy / FULL))
