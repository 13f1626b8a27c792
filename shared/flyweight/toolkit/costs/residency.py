"""Where data may be, and an option, to whether it stays there, what still leaves, and what to do about that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from flyweight.toolkit.costs.options import Option
from flyweight.toolkit.costs.prices import Bill, Line, Unpriced

TABLE = Path(__file__).with_name("residency.json")
ANYWHERE, REGION, PREMISES, UNION = "any", "region", "premises", "EU"
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
    told = wanted if wanted in (ANYWHERE, REGION, PREMISES) else wanted.upper()
    if told in (ANYWHERE, REGION, PREMISES, UNION) or any(told in _countries(cloud) for cloud in _table()["regions"]):
        return told
    known = sorted({country for cloud in _table()["regions"] for country in _countries(cloud)})
    raise _Unknown(
        f"no region of the three clouds lies in {wanted!r}", f"any, region, premises, EU, or one of {', '.join(known)}"
    )


def known_region(cloud: str, region: str) -> str:
    """The country of a region.

    :raises Unpriced: the cloud has no such region.
    """
    regions = _table()["regions"][cloud]
    if region not in regions:
        raise _Unknown(f"{cloud} has no region {region!r}", f"one of {', '.join(sorted(regions))}")
    return str(regions[region])


def regions(cloud: str, wanted: str) -> list[str]:
    """The regions of a cloud that will do."""
    return [name for name, country in _table()["regions"][cloud].items() if _within(country, wanted)]


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
    if wanted not in (ANYWHERE, PREMISES) and option.cloud in _table()["regions"] and not regions(option.cloud, wanted):
        return f"{option.cloud} has no region in {wanted}"
    return ""


def leaks(option: Option, wanted: str) -> list[Leak]:
    """What leaves the region of an option, where data has to stay in one."""
    if wanted in (ANYWHERE, PREMISES) or option.cloud not in _table()["clouds"]:
        return []
    told = [*_table()["clouds"][option.cloud]["leaves"], *([own] if (own := _table()["options"].get(option.name)) else [])]
    return [Leak(one["what"], one["level"], one["do"], one["source"]) for one in told]


def rated(option: Option, wanted: str, told: tuple[int, str]) -> tuple[int, str]:
    """The rating of security: a step less where the request's own data leaves unless something is done."""
    serious = [one for one in leaks(option, wanted) if one.level]
    return (max(1, told[0] - len(serious)), "; ".join([told[1], *(one.what for one in serious)])) if serious else told


def notes(clouds: tuple[str, ...], wanted: str) -> Iterator[tuple[str, str, str]]:
    """Of each cloud: what holds, what to do, and where that was read."""
    for cloud in clouds if wanted not in (ANYWHERE, PREMISES) else ():
        told: Mapping[str, Any] = _table()["clouds"][cloud]
        fit = regions(cloud, wanted)
        if wanted != REGION:
            yield cloud, f"regions in {wanted}: {', '.join(fit) or 'none'}", told["regions_source"]
        if fit:
            yield cloud, told["promise"]["what"], told["promise"]["source"]
            yield cloud, told["regions_in_hand"]["what"], told["regions_in_hand"]["source"]
            for leak in told["leaves"]:
                yield cloud, f"but {leak['what']}: {leak['do']}", leak["source"]


class _Unknown(Unpriced):
    """A place that there is none of; the next step names those that there are."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.next_step = next_step


def _within(country: str, wanted: str) -> bool:
    return wanted in (ANYWHERE, REGION, country) or (wanted == UNION and country in _table()["union"])


def _countries(cloud: str) -> set[str]:
    return set(_table()["regions"][cloud].values())


@cache
def _table() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return read
