"""`flyweight plan`: what a deployment would create, how near it is to each limit, what is risky about it, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit import resources
from flyweight.toolkit.cli import _place, _show, _traffic

if TYPE_CHECKING:
    from flyweight.toolkit.costs.limits import Nearness
    from flyweight.toolkit.costs.measuring import Sized
    from flyweight.toolkit.costs.options import Option
    from flyweight.toolkit.costs.security import Finding
    from flyweight.toolkit.costs.workload import Workload
    from flyweight.toolkit.deploying import Place, Target

EXAMPLES = """\b
Examples:
  flyweight plan aws --model penguins.safetensors
  flyweight plan gcp --model penguins.safetensors --requests 20M --peak 5 --set MEMORY=256Mi
"""


@click.command(epilog=EXAMPLES)
@click.argument("target", type=click.Choice(resources.providers()))
@_place.PARAMETERS
@_traffic.traffic
def command(
    target: str,
    parameters: tuple[str, ...],
    model: str,
    requests: float,
    rows: int,
    peak: float,
    cold: float,
    warm: int,
    runs: int,
    repeat: int,
    as_json: bool,
) -> None:
    """Explain what `flyweight deploy TARGET` would make of a model, before anything is made; nothing leaves this machine.

    Cold start, memory and time are measured here in TARGET's own runtime, so that they are this machine's, not the cloud's.
    """
    from flyweight.toolkit.costs import limits, security
    from flyweight.toolkit.costs.measuring import measured
    from flyweight.toolkit.costs.workload import Workload
    from flyweight.toolkit.deploying import target as target_of

    provider, place = target_of(target), _place.place(target, "flyweight", "", "", None, parameters)
    settings = provider.settings(place)
    sized = measured(target, model, rows, runs, repeat)
    memory = limits.memory_mb(target, settings)
    work = Workload(sized.measured, requests, rows, peak, sized.sent, sized.received, 0.0, cold, warm, memory)
    option = _function(target)
    answer, slowest = option.latency(replace(work, cold_share=1.0, warm_instances=0))
    init = sized.init * option.slowed(work)
    near = limits.nearness(target, work, init, answer, slowest, settings)
    found = security.findings(sized.document, model if "://" in model else "", settings)
    if as_json:
        return _show.document(_document(provider, place, work, sized, near, found))
    _creates(provider, place)
    _show.table(f"measured here: {sized.measured.runtime}", _traffic.figures(sized))
    _limits(near, slowest, memory)
    _show.columns(
        "security", ("", "finding", "what to do"), [(f.grave, f.what, f.do) for f in found] or [("", "nothing found", "")]
    )
    _costs(target, work)


def _function(target: str) -> Option:
    """The option that is this target's functions."""
    from flyweight.toolkit.costs.serverless import OPTIONS

    return next(option for option in OPTIONS if option.cloud == target)


def _creates(provider: Target, place: Place) -> None:
    rows = [(piece.name, piece.kind, piece.when or "always") for piece in provider.creates(place)]
    _show.columns("creates", ("name", "kind", "when"), rows)


def _limits(near: list[Nearness], slowest: float, memory: int) -> None:
    rows = [(n.what, _amount(n.ours, n.unit), _amount(n.limit, n.unit), f"{100 * n.share:.2g} %", n.verdict) for n in near]
    _show.columns("limits", ("what", "ours", "limit", "share", ""), rows)
    at = f"expected of a cold start with {memory} MB: {_show.milliseconds(slowest)}"
    click.echo(f"{at} (this machine's, by the share of a CPU that the memory brings; the provider's own start is not in it)\n")


def _costs(target: str, work: Workload) -> None:
    from flyweight.toolkit.costs.prices import table
    from flyweight.toolkit.costs.serverless import OPTIONS

    _show.columns(
        f"{work.requests:,.0f} requests a month", ("", "arithmetic", "dollars"), _traffic.arithmetic(_function(target).bill(work))
    )
    others = [
        (option.name, f"${option.bill(work).total:,.2f}", "" if option.bill(work).confirmed else "in part unconfirmed")
        for option in OPTIONS
    ]
    _show.columns("the same on each cloud", ("", "a month", ""), others)
    click.echo(f"list prices of {table()['checked']}, without taxes; each with its source in toolkit/costs/prices.json")


def _document(
    provider: Target, place: Place, work: Workload, sized: Sized, near: list[Nearness], found: list[Finding]
) -> dict[str, Any]:
    from flyweight.toolkit.costs.prices import table
    from flyweight.toolkit.costs.serverless import OPTIONS

    taken = sized.measured
    return {
        "creates": [vars(piece) for piece in provider.creates(place)],
        "measured": {**vars(taken), "split": dict(sized.split), "sent": sized.sent, "received": sized.received},
        "limits": [one.document() for one in near],
        "security": [vars(one) for one in found],
        "costs": {option.cloud: option.bill(work).document() for option in OPTIONS},
        "prices_checked": table()["checked"],
    }


def _amount(value: float, unit: str) -> str:
    if unit == "bytes":
        return _show.size(int(value)) or ""
    if unit == "seconds":
        return f"{value:g} s" if value >= 1 else f"{1000 * value:.3g} ms"
    return f"{value:.3g}"
