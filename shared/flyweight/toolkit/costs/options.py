"""Every way to deploy a model: what it costs for a workload, how fast it answers, and how it is rated, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from flyweight.toolkit.costs.prices import Bill
from flyweight.toolkit.costs.workload import Workload

CRITERIA = ("scalability", "latency", "cost", "security", "ease", "integration")
# in the order in which options are listed; a family that is not here comes last
FAMILIES = ("serverless", "managed endpoint", "virtual machine", "container", "kubernetes", "edge", "batch")


@dataclass(frozen=True)
class Option:
    """One way to deploy.

    `ratings`: from 1 to 5 with a reason, for what does not depend on the workload; `warm`: whether something always runs, so that
    no caller waits for a cold start; `most_mb`: the memory of the largest instance that is priced; `at_once`: calls that are
    worked on side by side where no caller waits for them.
    """

    name: str
    family: str
    cloud: str
    bill: Callable[[Workload], Bill]
    ratings: Mapping[str, tuple[int, str]]
    warm: bool
    slowed: Callable[[Workload], float] = lambda work: 1.0
    overhead: float = 0.005  # seconds of what stands between the caller and the model
    limits: tuple[str, ...] = ()
    live: bool = True  # answers while the caller waits
    most_mb: float = float("inf")
    at_once: int = 1
    most_folder: float = float("inf")  # bytes

    def latency(self, work: Workload) -> tuple[float, float]:
        """Seconds of a usual answer, and of the slowest one in a hundred: the cold one, where one in a hundred starts cold.

        Where no caller waits, the second is how long all of a run takes.
        """
        warm = work.measured.warm * self.slowed(work) + self.overhead
        if not self.live:
            return warm, max(warm * work.requests / max(work.runs, 1) / self.at_once, warm)
        cold = not self.warm and work.cold_share >= 0.01 and not work.warm_instances
        return warm, (work.measured.cold * self.slowed(work) + self.overhead if cold else warm)


def ratings(**rated: tuple[int, str]) -> dict[str, tuple[int, str]]:
    """Ratings by criterion."""
    return rated


def in_order(options: Iterable[Option]) -> list[Option]:
    """Order options by family; those of one family stay in their order."""
    ranks = {family: rank for rank, family in enumerate(FAMILIES)}
    return sorted(options, key=lambda option: ranks.get(option.family, len(ranks)))


def duration(seconds: float) -> str:
    """A time as people read it."""
    for size, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.3g} {name}"
    return f"{seconds:.3g} s" if seconds >= 10 else f"{1000 * seconds:.0f} ms"
