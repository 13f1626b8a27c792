"""Where data may be, and an option, to whether it stays there, what still leaves, and what to do about that.

What is known of a cloud stands in `toolkit/targets/NAME/residency.json`: `promise`, what the provider promises of a region;
`leaves`, what leaves it or spreads beyond it unless something is done (`level` 1 where the request's own data may, 0 where only
names and settings do), and the same of single `options`; `regions_in_hand`, how others are refused; `regions`, by the country
that they lie in (ISO 3166-1); a service may be missing in one. `seen` quotes what was read at `source` on `date`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from flyweight.toolkit import targets
from flyweight.toolkit.costs import tables
from flyweight.toolkit.costs.options import Option
from flyweight.toolkit.costs.prices import Bill, Line
from flyweight.toolkit.errors import Unpriced

ANYWHERE, REGION, PREMISES, UNION = "any", "region", "premises", "EU"
COUNTRIES_OF_UNION = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
OWN = ("edge", "kubernetes")  # families that run on hardware of one's own


@dataclass(frozen=True)
class Leak:
    """What leaves a region unless something is done; `level`: 1 where it may be data, 0 where it is names and settings."""

    what: str
    level: int
    do: str
    source: str


def checked(wanted: str) -> str:
    """What was asked for, if it can be: any, region, premises, a country's two letters, or EU.

    :raises Unpriced: no cloud has a region there.
    """
    place = wanted if wanted in (ANYWHERE, REGION, PREMISES) else wanted.upper()
    known = sorted({country for cloud in _table() for country in _regions(cloud).values()})
    if place not in (ANYWHERE, REGION, PREMISES, UNION, *known):
        raise Unpriced(f"no cloud has a region in {wanted!r}", f"choose any, region, premises, EU, or one of {', '.join(known)}")
    return place


def known_region(cloud: str, region: str) -> str:
    """The country of a region; "" for a cloud whose regions are not known.

    :raises Unpriced: the cloud has no such region.
    """
    listed = _regions(cloud)
    if listed and region not in listed:
        raise Unpriced(f"{cloud} has no region {region!r}", f"choose one of {', '.join(sorted(listed))}")
    return listed.get(region, "")


def regions(cloud: str, wanted: str) -> list[str]:
    """The regions of a cloud that will do."""
    return [name for name, country in _regions(cloud).items() if _within(country, wanted)]


def placed(option: Option, wanted: str) -> Option:
    """An option where data may be: on premises of one's own there is no bill from a cloud."""
    if wanted != PREMISES or option.family not in OWN:
        return option
    own = Bill((Line("hardware", 0.0, "your own, with its electricity and its people: not priced here"),))
    return replace(option, bill=lambda work: own, limits=())


def excluded(option: Option, wanted: str) -> str:
    """Why an option will not do; empty where it will."""
    if wanted == PREMISES and option.family not in OWN:
        return "data may not leave the premises"
    if wanted in (ANYWHERE, PREMISES) or option.cloud == targets.ANY or regions(option.cloud, wanted):
        return ""
    return f"{option.cloud} has no region in {wanted}" if _regions(option.cloud) else f"regions of {option.cloud} are not known"


def leaks(option: Option, wanted: str) -> list[Leak]:
    """What leaves the region of an option, where data has to stay in one."""
    if wanted in (ANYWHERE, PREMISES) or option.cloud not in _table():
        return []
    table = _table()[option.cloud]
    known = [*table["leaves"], *([table["options"][option.name]] if option.name in table["options"] else [])]
    return [Leak(one["what"], one["level"], one["do"], one["source"]) for one in known]


def rated(option: Option, wanted: str, rating: tuple[int, str]) -> tuple[int, str]:
    """The rating of security: a step less where the request's own data leaves unless something is done."""
    serious = [one for one in leaks(option, wanted) if one.level]
    return (max(1, rating[0] - len(serious)), "; ".join([rating[1], *(one.what for one in serious)])) if serious else rating


def notes(clouds: tuple[str, ...], wanted: str) -> Iterator[tuple[str, str, str]]:
    """Of each cloud: what holds, what to do, and where that was read."""
    asked = clouds if wanted not in (ANYWHERE, PREMISES) else ()
    for cloud, table in [(cloud, _table()[cloud]) for cloud in asked if cloud in _table()]:
        fit = regions(cloud, wanted)
        if wanted != REGION:
            yield cloud, f"regions in {wanted}: {', '.join(fit) or 'none'}", table["regions_source"]
        if fit:
            yield cloud, table["promise"]["what"], table["promise"]["source"]
            yield cloud, table["regions_in_hand"]["what"], table["regions_in_hand"]["source"]
            for leak in table["leaves"]:
                yield cloud, f"but {leak['what']}: {leak['do']}", leak["source"]


def _within(country: str, wanted: str) -> bool:
    return wanted in (ANYWHERE, REGION, country) or (wanted == UNION and country in COUNTRIES_OF_UNION)


def _regions(cloud: str) -> dict[str, str]:
    return dict(_table().get(cloud, {}).get("regions", {}))


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tables.by_cloud("residency")
