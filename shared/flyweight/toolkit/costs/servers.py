"""What runs all month, with or without requests: managed endpoints, virtual machines, containers; two that one may fail."""

from __future__ import annotations

from collections.abc import Callable

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import HOURS, SECONDS, Bill, Line, hourly
from flyweight.toolkit.costs.serverless import egress
from flyweight.toolkit.costs.workload import Workload

TWO = "two at the least, so that one may fail"
Balancer = Callable[[Workload], list[Line]]

ENDPOINT = ratings(
    scalability=(4, "scales by rules, in minutes, down to one"),
    security=(5, "no system to patch, rights by resource"),
    ease=(3, "a container or an inference script, an endpoint and a scaling rule to write"),
    integration=(5, "registry, monitoring and pipelines of the same platform"),
)
MACHINE = ratings(
    scalability=(2, "machines are added by rules of your own, in minutes"),
    security=(2, "the system is yours to patch and to harden"),
    ease=(2, "image, service, certificate, balancer and updates to look after"),
    integration=(3, "anything that you install"),
)
CONTAINER = ratings(
    scalability=(4, "more containers within a minute, by rule"),
    security=(4, "no host to patch; the image is yours"),
    ease=(3, "an image to build and a registry to keep"),
    integration=(4, "HTTP, queues and jobs of the same cloud"),
)


def endpoint(name: str, cloud: str, price: str, most_mb: int) -> Option:
    """A managed endpoint: instances of two CPUs by the hour, two of them."""

    def bill(work: Workload) -> Bill:
        return Bill((hourly("instances", work.machines(2, 2), price), egress(work, cloud)))

    return Option(name, "managed endpoint", cloud, bill, ENDPOINT, True, limits=(TWO,), most_mb=most_mb)


def machines(name: str, cloud: str, price: str, cpus: float, balancer: Balancer, most_mb: int) -> Option:
    """Virtual machines behind a load balancer, two of them."""

    def bill(work: Workload) -> Bill:
        return Bill((hourly("machines", work.machines(cpus, 2), price), *balancer(work), egress(work, cloud)))

    return Option(name, "virtual machine", cloud, bill, MACHINE, True, limits=(TWO,), most_mb=most_mb)


def zonal_balancer(work: Workload, hour: str, unit: str, address: str) -> list[Line]:
    """A load balancer in two zones, each with a public address.

    :param hour: the price of its hours, by name.
    :param unit: the price of an hour of a capacity unit: 25 new connections a second, or a gigabyte an hour.
    :param address: the price of an hour of a public address.
    """
    units = max(1.0, work.requests / SECONDS / 25, (work.gigabytes_out + work.gigabytes_in) / HOURS)
    return [
        hourly("load balancer", 1, hour),
        hourly("its capacity units", round(units, 2), unit),
        hourly("its public addresses", 2, address),
    ]
