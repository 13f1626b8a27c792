"""A workload and a team's needs to advice: every option with its reasons, and one that is recommended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from flyweight.toolkit.costs import elsewhere, serverless, servers
from flyweight.toolkit.costs.options import CRITERIA, Option
from flyweight.toolkit.costs.prices import Bill
from flyweight.toolkit.costs.workload import Workload

OPTIONS: tuple[Option, ...] = (*serverless.OPTIONS, *servers.OPTIONS, *elsewhere.OPTIONS)
LOWEST, HIGHEST = 1e3, 1e10  # requests a month, of the curves
_GRID = [round(LOWEST * 10 ** (step / 8)) for step in range(57)]
TEAMS = {
    # how much each criterion counts, by who looks after it
    "data": {"scalability": 1.0, "latency": 1.0, "cost": 2.0, "security": 1.5, "ease": 3.0, "integration": 1.0},
    "backend": {"scalability": 1.5, "latency": 1.5, "cost": 2.0, "security": 1.5, "ease": 1.5, "integration": 1.5},
    "platform": {"scalability": 2.0, "latency": 1.5, "cost": 2.0, "security": 2.0, "ease": 0.5, "integration": 2.0},
}


@dataclass(frozen=True)
class Needs:
    """What has to be so, whatever it costs: clouds that may be used, where data may go, whether somebody waits for the answer."""

    clouds: tuple[str, ...] = ("aws", "gcp", "azure")
    residency: str = "any"  # any, region, premises
    live: bool = True
    team: str = "data"


@dataclass(frozen=True)
class Considered:
    """An option for a workload; `excluded`: why it will not do, empty where it will."""

    option: Option
    bill: Bill
    warm: float
    slowest: float
    ratings: Mapping[str, tuple[float, str]]
    score: float
    excluded: str

    @property
    def why(self) -> str:
        """In a sentence: why not, or what speaks for it most and against it most."""
        if self.excluded:
            return self.excluded
        order = sorted(self.ratings.items(), key=lambda item: item[1][0])
        (worst, (_, against)), (finest, (_, speaks)) = order[0], order[-1]
        return f"{finest}: {speaks}; but {worst}: {against}"


@dataclass(frozen=True)
class Crossover:
    """From so many requests a month on, another option costs less."""

    requests: int
    cheaper_below: str
    cheaper_above: str


@dataclass(frozen=True)
class Advice:
    """All of it; `considered` is ordered by score, those that will not do last."""

    workload: Workload
    needs: Needs
    considered: Sequence[Considered]
    crossovers: Sequence[Crossover]

    @property
    def best(self) -> Considered | None:
        """The recommendation; None where nothing will do."""
        return next((one for one in self.considered if not one.excluded), None)

    def reasons(self) -> list[str]:
        """What decided, the weightiest difference to the next best first."""
        best = self.best
        if best is None:
            return [f"{one.option.name}: {one.excluded}" for one in self.considered]
        rest = [one for one in self.considered if not one.excluded and one is not best]
        if not rest:
            return ["it is the only one that will do"]
        weights = TEAMS[self.needs.team]
        gains = {name: weights[name] * (best.ratings[name][0] - rest[0].ratings[name][0]) for name in CRITERIA}
        decided = [name for name in sorted(gains, key=lambda name: -gains[name]) if gains[name] > 0][:3]
        told = [f"{name}: {best.ratings[name][1]}; {rest[0].option.name}: {rest[0].ratings[name][1]}" for name in decided]
        return told or [f"it scores as {rest[0].option.name} does, and stands first in the list"]


def advise(workload: Workload, needs: Needs) -> Advice:
    """Weigh every option: those that can't do it last, the others by what the team weighs most."""
    bills = {option.name: option.bill(workload) for option in OPTIONS}
    fit = [option for option in OPTIONS if not _excluded(option, workload, needs)]
    least = min([bills[option.name].total for option in fit if option.live == needs.live], default=0.0)
    considered = [_considered(option, bills[option.name], workload, needs, least) for option in OPTIONS]
    considered.sort(key=lambda one: (bool(one.excluded), -one.score))
    return Advice(workload, needs, considered, crossovers(workload, fit))


def crossovers(workload: Workload, options: Sequence[Option]) -> list[Crossover]:
    """Where the least of the curves changes hands, by looking at each decade closely and halving where a sign changes."""
    found = [
        _between(workload, one, other, low, high)
        for one, other in combinations(options, 2)
        for low, high in pairwise(_GRID)
        if _cheaper(workload, one, other, low) * _cheaper(workload, one, other, high) < 0
    ]
    return sorted(found, key=lambda crossing: crossing.requests)


