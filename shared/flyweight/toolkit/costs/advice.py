"""Rate every option for a workload and a team's needs, with reasons, and recommend one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from flyweight.toolkit import targets
from flyweight.toolkit.costs import break_even, limits, residency
from flyweight.toolkit.costs.break_even import Crossover
from flyweight.toolkit.costs.options import CRITERIA, HARDWARE, Option, duration, in_order
from flyweight.toolkit.costs.prices import SECONDS, Bill
from flyweight.toolkit.costs.workload import Measured, Workload
from flyweight.toolkit.targets.deployment import Deployment

TEAMS = {
    # the weight of each criterion, by the team that operates the deployment
    "data": {"scalability": 1.0, "latency": 1.0, "cost": 2.0, "security": 1.5, "ease": 3.0, "integration": 1.0},
    "backend": {"scalability": 1.5, "latency": 1.5, "cost": 2.0, "security": 1.5, "ease": 1.5, "integration": 1.5},
    "platform": {"scalability": 2.0, "latency": 1.5, "cost": 2.0, "security": 2.0, "ease": 0.5, "integration": 2.0},
}


@dataclass(frozen=True)
class Needs:
    """The requirements: clouds that may be used, where data may be, whether a caller waits for the answer.

    `residency`: any, region, premises, device, a country's two letters, or EU.
    """

    clouds: tuple[str, ...] = field(default_factory=lambda: tuple(targets.clouds()))
    residency: str = residency.ANYWHERE
    live: bool = True
    team: str = "data"

    @property
    def weights(self) -> Mapping[str, float]:
        """The weight of each criterion; latency has none if no caller waits."""
        return TEAMS[self.team] if self.live else {**TEAMS[self.team], "latency": 0.0}


@dataclass(frozen=True)
class RatedOption:
    """An option for a workload; `excluded`: why it does not meet the requirements, empty if it does."""

    option: Option
    bill: Bill
    warm: float
    slowest: float
    ratings: Mapping[str, tuple[float, str]]
    score: float
    excluded: str
    mind: Sequence[str] = ()
    counts: Sequence[str] = CRITERIA

    @property
    def why(self) -> str:
        """The reason for its exclusion, or its strongest and its weakest criterion."""
        if self.excluded:
            return self.excluded
        order = sorted(((name, self.ratings[name]) for name in self.counts), key=lambda item: item[1][0])
        (worst, (_, against)), (finest, (_, speaks)) = order[0], order[-1]
        return f"{finest}: {speaks}; but {worst}: {against}"


@dataclass(frozen=True)
class Advice:
    """The advice; `considered` is ordered by score, excluded options last."""

    workload: Workload
    needs: Needs
    considered: Sequence[RatedOption]

    @property
    def best(self) -> RatedOption | None:
        """The recommended option; None if all are excluded."""
        return next((one for one in self.considered if not one.excluded), None)

    @property
    def priced(self) -> list[Option]:
        """The options with a bill that are not excluded; the user's own hardware has no bill here."""
        if self.needs.residency == residency.PREMISES:
            return []
        return [one.option for one in self.considered if not one.excluded and one.option.family != HARDWARE]

    @property
    def crossovers(self) -> list[Crossover]:
        """The points at which any two cost curves cross."""
        return break_even.crossovers(self.workload, [one.option for one in self.considered if not one.excluded])

    @cached_property
    def leading(self) -> list[Crossover]:
        """The points at which the cheapest option changes."""
        return break_even.leading(self.workload, self.priced)

    def reasons(self) -> list[str]:
        """The reasons for the recommendation: its differences to the next best option, the largest first."""
        best = self.best
        if best is None:
            return [f"{one.option.name}: {one.excluded}" for one in self.considered]
        rest = [one for one in self.considered if not one.excluded and one is not best]
        if not rest:
            return ["it is the only option that meets the requirements"]
        weights = self.needs.weights
        gains = {name: weights[name] * (best.ratings[name][0] - rest[0].ratings[name][0]) for name in CRITERIA}
        decided = [name for name in sorted(gains, key=lambda name: -gains[name]) if gains[name] > 0][:3]
        reasons = [f"{name}: {best.ratings[name][1]}; {rest[0].option.name}: {rest[0].ratings[name][1]}" for name in decided]
        return reasons or [f"it has the same score as {rest[0].option.name}, and comes first in the list"]


