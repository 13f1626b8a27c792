"""Bills of a model that is easy to reckon with, as dollars by line."""

from __future__ import annotations

from flyweight.toolkit import targets
from flyweight.toolkit.costs.advice import all_options
from flyweight.toolkit.costs.prices import Bill
from flyweight.toolkit.costs.resources import around, shaped
from flyweight.toolkit.costs.workload import Measured, Workload
from flyweight.toolkit.deploying import Deployment

# warm 10 ms, cold 200 ms, 100 MB of memory, a folder of 1 MB, 300 bytes of log a request
MODEL = Measured(cold=0.2, warm=0.01, memory=100_000_000, folder=1_000_000, logged=300)


TEN = Workload(MODEL, requests=10e6, sent=2000, received=1000, cold_share=0.0)


def amounts(bill: Bill) -> dict[str, float]:
    """Dollars by line."""
    return {line.what: line.amount for line in bill.lines}


def named(name: str, work: Workload) -> Bill:
    """The bill of the option of that name."""
    return next(option for option in all_options() if option.name == name).bill(work)


def planned(name: str, work: Workload, platform: str = "", **given: str) -> dict[str, float]:
    """Dollars by line of what a deployment's parameters make, the function and what is around it."""
    target, deployment = targets.find(name).on(platform), Deployment(parameters=given)
    settings = target.deployer.settings(deployment)
    there = shaped(target, work, settings)
    kinds = [resource.kind for resource in target.deployer.creates(deployment)]
    function = target.costs.chosen(platform, settings).bill(there)
    return {**amounts(function), **amounts(Bill(tuple(around(target, there, settings, kinds, 50_000_000).lines)))}
