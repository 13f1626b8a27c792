"""What the functions of all clouds have in common: they are billed while they answer."""

from __future__ import annotations

from flyweight.toolkit.costs.prices import SECONDS, Line, metered
from flyweight.toolkit.costs.workload import FULL, Workload

SCALES = (5, "from none to thousands of instances, without anybody's doing")
NO_SERVER = (5, "no system to patch; an identity of its own, rights by resource")
ONE_COMMAND = (5, "one command deploys, nothing to look after")
OVERHEAD = 0.010  # seconds of what stands between the caller and a function


def egress(work: Workload, cloud: str) -> Line:
    """Answers, on their way to the internet."""
    return metered("data out, GB", work.gigabytes_out, f"{cloud}.egress.gb", f"{cloud}.free.egress.gb")


def active_seconds(work: Workload, least: float, share: float) -> float:
    """Seconds in which instances are billed that take several requests at once: `least` a request, while they come one by one.

    At the most one instance is busy all month, or as many as the CPU time takes at 60 of 100 of what they can.
    """
    busy = work.busy_seconds(share)
    one_by_one = work.requests * max(busy / max(work.requests, 1.0), least)
    return min(one_by_one, max(float(SECONDS), busy / FULL))