def all_options() -> list[Option]:
    """List every option of all targets with costs, each with the name of its target."""
    priced = [target for target in targets.all_targets() if target.has("costs")]
    return in_order(replace(option, target=target.name) for target in priced for option in target.costs.options)


def advise(
    workload: Workload,
    needs: Needs,
    measured: Mapping[str, Measured] | None = None,
    unbuilt: Mapping[str, str] | None = None,
) -> Advice:
    """Rate every option, and order them by the team's weights; excluded options come last.

    :param workload: the traffic, and the model's figures for options whose own runtime was not measured.
    :param measured: the model in the runtime of each target, by the target's name.
    :param unbuilt: why the model can't be built for a target, by the target's name.
    """
    known, refusals = measured or {}, unbuilt or {}

    def why_not(option: Option) -> str:
        reason = refusals.get(option.target, "")
        return f"it can't be built: {reason}" if reason else _excluded(option, option.workload(workload), needs)

    options = [replace(residency.placed(option, needs.residency), measured=known.get(option.target)) for option in all_options()]
    bills = {option.name: option.cost(workload) for option in options}
    fit = [option for option in options if not why_not(option)]
    least = min([bills[option.name].total for option in fit], default=0.0)
    considered = [
        _considered(option, bills[option.name], option.workload(workload), needs, least, why_not(option)) for option in options
    ]
    considered.sort(key=lambda one: (bool(one.excluded), -one.score))
    return Advice(workload, needs, considered)


def document(advice: Advice) -> dict[str, Any]:
    """Return the advice as a JSON object."""
    work, best = advice.workload, advice.best
    options = [
        {
            "option": one.option.name, "family": one.option.family, "cloud": one.option.cloud, "target": one.option.target,
            "platform": one.option.platform, "settings": dict(one.option.settings), "bill": one.bill.document(),
            "warm_ms": round(1000 * one.warm, 3), "slowest_ms": round(1000 * one.slowest, 3), "score": round(one.score, 3),
            "ratings": {name: {"rating": round(value, 2), "reason": why} for name, (value, why) in one.ratings.items()},
            "limits": list(one.mind), "suits": not one.excluded, "reason": one.why,
        }
        for one in advice.considered
    ]  # fmt: skip
    crossings = [{"requests": c.requests, "below": c.cheaper_below, "above": c.cheaper_above} for c in advice.crossovers]
    changes = [{"requests": c.requests, "from": c.cheaper_below, "to": c.cheaper_above} for c in advice.leading]
    notes = residency.notes(advice.needs.clouds, advice.needs.residency)
    return {
        "recommendation": best.option.name if best else None, "reasons": advice.reasons(),
        "requests_a_month": work.requests, "rows_a_request": work.rows, "sent_bytes": work.sent, "received_bytes": work.received,
        "options": options, "crossovers": crossings, "cheapest_changes": changes,
        "residency": [{"cloud": cloud, "what": what, "source": source} for cloud, what, source in notes],
    }  # fmt: skip