def leading(advice: Advice) -> list[Crossover]:
    """Where the cheapest of all that will do changes; devices are left out, which cost nothing here and much elsewhere."""
    fit = [one.option for one in advice.considered if not one.excluded and one.option.family != "edge"]
    if not fit:
        return []

    def cheapest(requests: int) -> Option:
        return min(fit, key=lambda option: round(option.bill(advice.workload.at(requests)).total, 6))

    changes = []
    for low, high in pairwise(_GRID):
        start, end = cheapest(low), cheapest(high)
        while start is not end:  # several may lead between two points
            first, last = low, high
            while last - first > 1:
                middle = (first + last) // 2
                first, last = (middle, last) if cheapest(middle) is start else (first, middle)
            changes.append(Crossover(last, start.name, cheapest(last).name))
            low, start = last, cheapest(last)
    return changes


def document(advice: Advice) -> dict[str, Any]:
    """All of it, for JSON."""
    work, best = advice.workload, advice.best
    options = [
        {
            "option": one.option.name, "family": one.option.family, "cloud": one.option.cloud, "bill": one.bill.document(),
            "warm_ms": round(1000 * one.warm, 3), "slowest_ms": round(1000 * one.slowest, 3), "score": round(one.score, 3),
            "ratings": {name: {"rating": round(value, 2), "reason": why} for name, (value, why) in one.ratings.items()},
            "limits": list(one.option.limits), "suits": not one.excluded, "reason": one.why,
        }
        for one in advice.considered
    ]  # fmt: skip
    crossings = [{"requests": c.requests, "below": c.cheaper_below, "above": c.cheaper_above} for c in advice.crossovers]
    measured = {"cold_ms": 1000 * work.measured.cold, "warm_ms": 1000 * work.measured.warm, "memory_bytes": work.measured.memory}
    return {
        "recommendation": best.option.name if best else None, "reasons": advice.reasons(), "measured": measured,
        "requests_a_month": work.requests, "options": options, "crossovers": crossings,
    }  # fmt: skip


def _considered(option: Option, bill: Bill, work: Workload, needs: Needs, least: float) -> Considered:
    warm, slowest = option.latency(work)
    cost = 5.0 if bill.total <= max(least, 1.0) else max(1.0, 5.0 - 1.5 * math.log10(bill.total / max(least, 1.0)))
    fast = max(1.0, min(5.0, 5.0 - 2.0 * math.log10(max(slowest, 0.001) / 0.02)))
    rated: dict[str, tuple[float, str]] = {
        **option.ratings,
        "cost": (cost, f"${bill.total:,.2f} a month" + ("" if bill.confirmed else ", in part unconfirmed")),
        "latency": (fast, f"{1000 * warm:.0f} ms, the slowest of a hundred {1000 * slowest:.0f} ms"),
    }
    weights = TEAMS[needs.team]
    score = sum(weights[name] * rated[name][0] for name in CRITERIA) / sum(weights.values())
    return Considered(option, bill, warm, slowest, rated, score, _excluded(option, work, needs))


def _excluded(option: Option, work: Workload, needs: Needs) -> str:
    """Why an option will not do; empty where it will."""
    if option.cloud != "any" and option.cloud not in needs.clouds:
        return f"it is on {option.cloud}, and only {', '.join(needs.clouds)} may be used"
    if needs.residency == "premises" and option.family not in ("edge", "kubernetes"):
        return "data may not leave the premises"
    if needs.live and not option.live:
        return "somebody waits for the answer"
    slowest = option.latency(work)[1]
    if needs.live and work.latency and 1000 * slowest > work.latency:
        return f"the slowest of a hundred answers takes {1000 * slowest:.0f} ms, and {work.latency:.0f} ms are asked for"
    return ""


def _cheaper(work: Workload, one: Option, other: Option, requests: int) -> float:
    """Above zero where the first costs less."""
    return other.bill(work.at(requests)).total - one.bill(work.at(requests)).total


def _between(work: Workload, one: Option, other: Option, low: int, high: int) -> Crossover:
    """The first whole number of requests at which the order is that of `high`, found by halving."""
    first = _cheaper(work, one, other, low) > 0
    while high - low > 1:
        middle = (low + high) // 2
        if (_cheaper(work, one, other, middle) > 0) == first:
            low = middle
        else:
            high = middle
    below, above = (one, other) if first else (other, one)
    return Crossover(high, below.name, above.name)
