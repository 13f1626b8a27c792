"""Find where the cost curves of options cross, and where the cheapest option changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, pairwise

from flyweight.toolkit.costs.options import Option
from flyweight.toolkit.costs.workload import Workload

LOWEST, HIGHEST = 1e3, 1e10  # requests per month, the range of the curves
WORTH = 1.1  # the factor by which an option must be cheaper to be listed
LEAST = 0.5  # the dollars by which it must be cheaper
GRID = [round(LOWEST * 10 ** (step / 8)) for step in range(57)]


@dataclass(frozen=True)
class Crossover:
    """The number of requests per month above which another option costs less."""

    requests: int
    cheaper_below: str
    cheaper_above: str


def crossovers(workload: Workload, options: Sequence[Option]) -> list[Crossover]:
    """Find where two curves cross: sample each decade densely, and bisect where the sign changes."""
    costs = {option.name: [option.cost(workload.at(requests)).total for requests in GRID] for option in options}
    found = []
    for one, other in combinations(options, 2):
        gaps = [theirs - ours for ours, theirs in zip(costs[one.name], costs[other.name], strict=True)]  # above 0: one costs less
        for (low, below), (high, above) in pairwise(zip(GRID, gaps, strict=True)):
            if below * above < 0:
                first, last = (one, other) if below > 0 else (other, one)
                at = _halved(low, high, partial(_cheaper, workload, first, last))
                found.append(Crossover(at, first.name, last.name))
    return sorted(found, key=lambda crossing: crossing.requests)


def leading(workload: Workload, options: Sequence[Option]) -> list[Crossover]:
    """Find where the cheapest option changes, if the change saves a tenth and half a dollar: stepped bills cross often."""
    if not options:
        return []

    def cheapest(requests: int) -> Option:
        return min(options, key=lambda option: _cost(workload, option, requests))

    leads = [cheapest(requests) for requests in GRID]
    reigns = [(GRID[0], leads[0])]
    for (low, high), last in zip(pairwise(GRID), leads[1:], strict=True):
        while reigns[-1][1] is not last:  # several options may be the cheapest between two points
            now = reigns[-1][1]
            low = _halved(low, high, lambda middle, now=now: cheapest(middle) is now)  # type: ignore[misc]
            reigns.append((low, cheapest(low)))
    leader, changes = reigns[0][1], []
    for number, (start, option) in enumerate(reigns[1:], start=2):
        end = reigns[number][0] if number < len(reigns) else GRID[-1] + 1
        looked_at = [start, end - 1, *(point for point in GRID if start <= point < end)]
        if option is not leader and any(_saves(workload, leader, option, point) for point in looked_at):
            changes.append(Crossover(start, leader.name, option.name))
            leader = option
    return changes


def _cost(work: Workload, option: Option, requests: int) -> float:
    return round(option.cost(work.at(requests)).total, 6)


def _cheaper(work: Workload, one: Option, other: Option, requests: int) -> bool:
    """Tell whether the first option costs less."""
    return one.cost(work.at(requests)).total < other.cost(work.at(requests)).total


def _saves(work: Workload, one: Option, other: Option, requests: int) -> bool:
    """Tell whether a change to the other option saves enough to be listed."""
    cost = _cost(work, other, requests)
    return _cost(work, one, requests) > max(WORTH * cost, cost + LEAST)


def _halved(low: int, high: int, still: Callable[[int], bool]) -> int:
    """Find the first integer above `low` at which `still` is false; it must be false at `high`."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if still(middle) else (low, middle)
    return high
