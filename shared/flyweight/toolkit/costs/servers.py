"""Options that run all month: managed endpoints, virtual machines, containers; two instances each, so that one may fail."""

from __future__ import annotations

from collections.abc import Callable

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import HOURS, SECONDS, Bill, Line, hourly
from flyweight.toolkit.costs.serverless import egress
from flyweight.toolkit.costs.workload import Workload

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


def endpoint(name: str, cloud: str, price: str, most_mb: int) -> Option:
    """Create a managed endpoint: at least two instances of two CPUs, by the hour."""

    def bill(work: Workload) -> Bill:
        return Bill((hourly("instances", work.machines(2, 2), price), egress(work, cloud)))

    return Option(name, "managed endpoint", cloud, bill, ENDPOINT, True, limits=(TWO,), most_mb=most_mb)


def machines(name: str, cloud: str, price: str, cpus: float, balancer: Balancer, most_mb: int) -> Option:
    """Create an option of at least two virtual machines behind a load balancer."""

    def bill(work: Workload) -> Bill:
        return Bill((hourly("machines", work.machines(cpus, 2), price), *balancer(work), egress(work, cloud)))

    return Option(name, "virtual machine", cloud, bill, MACHINE, True, limits=(TWO,), most_mb=most_mb)


def zonal_balancer(work: Workload, hour: str, unit: str, address: str) -> list[Line]:
    """Price a load balancer in two zones, each with a public address.

    :param hour: the name of its price per hour.
    :param unit: the name of the price of a capacity unit per hour: 25 new connections a second, or a gigabyte an hour.
    :param address: the name of the price of a public address per hour.
    """
    units = max(1.0, work.requests / SECONDS / 25, (work.gigabytes_out + work.gigabytes_in) / HOURS)
    return [
        hourly("load balancer", 1, hour),
        hourly("its capacity units", round(units, 2), unit),
        hourly("its public addresses", 2, address),
    ]
