"""`flyweight advise`: recommend a deployment for a model, its traffic and its team, with the arithmetic and a chart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flyweight.toolkit import targets
from flyweight.toolkit.cli import _show, _traffic
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.toolkit.costs.advice import Advice, Needs
    from flyweight.toolkit.costs.measurement import Sized
    from flyweight.toolkit.costs.runtimes import RuntimeFigures

EXAMPLES = """\b
Examples:
  flyweight advise --model penguins.safetensors --requests 5M -o advice.svg
  flyweight advise --model penguins.safetensors --requests 200k --latency 50 --team platform
  flyweight advise --model penguins.safetensors --cloud aws --cloud gcp --residency DE
  flyweight advise --model penguins.safetensors --data-rows 200M --data-size 40G --data-runs 30
"""
TEAMS = ("data", "backend", "platform")
TOGETHER = 1000  # rows per request when no caller waits


@click.command(epilog=EXAMPLES)
@_traffic.traffic
@click.option(
    "--latency", default=0.0, type=click.FloatRange(0), help="Milliseconds within which 99 of 100 answers should arrive."
)
@click.option("--offline", is_flag=True, help="No caller waits: rows of requests are collected and scored at night.")
@click.option(
    "--data-rows", default="0", type=_traffic.Count(), help="Rows of a data set to score as a batch: 200M. No caller waits."
)
@click.option(
    "--data-size",
    default="0",
    type=_traffic.Count(),
    help="Bytes of the data set: 40G.  [default: estimated from the sample's rows in JSON]",
)
@click.option(
    "--data-runs", default=30, show_default=True, type=click.IntRange(1), help="How many times per month the data set is scored."
)
@click.option(
    "--cloud",
    "clouds",
    multiple=True,
    type=click.Choice(targets.clouds()),
    help="A cloud that may be used; can be repeated.  [default: all]",
)
@click.option(
    "--residency",
    default="any",
    show_default=True,
    help="Where data may be: any, region, premises, device (rows stay where they are asked for), EU, or a country such as DE.",
)
@click.option("--team", default="data", show_default=True, type=click.Choice(TEAMS), help="The team that operates it.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Write a chart of cost against traffic to this file: .svg, .png or .pdf."
)
def command(
    traffic: _traffic.Traffic,
    latency: float,
    offline: bool,
    data_rows: float,
    data_size: float,
    data_runs: int,
    clouds: tuple[str, ...],
    residency: str,
    team: str,
    out: Path | None,
) -> None:
    """Compare the ways to deploy a model and recommend one.

    The options are serverless functions, managed endpoints, machines, containers, Kubernetes and batch jobs. Each is rated from 1
    to 5 for scalability, latency, cost, security, ease and integration, with a reason; --team sets the weight of each criterion.
    Time and memory are measured on this machine, for each option in the runtime of its own target. What flyweight can't build and
    deploy is not recommended.
    """
    from flyweight.toolkit.costs.advice import Needs, advise, document
    from flyweight.toolkit.costs.picture import form_of
    from flyweight.toolkit.costs.residency import checked
    from flyweight.toolkit.costs.runtimes import by_target, unbuilt

    residency = checked(residency)
    if out is not None:
        form_of(out)  # refused before anything is measured
    live = not (offline or data_rows)
    if not live:
        rows = max(traffic.rows, TOGETHER)
        scored = data_rows * data_runs or traffic.requests * traffic.rows
        size = data_size * data_runs / (scored / rows) if data_rows and data_size else traffic.request_size
        traffic = replace(traffic, rows=rows, requests=scored / rows, request_size=size, repeat=min(traffic.repeat, 20))
    needs = Needs(clouds or tuple(targets.clouds()), residency, live, team)
    taken = traffic.measured_in(_measurable(needs))
    sized = next(one.sized for one in taken if one.sized)
    work = traffic.workload(sized, latency=latency, runs=0 if live else data_runs)
    advice = advise(work, needs, by_target(taken), unbuilt(taken))
    if out is not None:
        _draw(advice, out)
    if traffic.as_json:
        measured = {"measured": [one.document() for one in taken]}
        return _show.document({**document(advice), **measured, "commands": _commands(advice, traffic.model)})
    _measured(taken, sized)
    _table(advice)
    _residency(advice)
    _recommendation(advice, traffic.model)


def _measurable(needs: Needs) -> list[str]:
    """List the targets that answer or score on this machine and have an option that is not refused."""
    from flyweight.toolkit.costs.advice import all_options, refused

    names = dict.fromkeys(option.target for option in all_options() if not refused(option, needs))
    return sorted(name for name in names if targets.find(name).has("runtime") or targets.find(name).has("job"))


def _measured(taken: list[RuntimeFigures], sized: Sized) -> None:
    rows = []
    for one in taken:
        if one.sized is None:
            rows.append((", ".join(one.names), "-", "-", "-", f"not measured, taken as {sized.measured.runtime}: {one.problem}"))
            continue
        figures = one.sized.measured
        times = (_show.milliseconds(figures.cold) or "", _show.milliseconds(figures.warm) or "")
        rows.append((", ".join(one.names), *times, _show.size(figures.memory) or "", figures.runtime.removeprefix("on ")))
    _show.columns("measured here", ("target", "cold start", "warm", "memory", "runtime"), rows)
    _show.table("the model", _traffic.sizes(sized))


def _commands(advice: Advice, model: str) -> dict[str, str]:
    """Return the command lines that make the recommended option, by verb; none if nothing is recommended."""
    return advice.best.option.commands(model) if advice.best else {}


def _table(advice: Advice) -> None:
    from flyweight.toolkit.costs.options import CRITERIA, duration

    rows, work = [], advice.workload
    for one in advice.considered:
        rated = " ".join(f"{one.ratings[name][0]:.0f}" for name in CRITERIA)
        dollars = f"${one.bill.total:,.2f}" + ("" if one.bill.confirmed else "*")
        score = "-" if one.excluded else f"{one.score:.2f}"
        took = duration(one.slowest) if one.option.live else f"{duration(one.slowest)} a run" if work.runs else "later"
        rows.append((one.option.name, dollars, took, rated, score))
    letters = " ".join(name[0] for name in CRITERIA)
    of = f"{work.requests:,.0f} requests of {work.rows:,} row{'s' if work.rows > 1 else ''} a month"
    _show.columns(f"every option, for {of}", ("", "a month", "99 of 100", letters, "score"), rows)
    some = "" if all(one.bill.confirmed for one in advice.considered) else "  *: some prices are unconfirmed"
    click.echo(f"{', '.join(CRITERIA)}: from 1 to 5.{some}\n\nwhy, and why not")
    for one in advice.considered:
        click.echo(f"  {one.option.name}: {one.why}")
    click.echo()


def _residency(advice: Advice) -> None:
    from flyweight.toolkit.costs.residency import notes

    if listed := list(notes(advice.needs.clouds, advice.needs.residency)):
        click.echo("data residency")
        for cloud, what, source in listed:
            click.echo(f"  {cloud}: {what} [{source}]")
        click.echo()


def _recommendation(advice: Advice, model: str) -> None:
    from flyweight.toolkit.costs import prices

    best = advice.best
    if best is None:
        click.echo("no option meets the requirements:")
    else:
        click.echo(f"recommended: {best.option.name}, ${best.bill.total:,.2f} a month")
    for reason in advice.reasons():
        click.echo(f"  {reason}")
    if best is not None:
        for limit in best.mind:
            click.echo(f"  note: {limit}")
        for line in _commands(advice, model).values():
            click.echo(f"  {line}")
        click.echo()
        _show.columns("its bill", ("", "arithmetic", "dollars"), _traffic.arithmetic(best.bill))
    changes = [(f"{c.requests:,}", c.cheaper_above, c.cheaper_below) for c in advice.leading]
    _show.columns("where the cheapest option changes", ("from requests a month", "to", "from"), changes or [("never", "", "")])
    where = ", ".join(region for cloud, region in prices.regions().items() if cloud in advice.needs.clouds)
    click.echo(prices.footnote(where))


def _draw(advice: Advice, out: Path) -> None:
    """Draw the chart.

    :raises ToolkitError: no option has a bill.
    """
    from flyweight.toolkit.costs.picture import draw

    if not advice.priced:
        raise ToolkitError("no option that meets the requirements has a bill to draw", "relax the requirements, or omit -o")
    draw(advice, out)
    click.echo(f"drawn: {out}", err=True)
