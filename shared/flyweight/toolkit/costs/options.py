"""An option is a way to deploy a model, with its costs for a workload, its latency, and its ratings with reasons."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from flyweight.toolkit.costs.prices import Bill
from flyweight.toolkit.costs.workload import Measured, Workload

CRITERIA = ("scalability", "latency", "cost", "security", "ease", "integration")
HARDWARE = "own hardware"  # the family of options for which no cloud sends a bill
CLUSTER = "cluster"
PAGE = "web page"  # in a visitor's browser
# the order in which options are listed; other families come last
FAMILIES = ("serverless", "managed endpoint", "virtual machine", "container", CLUSTER, HARDWARE, "batch", PAGE)


@dataclass(frozen=True)
class Option:
    """A way to deploy a model.

    `ratings`: from 1 to 5 with a reason, for criteria that do not depend on the workload; `warm`: whether an instance always
    runs, so that no caller waits for a cold start; `most_mb`: the memory of the largest priced instance; `at_once`: concurrent
    calls when no caller waits; `platform`, `settings`: the platform and the parameters of a deployment that make it this option,
    the first of which tells it from other options of its target; `deploy`: another tool's command line that deploys the built
    folder, where `flyweight deploy` does not; `on_device`: whether rows stay on the device that asks. Filled in where options
    are listed: `target`, the name of the target that makes it, and `measured`, the model in that target's own runtime, None if
    it was not measured there.
    """

    name: str
    family: str
    cloud: str
    bill: Callable[[Workload], Bill]
    ratings: Mapping[str, tuple[int, str]]
    warm: bool
    slowed: Callable[[Workload], float] = lambda work: 1.0
    overhead: float = 0.005  # seconds between the caller and the model
    limits: tuple[str, ...] = ()
    live: bool = True  # whether a caller waits for the answer
    most_mb: float = float("inf")
    at_once: int = 1
    most_folder: float = float("inf")  # bytes
    keeps_ready: bool = True  # whether instances that are kept ready have a price, so that they can be counted on
    platform: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    deploy: str = ""
    on_device: bool = False
    target: str = ""
    measured: Measured | None = None

    def workload(self, work: Workload) -> Workload:
        """Return the workload with the figures of the option's own runtime, and the memory that an instance needs for them."""
        taken = replace(work, measured=self.measured or work.measured)
        return replace(taken, memory_mb=max(taken.memory_mb, taken.need_mb))

    def cost(self, work: Workload) -> Bill:
        """Price a workload with the figures of the option's own runtime."""
        return self.bill(self.workload(work))

    def commands(self, model: str) -> dict[str, str]:
        """Return the command lines that build and deploy a model as this option, by verb."""
        chosen = ["--platform", self.platform] if self.platform else []
        chosen += [word for name, value in self.settings.items() for word in ("--set", f"{name}={value}")]
        words = [self.target, "--model", model]
        return {
            "build": shlex.join(["flyweight", "build", *words]),
            "deploy": self.deploy or shlex.join(["flyweight", "deploy", *words, *chosen]),
        }

    def latency(self, work: Workload) -> tuple[float, float]:
        """Estimate the seconds of a usual answer, and of the 99th percentile, which is a cold start if 1 % of requests are cold.

        If no caller waits, the second value is the duration of a complete run.
        """
        warm = work.measured.warm * self.slowed(work) + self.overhead
        if not self.live:
            return warm, max(warm * work.requests / max(work.runs, 1) / self.at_once, warm)
        cold = not self.warm and work.cold_share >= 0.01 and not (work.warm_instances and self.keeps_ready)
        return warm, (work.measured.cold * self.slowed(work) + self.overhead if cold else warm)


def ratings(**rated: tuple[int, str]) -> dict[str, tuple[int, str]]:
    """Return ratings by criterion."""
    return rated


def in_order(options: Iterable[Option]) -> list[Option]:
    """Sort options by family; the order within a family is kept."""
    ranks = {family: rank for rank, family in enumerate(FAMILIES)}
    return sorted(options, key=lambda option: ranks.get(option.family, len(ranks)))


def duration(seconds: float) -> str:
    """Format a duration in seconds."""
    for size, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.3g} {name}"
    return f"{seconds:.3g} s" if seconds >= 10 else f"{1000 * seconds:.0f} ms"
