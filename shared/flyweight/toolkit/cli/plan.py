"""`flyweight plan`: show the resources, limits, risks and costs of a deployment before it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _deployment, _show, _target, _traffic
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.targets import Target, naming

if TYPE_CHECKING:
    from flyweight.toolkit.costs.clients import ClientSaving
    from flyweight.toolkit.costs.limits import Nearness
    from flyweight.toolkit.costs.measurement import Sized
    from flyweight.toolkit.costs.options import Option
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
  flyweight plan vm --model penguins.safetensors --cloud aws
"""
LEAST = 0.005  # dollars: a smaller difference is not shown
PROVISIONAL = "flyweight"  # until the model is loaded, whose name the deployment gets


@dataclass(frozen=True)
class Plan:
    """The contents of a plan."""

    target: Target
    option: Option
    region: str
    created: list[Resource]
    sized: Sized
    work: Workload
    cold: float
    near: list[Nearness]
    found: list[Finding]
    bill: Bill
    around: ResourceCosts
    others: dict[str, Bill]
    saving: ClientSaving | None


@click.command(epilog=EXAMPLES)
@_target.argument
@_deployment.CHOICE
@_deployment.PARAMETERS
@click.option("--region", default="", help="The region to plan for.  [default: the one in docs/providers/TARGET.md]")
@_traffic.traffic
def command(
    target: Target, platform: str, parameters: tuple[str, ...], region: str, traffic: _traffic.Traffic
) -> None:  # fmt: skip
    """Show what `flyweight deploy TARGET` would create and cost.

    Limits and security risks are shown too. Nothing is created, and nothing is sent from this machine. Cold start, time and
    memory are measured on this machine in TARGET's own runtime, so they are not the cloud's figures.
    """
    target, parameters = _deployment.on_platform(target, parameters, platform)
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
    from flyweight.toolkit.costs import clients, limits, residency, security
    from flyweight.toolkit.costs import resources as around
    from flyweight.toolkit.costs.advice import all_options
    from flyweight.toolkit.costs.prices import Bill

    deployer = target.deployer
    deployment = _deployment.deployment(target, PROVISIONAL, region, deployer.holder, None, parameters)
    settings = _known(deployer, deployment)
    option = target.costs.chosen(target.platform, settings)
    where = deployment.region or deployer.region
    if where:
        residency.known_region(option.cloud, where)
    client = clients.chosen(target, parameters)
    sized = traffic.measured(target.name, client)
    work = around.shaped(target, traffic.workload(sized), settings)
    answer, slowest = option.latency(replace(work, cold_share=1.0, warm_instances=0))
    near = limits.nearness(target.name, work, sized.init * option.slowed(work), answer, slowest, settings)
    created = deployer.creates(replace(deployment, name=naming.of_model(str(sized.document["name"]))))
    beside = around.around(target, work, settings, [resource.kind for resource in created], sized.model)
    cold = work.measured.cold * option.slowed(work) + option.overhead
    found = security.findings(sized.document, traffic.model if "://" in traffic.model else "", settings)
    bill = Bill((*option.bill(work).lines, *beside.lines))
    alike = [
        one for one in all_options() if one.family == option.family and (one.cloud, one.target) != (option.cloud, target.name)
    ]
    others = {one.name: one.bill(traffic.workload(sized)) for one in alike}
    saved = _saving(target, option, traffic, client, sized, work)
    return Plan(target, option, where, created, sized, work, cold, near, found, bill, beside, others, saved)


def _saving(
    target: Target, option: Option, traffic: _traffic.Traffic, client: str, sized: Sized, work: Workload
) -> ClientSaving | None:
    """Measure the model under the other client, and price the difference; None for a target with one client."""
    from flyweight.toolkit.costs import clients

    if not target.has("runtime") or clients.OWN not in target.runtime.CLIENTS:
        return None
    here = sized.measured
    other = traffic.measured(target.name, clients.PLATFORM if client == clients.OWN else clients.OWN).measured
    both = (other, here) if client == clients.OWN else (here, other)
    return clients.saving(option, work, *both)


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
    further = ", of a further instance: one always runs" if plan.option.warm else ""
    at = f"expected cold start with {plan.work.memory_mb} MB: {duration(plan.cold)}{further}"
    click.echo(f"{at} (measured here, divided by the CPU share that the memory includes; without the provider's own start)\n")


def _costs(plan: Plan) -> None:
    from flyweight.toolkit.costs import prices

    _show.columns(
        f"{plan.option.name}, {plan.work.requests:,.0f} requests a month",
        ("", "arithmetic", "dollars"),
        _traffic.arithmetic(plan.bill),
    )
    for note in plan.around.notes:
        click.echo(f"  {note}")
    if plan.saving is not None:
        click.echo(f"  {_saved(plan.saving)}")
    others = [(name, f"${bill.total:,.2f}", "" if bill.confirmed else "partly unconfirmed") for name, bill in plan.others.items()]
    _show.columns(f"\nother options of the kind {plan.option.family}, alone", ("", "a month", ""), others)
    click.echo(prices.footnote(prices.region(plan.option.cloud)))


def _saved(saving: ClientSaving) -> str:
    """Say what flyweight's own client saves."""
    own, platform = (f"{1000 * seconds:.0f} ms" for seconds in (saving.own, saving.platform))
    starts = f"{saving.cold_starts:,.0f} cold starts"
    cold = f"a cold start takes {own} with --client own, {platform} with the platform's client"
    if abs(saving.dollars) < LEAST:
        return f"{cold}; with {starts} the bill is the same, as far as the free amount or a cent go"
    more = "less" if saving.dollars > 0 else "more"
    return f"{cold}; with {starts} the own client costs ${abs(saving.dollars):,.2f} a month {more}"


def _document(plan: Plan) -> dict[str, Any]:
    from flyweight.toolkit.costs import prices

    taken = plan.sized.measured
    sizes: dict[str, Any] = {"sent": plan.work.sent, "received": plan.sized.received, "model": plan.sized.model}
    sizes |= {"missing": plan.sized.missing} if plan.sized.missing else {}
    return {
        "target": plan.target.name, "option": plan.option.name, "region": plan.region,
        "creates": [vars(piece) for piece in plan.created],
        "measured": {**vars(taken), "split": dict(plan.sized.split), **sizes},
        "limits": [one.document() for one in plan.near], "expected_cold_ms": round(1000 * plan.cold, 3),
        "security": [vars(one) for one in plan.found], "bill": plan.bill.document(), "notes": list(plan.around.notes),
        "own_client": plan.saving and plan.saving.document(),
        "others": {name: bill.document() for name, bill in plan.others.items()},
        "prices_checked": prices.checked(), "prices_of": prices.region(plan.option.cloud),
    }  # fmt: skip


def _percent(share: float) -> str:
    return f"{100 * share:,.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def _amount(value: float, unit: str) -> str:
    if unit == "bytes":
        return _show.size(int(value)) or ""
    if unit == "seconds":
        return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