def _considered(option: Option, bill: Bill, work: Workload, needs: Needs, least: float, excluded: str) -> RatedOption:
    warm, slowest = option.latency(work)
    cost = 5.0 if bill.total <= max(least, 1.0) else max(1.0, 5.0 - 1.5 * math.log10(bill.total / max(least, 1.0)))
    fast = max(1.0, min(5.0, 5.0 - 2.0 * math.log10(max(slowest, 0.001) / 0.02)))
    took = f"{duration(warm)}, the slowest of a hundred {duration(slowest)}" if option.live else f"{duration(slowest)} per run"
    ease, easy = option.ratings["ease"]
    if option.live and not needs.live:
        ease, easy = max(1, ease - 1), f"{easy}; needs a program that reads the data and sends it"
    rated: dict[str, tuple[float, str]] = {
        **option.ratings,
        "ease": (ease, easy),
        "security": residency.rated(option, needs.residency, option.ratings["security"]),
        "cost": (cost, f"${bill.total:,.2f} a month" + ("" if bill.confirmed else ", partly unconfirmed")),
        "latency": (fast, took),
    }
    weights = needs.weights
    score = sum(weights[name] * rated[name][0] for name in CRITERIA) / sum(weights.values())
    mind = [*option.limits, *(f"{leak.what}: {leak.do}" for leak in residency.leaks(option, needs.residency))]
    if (most := limits.payload(option.name)) < math.inf:
        mind.insert(0, f"{most / 2**20:.3g} MB a request at most")
    counts = [name for name in CRITERIA if weights[name]]
    return RatedOption(option, bill, warm, slowest, rated, score, excluded, mind, counts)


def refused(option: Option, needs: Needs) -> str:
    """Explain why an option is refused for any workload; empty if it is not."""
    if missing := _missing(option):
        return missing
    if option.cloud not in (targets.ANY, *needs.clouds):
        return f"it is on {option.cloud}, but only {', '.join(needs.clouds)} may be used"
    if reason := residency.excluded(option, needs.residency):
        return reason
    return "a caller waits for the answer" if needs.live and not option.live else ""


def _excluded(option: Option, work: Workload, needs: Needs) -> str:
    """Explain why an option does not meet the requirements; empty if it does."""
    if reason := refused(option, needs):
        return reason
    if work.need_mb > option.most_mb:
        return f"the model takes {work.measured.memory / 2**20:,.0f} MB, an instance has at most {option.most_mb:,.0f} MB"
    if work.measured.folder > option.most_folder:
        return f"the folder has {work.measured.folder / 2**20:,.0f} MB, the limit is {option.most_folder / 2**20:,.0f} MB"
    if option.live and max(work.sent, work.received) > limits.payload(option.name):
        most = limits.payload(option.name) / 2**20
        heavy = max(work.sent, work.received) / 2**20
        return f"a request or its answer has {heavy:,.1f} MB, the limit is {most:.3g} MB: use fewer rows (--rows), or files"
    slowest = option.latency(work)[1]
    if not option.live and option.family != HARDWARE and work.runs and slowest > SECONDS / work.runs:
        return f"a run takes {duration(slowest)}, and the next one begins after {duration(SECONDS / work.runs)}"
    if needs.live and work.latency and 1000 * slowest > work.latency:
        return f"the slowest of a hundred answers takes {1000 * slowest:.0f} ms, the requirement is {work.latency:.0f} ms"
    return ""


def _missing(option: Option) -> str:
    """Explain why flyweight can't make an option, which is then priced only; empty if it can."""
    problem, known = _deployable(option.target, option.platform)
    unknown = [name for name in option.settings if name not in known]
    if problem or unknown:
        return f"it is priced only: {problem or f'infra/{option.target} has no parameter {unknown[0]}'}"
    return ""


@cache
def _deployable(name: str, platform: str) -> tuple[str, frozenset[str]]:
    """Return why a target can't be built and deployed to a platform, empty if it can, and the parameters of its deployment."""
    target = targets.find(name)
    for facet in ("package", "deployment"):
        if not target.has(facet):
            return f"the target {name} has no {facet}", frozenset()
    if platform and platform not in target.platforms():
        return f"the target {name} has no platform {platform}", frozenset()
    return "", frozenset(target.on(platform).deployer.settings(Deployment()))
