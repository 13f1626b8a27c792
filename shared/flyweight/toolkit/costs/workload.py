"""The workload of a deployment: a model's measured figures, its traffic, and figures derived from both."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from flyweight.toolkit.costs.prices import SECONDS

HEADROOM = 1.3  # memory of an instance divided by the measured peak
FULL = 0.6  # utilization of a CPU at the peak


@dataclass(frozen=True)
class Measured:
    """The seconds and bytes of a model on this machine; `runtime` describes the runtime.

    `logged`: bytes that the function logs per request.
    """

    cold: float
    warm: float
    memory: int
    folder: int
    runtime: str = ""
    logged: int = 0


@dataclass(frozen=True)
class Workload:
    """A measured model and its traffic.

    `requests`: per month; `peak`: the peak rate divided by the mean rate; `sent`, `received`: bytes of a request and of its
    answer; `latency`: milliseconds within which 99 of 100 answers should arrive, 0 for no requirement; `cold_share`: the share of
    requests that meet a cold start if no instance is kept warm; `runs`: the batch runs per month among which the requests are
    divided, 0 if requests arrive one by one; `architecture`, `cpus`, `front` (http, rest, url, none; internet for a
    load balancer with public addresses): of a function;
    `snapshots`: whether its cold starts continue from a snapshot; `machine`, `instances`: of what always runs, the kind of its
    machines, "" for the option's usual one, and the least number of them.
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
    snapshots: bool = False
    machine: str = ""
    instances: int = 2

    def at(self, requests: float) -> Workload:
        """Return the workload with another number of requests."""
        return replace(self, requests=requests)

    @property
    def cold_starts(self) -> float:
        """The cold starts per month; none if instances are kept warm."""
        return 0.0 if self.warm_instances else self.requests * self.cold_share

    @property
    def init(self) -> float:
        """The seconds of a cold start before its first answer, which takes as long as any."""
        return max(self.measured.cold - self.measured.warm, 0.0)

    @property
    def peak_rate(self) -> float:
        """The requests per second at the peak."""
        return self.requests / SECONDS * self.peak

    @property
    def gigabytes_out(self) -> float:
        """The gigabytes sent to the internet per month."""
        return self.requests * self.received / 1e9

    @property
    def gigabytes_in(self) -> float:
        """The gigabytes received from the internet per month."""
        return self.requests * self.sent / 1e9

    @property
    def need_mb(self) -> int:
        """The memory that an instance should have, in steps of 128 MB."""
        return math.ceil(HEADROOM * self.measured.memory / 2**20 / 128) * 128

    def busy_seconds(self, share: float = 1.0) -> float:
        """Compute the seconds per month in which requests run, at a share of one CPU, including cold starts."""
        spent = self.measured.warm + self.cold_share * self.measured.cold
        return self.requests * spent / min(share, 1.0)

    def machines(self, cpus: float, least: int) -> int:
        """Compute the number of machines with `cpus` CPUs each that the peak needs at 60 % utilization; at least `least`.

        Each process of Python uses one CPU, and one process runs per CPU.
        """
        return max(least, math.ceil(self.peak_rate * self.measured.warm / (FULL * cpus) - 1e-9))
