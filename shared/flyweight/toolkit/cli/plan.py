"""`flyweight plan`: show the resources, limits, risks and costs of a deployment before it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _deployment, _show, _target, _traffic
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.targets import Target, naming

if TYPE_CHECKING:
    from flyweight.toolkit.costs.limits import Nearness
    from flyweight.toolkit.costs.measurement import Sized
    from flyweight.toolkit.costs.prices import Bill
    from flyweight.toolkit.costs.resources import ResourceCosts
    from flyweight.toolkit.costs.security import Finding
    from flyweight.toolkit.costs.workload import Workload
    from flyweight.toolkit.targets.deployment import Deployer, Deployment, Resource

EXAMPLES = """\b
Examples:
  flyweight plan aws --model penguins.safetensors
  flyweight plan gcp --model penguins.safetensors --requests 20M --peak 5 --set MEMORY=256Mi --set MIN_INSTANCES=1
  flyweight plan aws --model penguins.safetensors --set Alarms=true --set Dashboard=true --set Endpoint=function-url
"""
PROVISIONAL = "flyweight"  # until the model is loaded, whose name the deployment gets


@dataclass(frozen=True)
class Plan:
    """The contents of a plan."""

    target: Target
    region: str
    created: list[Resource]
    sized: Sized
    work: Workload
    slowest: float
    near: list[Nearness]
    found: list[Finding]
    bill: Bill
    around: ResourceCosts
    others: dict[str, Bill]


@click.command(epilog=EXAMPLES)
@_target.argument
@_deployment.PARAMETERS
@click.option("--region", default="", help="The region to plan for.  [default: the one in docs/providers/TARGET.md]")
@_traffic.traffic
def command(target: Target, parameters: tuple[str, ...], region: str, traffic: _traffic.Traffic) -> None:
    """Show what `flyweight deploy TARGET` would create and cost.

    Limits and security risks are shown too. Nothing is created, and nothing is sent from this machine. Cold start, time and
    memory are measured on this machine in TARGET's own runtime, so they are not the cloud's figures.
    """
    plan = _planned(target, parameters, region, traffic)
    if traffic.as_json:
        return _show.document(_document(plan))
    rows = [(piece.name, piece.kind.removeprefix("Microsoft."), piece.when or "always") for piece in plan.created]
    _show.columns(f"creates, in {plan.region}" if plan.region else "creates", ("name", "kind", "when"), rows)
    _show.table(f"measured here: {plan.sized.measured.runtime}", _traffic.figures(plan.sized))
    _limits(plan)
    found = [(f.grave, f.what, f.do) for f in plan.found] or [("", "nothing found", "")]
    _show.columns("security", ("", "finding", "what to do"), found)
    _costs(plan)


def _planned(target: Target, parameters: tuple[str, ...], region: str, traffic: _traffic.Traffic) -> Plan:
    from flyweight.toolkit.costs import limits, residency, security
    from flyweight.toolkit.costs import resources as around
    from flyweight.toolkit.costs.advice import all_options
    from flyweight.toolkit.costs.prices import Bill

    deployer, option = target.deployer, target.costs.option
    deployment = _deployment.deployment(target, PROVISIONAL, region, "", None, parameters)
    where = deployment.region or deployer.region
    if where:
        residency.known_region(target.cloud, where)
    settings = _known(deployer, deployment)
    sized = traffic.measured(target.name)
    work = around.shaped(target, traffic.workload(sized), settings)
    answer, slowest = option.latency(replace(work, cold_share=1.0, warm_instances=0))
    near = limits.nearness(target.name, work, sized.init * option.slowed(work), answer, slowest, settings)
    created = deployer.creates(replace(deployment, name=naming.of_model(str(sized.document["name"]))))
    beside = around.around(target, work, settings, [resource.kind for resource in created], sized.model)
    found = security.findings(sized.document, traffic.model if "://" in traffic.model else "", settings)
    bill = Bill((*option.bill(work).lines, *beside.lines))
    alike = [one for one in all_options() if one.family == option.family and one.cloud != option.cloud]
    others = {one.name: one.bill(traffic.workload(sized)) for one in alike}
    return Plan(target, where, created, sized, work, slowest, near, found, bill, beside, others)


def _known(deployer: Deployer, deployment: Deployment) -> dict[str, str]:
    """Return the settings, after a check that each parameter exists.

    :raises ToolkitError: a parameter is unknown.
    """
    known = deployer.settings(replace(deployment, parameters={}))
    for name in deployment.parameters:
        if name not in known:
            step = f"choose one of {', '.join(sorted(known))}" if known else "omit --set"
            raise ToolkitError(f"infra/{deployer.name} has no parameter {name}", step)
    return deployer.settings(deployment)


def _limits(plan: Plan) -> None:
    from flyweight.toolkit.costs.options import duration

    rows = [(n.what, _amount(n.ours, n.unit), _amount(n.limit, n.unit), _percent(n.share), n.verdict) for n in plan.near]
    _show.columns("limits", ("what", "ours", "limit", "share", ""), rows)
    at = f"expected cold start with {plan.work.memory_mb} MB: {duration(plan.slowest)}"
    click.echo(f"{at} (measured here, divided by the CPU share that the memory includes; without the provider's own start)\n")


def _costs(plan: Plan) -> None:
    from flyweight.toolkit.costs import prices

    _show.columns(f"{plan.work.requests:,.0f} requests a month", ("", "arithmetic", "dollars"), _traffic.arithmetic(plan.bill))
    for note in plan.around.notes:
        click.echo(f"  {note}")
    others = [(name, f"${bill.total:,.2f}", "" if bill.confirmed else "partly unconfirmed") for name, bill in plan.others.items()]
    _show.columns("\nthe same on other clouds: the function alone, 512 MB", ("", "a month", ""), others)
    click.echo(prices.footnote(prices.regions().get(plan.target.cloud, "")))


def _document(plan: Plan) -> dict[str, Any]:
    from flyweight.toolkit.costs import prices

    taken = plan.sized.measured
    sizes: dict[str, Any] = {"sent": plan.work.sent, "received": plan.sized.received, "model": plan.sized.model}
    sizes |= {"missing": plan.sized.missing} if plan.sized.missing else {}
    return {
        "target": plan.target.name, "region": plan.region, "creates": [vars(piece) for piece in plan.created],
        "measured": {**vars(taken), "split": dict(plan.sized.split), **sizes},
        "limits": [one.document() for one in plan.near], "expected_cold_ms": round(1000 * plan.slowest, 3),
        "security": [vars(one) for one in plan.found], "bill": plan.bill.document(), "notes": list(plan.around.notes),
        "others": {name: bill.document() for name, bill in plan.others.items()},
        "prices_checked": prices.checked(), "prices_of": prices.regions().get(plan.target.cloud, ""),
    }  # fmt: skip


def _percent(share: float) -> str:
    return f"{100 * share:,.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def _amount(value: float, unit: str) -> str:
    if unit == "bytes":
        return _show.size(int(value)) or ""
    if unit == "seconds":
        return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
