"""`flyweight plan`: what a deployment would create, how near it is to each limit, what is risky about it, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit import resources
from flyweight.toolkit.cli import _place, _show, _traffic

if TYPE_CHECKING:
    from flyweight.toolkit.costs.limits import Nearness
    from flyweight.toolkit.costs.measurement import Sized
    from flyweight.toolkit.costs.prices import Bill
    from flyweight.toolkit.costs.resources import ResourceCosts
    from flyweight.toolkit.costs.security import Finding
    from flyweight.toolkit.costs.workload import Workload
    from flyweight.toolkit.targets.deployment import Resource

EXAMPLES = """\b
Examples:
  flyweight plan aws --model penguins.safetensors
  flyweight plan gcp --model penguins.safetensors --requests 20M --peak 5 --set MEMORY=256Mi --set MIN_INSTANCES=1
  flyweight plan aws --model penguins.safetensors --set Alarms=true --set Dashboard=true --set Endpoint=function-url
"""


@dataclass(frozen=True)
class Plan:
    """All that is shown."""

    target: str
    region: str
    pieces: list[Resource]
    sized: Sized
    work: Workload
    slowest: float
    near: list[Nearness]
    found: list[Finding]
    bill: Bill
    around: ResourceCosts
    others: dict[str, Bill]


@click.command(epilog=EXAMPLES)
@click.argument("target", type=click.Choice(resources.providers()))
@_place.PARAMETERS
@click.option("--region", default="", help="Where it would run.  [default: the one in docs/providers/TARGET.md]")
@_traffic.traffic
def command(target: str, parameters: tuple[str, ...], region: str, traffic: _traffic.Traffic) -> None:
    """Explain what `flyweight deploy TARGET` would make of a model, before anything is made; nothing leaves this machine.

    Cold start, memory and time are measured here in TARGET's own runtime, so that they are this machine's, not the cloud's.
    """
    plan = _planned(target, parameters, region, traffic)
    if traffic.as_json:
        return _show.document(_document(plan))
    rows = [(piece.name, piece.kind.removeprefix("Microsoft."), piece.when or "always") for piece in plan.pieces]
    _show.columns(f"creates, in {plan.region}", ("name", "kind", "when"), rows)
    _show.table(f"measured here: {plan.sized.measured.runtime}", _traffic.figures(plan.sized))
    _limits(plan)
    found = [(f.grave, f.what, f.do) for f in plan.found] or [("", "nothing found", "")]
    _show.columns("security", ("", "finding", "what to do"), found)
    _costs(plan)


def _planned(target: str, parameters: tuple[str, ...], region: str, traffic: _traffic.Traffic) -> Plan:
    from flyweight.toolkit.costs import limits, residency, security
    from flyweight.toolkit.costs import resources as around
    from flyweight.toolkit.costs.prices import Bill
    from flyweight.toolkit.costs.serverless import OPTIONS
    from flyweight.toolkit.deploying import target as target_of

    provider, place = target_of(target), _place.place(target, "flyweight", region, "", None, parameters)
    residency.known_region(target, place.region or provider.region)
    settings = _known(target, provider.settings(place), parameters)
    sized = traffic.measured(target)
    work = around.shaped(target, traffic.workload(sized), settings)
    option = next(option for option in OPTIONS if option.cloud == target)
    answer, slowest = option.latency(replace(work, cold_share=1.0, warm_instances=0))
    near = limits.nearness(target, work, sized.init * option.slowed(work), answer, slowest, settings)
    pieces = provider.creates(place)
    beside = around.around(target, work, settings, [piece.kind for piece in pieces], sized.model)
    found = security.findings(sized.document, traffic.model if "://" in traffic.model else "", settings)
    bill = Bill((*option.bill(work).lines, *beside.lines))
    others = {one.name: one.bill(traffic.workload(sized)) for one in OPTIONS if one is not option}
    return Plan(target, place.region or provider.region, pieces, sized, work, slowest, near, found, bill, beside, others)


def _known(target: str, settings: dict[str, str], parameters: tuple[str, ...]) -> dict[str, str]:
    """The settings, if each that was given is one."""
    from flyweight.toolkit.deploying import Deployment
    from flyweight.toolkit.deploying import target as target_of

    known = target_of(target).settings(Deployment())
    for name in (text.partition("=")[0] for text in parameters):
        if name not in known:
            raise _show.Failed(f"infra/{target} has no parameter {name}", f"it has {', '.join(sorted(known))}")
    return settings


def _limits(plan: Plan) -> None:
    from flyweight.toolkit.costs.options import duration

    rows = [(n.what, _amount(n.ours, n.unit), _amount(n.limit, n.unit), _percent(n.share), n.verdict) for n in plan.near]
    _show.columns("limits", ("what", "ours", "limit", "share", ""), rows)
    at = f"expected of a cold start with {plan.work.memory_mb} MB: {duration(plan.slowest)}"
    click.echo(f"{at} (this machine's, by the share of a CPU that the memory brings; the provider's own start is not in it)\n")


def _costs(plan: Plan) -> None:
    from flyweight.toolkit.costs.prices import table

    _show.columns(f"{plan.work.requests:,.0f} requests a month", ("", "arithmetic", "dollars"), _traffic.arithmetic(plan.bill))
    for note in plan.around.notes:
        click.echo(f"  {note}")
    others = [
        (name, f"${bill.total:,.2f}", "" if bill.confirmed else "in part unconfirmed") for name, bill in plan.others.items()
    ]
    _show.columns("\nthe same on other clouds: the function alone, 512 MB", ("", "a month", ""), others)
    at = table()["regions"][plan.target]
    click.echo(
        f"list prices of {at}, others differ; read by {table()['checked']}, without taxes; sources: toolkit/costs/prices.json"
    )


def _document(plan: Plan) -> dict[str, Any]:
    from flyweight.toolkit.costs.prices import table

    taken = plan.sized.measured
    sizes: dict[str, Any] = {"sent": plan.work.sent, "received": plan.sized.received, "model": plan.sized.model}
    sizes |= {"missing": plan.sized.missing} if plan.sized.missing else {}
    return {
        "target": plan.target, "region": plan.region, "creates": [vars(piece) for piece in plan.pieces],
        "measured": {**vars(taken), "split": dict(plan.sized.split), **sizes},
        "limits": [one.document() for one in plan.near], "expected_cold_ms": round(1000 * plan.slowest, 3),
        "security": [vars(one) for one in plan.found], "bill": plan.bill.document(), "notes": list(plan.around.notes),
        "others": {name: bill.document() for name, bill in plan.others.items()},
        "prices_checked": table()["checked"], "prices_of": table()["regions"][plan.target],
    }  # fmt: skip


def _percent(share: float) -> str:
    return f"{100 * share:,.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def _amount(value: float, unit: str) -> str:
    if unit == "bytes":
        return _show.size(int(value)) or ""
    if unit == "seconds":
        return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
