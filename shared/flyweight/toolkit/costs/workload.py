"""What a deployment has to do: a model's measured figures and its traffic, and what follows from the two."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from flyweight.toolkit.costs.prices import SECONDS

HEADROOM = 1.3  # memory an instance is given, by the peak that was measured
FULL = 0.6  # of a CPU is used at the busiest time


@dataclass(frozen=True)
class Measured:
    """What the model took on this machine: seconds and bytes; `runtime` says in what it was measured.

    `logged`: bytes that the function logs for one request.
    """

    cold: float
    warm: float
    memory: int
    folder: int
    runtime: str = ""
    logged: int = 0


@dataclass(frozen=True)
class Workload:
    """A model, and what is asked of it.

    `requests`: a month; `peak`: how many times the mean rate the busiest time has; `sent`, `received`: bytes of a request and of
    its answer; `latency`: milliseconds within which 99 of 100 answers should come, 0 for no matter; `cold_share`: the share of
    requests that meet a cold start where nothing is kept warm; `runs`: into how many runs a month a data set's requests are
    parted, 0 where they come one by one; `architecture`, `cpus`, `front` (http, rest, url, none): of a function.
    """

    measured: Measured
    requests: float = 1e6
    rows: int = 1
    peak: float = 10.0
    sent: int = 1000
    received: int = 500
    latency: float = 0.0
    cold_share: float = 0.01
    warm_instances: int = 0
    memory_mb: int = 512
    runs: int = 0
    architecture: str = "arm64"
    cpus: float = 1.0
    front: str = "http"

    def at(self, requests: float) -> Workload:
        """The same with another number of requests."""
        return replace(self, requests=requests)

    @property
    def peak_rate(self) -> float:
        """Requests a second at the busiest time."""
        return self.requests / SECONDS * self.peak

    @property
    def gigabytes_out(self) -> float:
        """What leaves for the internet in a month."""
        return self.requests * self.received / 1e9

    @property
    def gigabytes_in(self) -> float:
        """What comes from the internet in a month."""
        return self.requests * self.sent / 1e9

    @property
    def need_mb(self) -> int:
        """Memory that an instance should have, in steps of 128 MB."""
        return math.ceil(HEADROOM * self.measured.memory / 2**20 / 128) * 128

    def busy_seconds(self, share: float = 1.0) -> float:
        """Seconds in which something runs for a request, at a share of one CPU; cold starts included."""
        spent = self.measured.warm + self.cold_share * self.measured.cold
        return self.requests * spent / min(share, 1.0)

    def machines(self, cpus: float, least: int) -> int:
        """How many machines with `cpus` CPUs each the busiest time needs, at 60 of 100 of what they can; at least `least`.

        Python answers on one CPU a process, and as many processes run as there are CPUs.
        """
        return max(least, math.ceil(self.peak_rate * self.measured.warm / (FULL * cpus) - 1e-9))
