"""Options that run all month: managed endpoints, virtual machines, containers; two instances each, so that one may fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flyweight.toolkit.costs.options import HARDWARE, Option, ratings
from flyweight.toolkit.costs.prices import HOURS, SECONDS, Bill, Line, hourly
from flyweight.toolkit.costs.serverless import egress
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.errors import Unpriced
from flyweight.toolkit.targets import ANY

OWN_HARDWARE = "your own hardware, electricity and staff: not priced here"
TWO = "at least two instances, so that one may fail"
Balancer = Callable[[Workload], list[Line]]

ENDPOINT = ratings(
    scalability=(4, "scales by rules, within minutes, down to one"),
    security=(5, "no system to patch, permissions per resource"),
    ease=(3, "a container or an inference script, an endpoint and a scaling rule to write"),
    integration=(5, "registry, monitoring and pipelines of the same platform"),
)
MACHINE = ratings(
    scalability=(2, "machines are added by your own rules, within minutes"),
    security=(2, "you patch and harden the system"),
    ease=(2, "image, service, certificate, balancer and updates to maintain"),
    integration=(3, "anything that you install"),
)
CONTAINER = ratings(
    scalability=(4, "containers are added by rules, within a minute"),
    security=(4, "no host to patch; you maintain the image"),
    ease=(3, "an image to build and a registry to maintain"),
    integration=(4, "HTTP, queues and jobs of the same cloud"),
)


@dataclass(frozen=True)
class Machine:
    """A kind of machine that has a price.

    `price`: the name of its price per hour; `cpus`: those that can be busy all the time; `memory_mb`: its memory.
    """

    name: str
    price: str
    cpus: float
    memory_mb: int


def kind(work: Workload, machines: Sequence[Machine]) -> Machine:
    """Return the kind of machine that a workload names, or the first.

    :raises Unpriced: no price of this kind is recorded.
    """
    names = [machine.name for machine in machines]
    if work.machine and work.machine not in names:
        step = f"choose one of {', '.join(names)}, or add its price to the target's prices.json"
        raise Unpriced(f"the price of {work.machine} is not recorded", step)
    return machines[names.index(work.machine)] if work.machine else machines[0]


def fleet(work: Workload, machines: Sequence[Machine], what: str) -> Line:
    """Price as many machines as the peak needs, by the hour."""
    one = kind(work, machines)
    return hourly(f"{what} ({one.name})", work.machines(one.cpus, work.instances), one.price)


def endpoint(name: str, cloud: str, machines: Sequence[Machine], settings: Mapping[str, str]) -> Option:
    """Create a managed endpoint: at least two instances, by the hour."""

    def bill(work: Workload) -> Bill:
        return Bill((fleet(work, machines, "instances"), egress(work, cloud)))

    most = machines[0].memory_mb
    return Option(name, "managed endpoint", cloud, bill, ENDPOINT, True, limits=(TWO,), most_mb=most, settings=settings)


def virtual_machines(
    name: str, cloud: str, machines: Sequence[Machine], balancer: Balancer, settings: Mapping[str, str]
) -> Option:
    """Create an option of at least two virtual machines behind a load balancer; its platform has the cloud's name."""

    def bill(work: Workload) -> Bill:
        return Bill((fleet(work, machines, "machines"), *balancer(work), egress(work, cloud)))

    return Option(
        name, "virtual machine", cloud, bill, MACHINE, True, limits=(TWO,), most_mb=machines[0].memory_mb, platform=cloud,
        settings=settings,
    )  # fmt: skip


def hardware(name: str, platform: str, rated: dict[str, tuple[int, str]]) -> Option:
    """Create an option on the user's own hardware, for which no cloud sends a bill."""
    bill = Bill((Line("hardware", 0.0, OWN_HARDWARE),))
    return Option(name, HARDWARE, ANY, lambda work: bill, rated, True, platform=platform)


def zonal_balancer(work: Workload, hour: str, unit: str, address: str) -> list[Line]:
    """Price a load balancer in two zones, which has public addresses if callers are on the internet.

    :param hour: the name of its price per hour.
    :param unit: the name of the price of a capacity unit per hour: 25 new connections a second, or a gigabyte an hour.
    :param address: the name of the price of a public address per hour.
    """
    units = max(1.0, work.requests / SECONDS / 25, (work.gigabytes_out + work.gigabytes_in) / HOURS)
    lines = [hourly("load balancer", 1, hour), hourly("its capacity units", round(units, 2), unit)]
    return [*lines, hourly("its public addresses", 2, address)] if work.front == "internet" else lines
