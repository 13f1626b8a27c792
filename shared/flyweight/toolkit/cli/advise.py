"""`flyweight advise`: which deployment suits a model, its traffic and its team, with the arithmetic and a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flyweight.toolkit import installation, targets
from flyweight.toolkit.cli import _show, _traffic
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.toolkit.costs.advice import Advice

EXAMPLES = """\b
Examples:
  flyweight advise --model penguins.safetensors --requests 5M -o advice.svg
  flyweight advise --model penguins.safetensors --requests 200k --latency 50 --team platform
  flyweight advise --model penguins.safetensors --cloud aws --cloud gcp --residency DE
  flyweight advise --model penguins.safetensors --data-rows 200M --data-size 40G --data-runs 30
"""
TEAMS = ("data", "backend", "platform")
TOGETHER = 1000  # rows that are sent at once where no caller waits


@click.command(epilog=EXAMPLES)
@_traffic.traffic
@click.option("--latency", default=0.0, type=click.FloatRange(0), help="Milliseconds within which 99 of 100 answers should come.")
@click.option("--offline", is_flag=True, help="Nobody waits for an answer: the requests' rows are gathered, and scored by night.")
@click.option(
    "--data-rows", default="0", type=_traffic.Count(), help="Rows of a data set that is scored whole: 200M. Nobody waits."
)
@click.option("--data-size", default="0", type=_traffic.Count(), help="Its bytes: 40G.  [default: as the sample's rows in JSON]")
@click.option("--data-runs", default=30, show_default=True, type=click.IntRange(1), help="How often a month it is scored.")
@click.option("--cloud", "clouds", multiple=True, type=click.Choice(targets.clouds()), help="May be used.  [default: all]")
@click.option(
    "--residency", default="any", show_default=True, help="Where data may be: any, region, premises, a country (DE), EU."
)
@click.option("--team", default="data", show_default=True, type=click.Choice(TEAMS), help="Who looks after it.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Draw cost against traffic here (SVG).")
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
    """Compare serverless, managed endpoints, machines, containers, Kubernetes, devices and batch for a model, and recommend one.

    Each is rated from 1 to 5 for scalability, latency, cost, security, ease and integration, with its reason; the team says how
    much each counts. Time and memory are measured here, in the runtime of the first target that has one and is priced.
    """
    from flyweight.toolkit.costs.advice import Needs, advise, document
    from flyweight.toolkit.costs.residency import checked

    wanted = checked(residency)
    live = not (offline or data_rows)
    if not live:
        rows = max(traffic.rows, TOGETHER)
        scored = data_rows * data_runs or traffic.requests * traffic.rows
        size = data_size * data_runs / (scored / rows) if data_rows and data_size else traffic.request_size
        traffic = replace(traffic, rows=rows, requests=scored / rows, request_size=size, repeat=min(traffic.repeat, 20))
    sized = traffic.measured(_measurable())
    work = traffic.workload(sized, latency=latency, runs=0 if live else data_runs)
    work = replace(work, memory_mb=max(work.memory_mb, work.need_mb))
    advice = advise(work, Needs(clouds or tuple(targets.clouds()), wanted, live, team))
    if out is not None:
        _draw(advice, out)
    if traffic.as_json:
        return _show.document(document(advice))
    _show.table(f"measured here: {sized.measured.runtime}", _traffic.figures(sized))
    _table(advice)
    _residency(advice)
    _recommendation(advice)


def _measurable() -> str:
    """The first target that runs on this machine and is priced.

    :raises ToolkitError: no target runs and is priced.
    """
    for target in targets.all_targets():
        if target.has("runtime") and target.has("costs"):
            return target.name
    raise ToolkitError("no target runs on this machine and is priced", "install one, or write its runtime and its costs")


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
    some = "" if all(one.bill.confirmed for one in advice.considered) else "  *: in part by prices that were not confirmed"
    click.echo(f"{', '.join(CRITERIA)}: from 1 to 5.{some}\n\nwhy, and why not")
    for one in advice.considered:
        click.echo(f"  {one.option.name}: {one.why}")
    click.echo()


def _residency(advice: Advice) -> None:
    from flyweight.toolkit.costs.residency import notes

    if listed := list(notes(advice.needs.clouds, advice.needs.residency)):
        click.echo("where data stays")
        for cloud, what, source in listed:
            click.echo(f"  {cloud}: {what} [{source}]")
        click.echo()


def _recommendation(advice: Advice) -> None:
    from flyweight.toolkit.costs import prices

    best = advice.best
    if best is None:
        click.echo("none of them will do:")
    else:
        click.echo(f"recommended: {best.option.name}, ${best.bill.total:,.2f} a month")
    for reason in advice.reasons():
        click.echo(f"  {reason}")
    if best is not None:
        for limit in best.mind:
            click.echo(f"  mind: {limit}")
        click.echo()
        _show.columns("its bill", ("", "arithmetic", "dollars"), _traffic.arithmetic(best.bill))
    changes = [(f"{c.requests:,}", c.cheaper_above, c.cheaper_below) for c in advice.leading]
    _show.columns("the cheapest changes", ("from requests a month", "to", "from"), changes or [("never", "", "")])
    where = ", ".join(region for cloud, region in prices.regions().items() if cloud in advice.needs.clouds)
    click.echo(prices.footnote(where))


def _draw(advice: Advice, out: Path) -> None:
    """Draw the picture.

    :raises ToolkitError: nothing can be drawn, or matplotlib is not installed.
    """
    from flyweight.toolkit.costs.picture import draw

    if not advice.priced:
        raise ToolkitError("nothing that will do has a bill to draw", "ask for less, or leave -o out")
    try:
        draw(advice, out)
    except ModuleNotFoundError as error:
        raise ToolkitError(f"the picture needs {error.name}, which is not here", installation.command("plots")) from None
    click.echo(f"drawn: {out}", err=True)
