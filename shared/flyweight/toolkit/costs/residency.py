"""Check whether the data of an option stays where it must, what may leave, and how to prevent that.

`toolkit/targets/NAME/residency.json` describes a cloud: `promise`, the provider's promise for a region; `leaves`, data that
leaves the region by default (`level` 1 if the request's own data may leave, 0 if only names and settings do), also for single
`options`; `regions_in_hand`, how to refuse other regions; `regions`, by country (ISO 3166-1); a region may lack a service. `seen`
quotes `source` as read on `date`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from flyweight.toolkit import targets
from flyweight.toolkit.costs import tables
from flyweight.toolkit.costs.options import CLUSTER, HARDWARE, PAGE, Option
from flyweight.toolkit.costs.prices import Bill, Line
from flyweight.toolkit.costs.servers import OWN_HARDWARE
from flyweight.toolkit.errors import Unpriced

ANYWHERE, REGION, PREMISES, DEVICE, UNION = "any", "region", "premises", "device", "EU"
NOWHERE_ELSE = (ANYWHERE, PREMISES, DEVICE)  # of which no region of a cloud has to be chosen
OWN = (HARDWARE, CLUSTER)  # families that can run on the user's own hardware
COUNTRIES_OF_UNION = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())


@dataclass(frozen=True)
class Leak:
    """Data that leaves a region by default; `level`: 1 if it may be data of requests, 0 if only names and settings."""

    what: str
    level: int
    do: str
    source: str


def checked(residency: str) -> str:
    """Check a residency: any, region, premises, device, a country's two letters, or EU.

    :raises Unpriced: no cloud has a region there.
    """
    place = residency if residency in (*NOWHERE_ELSE, REGION) else residency.upper()
    known = sorted({country for cloud in _table() for country in _regions(cloud).values()})
    if place not in (*NOWHERE_ELSE, REGION, UNION, *known):
        raise Unpriced(
            f"no cloud has a region in {residency!r}", f"choose any, region, premises, device, EU, or one of {', '.join(known)}"
        )
    return place


def known_region(cloud: str, region: str) -> str:
    """Return the country of a region; "" for a cloud whose regions are unknown.

    :raises Unpriced: the cloud does not have this region.
    """
    listed = _regions(cloud)
    if listed and region not in listed:
        raise Unpriced(f"{cloud} has no region {region!r}", f"choose one of {', '.join(sorted(listed))}")
    return listed.get(region, "")


def regions(cloud: str, residency: str) -> list[str]:
    """List the regions of a cloud that satisfy a residency."""
    return [name for name, country in _regions(cloud).items() if _within(country, residency)]


def placed(option: Option, residency: str) -> Option:
    """Adapt an option to a residency: on the user's premises, there is no bill from a cloud."""
    if residency != PREMISES or option.family not in OWN:
        return option
    own = Bill((Line("hardware", 0.0, OWN_HARDWARE),))
    return replace(option, bill=lambda work: own, limits=())


def excluded(option: Option, residency: str) -> str:
    """Explain why an option does not satisfy a residency; empty if it does."""
    if residency == DEVICE:
        return "" if option.on_device else "rows would leave the device that asks"
    if option.family == PAGE:
        return "it answers in a visitor's browser alone: --residency device compares what keeps rows on the device that asks"
    if residency == PREMISES and option.family not in OWN:
        return "data must stay on the premises"
    if residency != PREMISES and option.family == HARDWARE:
        return "your own hardware has no price here: --residency premises compares what can run on it"
    if residency in NOWHERE_ELSE or option.cloud == targets.ANY or regions(option.cloud, residency):
        return ""
    return (
        f"{option.cloud} has no region in {residency}" if _regions(option.cloud) else f"the regions of {option.cloud} are unknown"
    )


def leaks(option: Option, residency: str) -> list[Leak]:
    """List the data that leaves an option's region, if data must stay in a region."""
    if residency in NOWHERE_ELSE or option.cloud not in _table():
        return []
    table = _table()[option.cloud]
    known = [*table["leaves"], *(entry for name, entry in tables.entries("residency", "options") if name == option.name)]
    return [Leak(one["what"], one["level"], one["do"], one["source"]) for one in known]


def rated(option: Option, residency: str, rating: tuple[int, str]) -> tuple[int, str]:
    """Lower the rating of security by one for each kind of request data that leaves by default."""
    serious = [one for one in leaks(option, residency) if one.level]
    return (max(1, rating[0] - len(serious)), "; ".join([rating[1], *(one.what for one in serious)])) if serious else rating


def notes(clouds: tuple[str, ...], residency: str) -> Iterator[tuple[str, str, str]]:
    """Yield for each cloud what its provider promises, what to do, and the source."""
    selected = clouds if residency not in NOWHERE_ELSE else ()
    for cloud, table in [(cloud, _table()[cloud]) for cloud in selected if cloud in _table()]:
        fit = regions(cloud, residency)
        if residency != REGION:
            yield cloud, f"regions in {residency}: {', '.join(fit) or 'none'}", table["regions_source"]
        if fit:
            yield cloud, table["promise"]["what"], table["promise"]["source"]
            yield cloud, table["regions_in_hand"]["what"], table["regions_in_hand"]["source"]
            for leak in table["leaves"]:
                yield cloud, f"but {leak['what']}: {leak['do']}", leak["source"]


def _within(country: str, residency: str) -> bool:
    return residency in (ANYWHERE, REGION, country) or (residency == UNION and country in COUNTRIES_OF_UNION)


def _regions(cloud: str) -> dict[str, str]:
    return dict(_table().get(cloud, {}).get("regions", {}))


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tables.by_cloud("residency")
