"""`flyweight advise`: which deployment suits a model, its traffic and its team, with the arithmetic and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flyweight.toolkit import resources
from flyweight.toolkit.cli import _show, _traffic

if TYPE_CHECKING:
    from flyweight.toolkit.costs.advice import Advice

EXAMPLES = """\b
Examples:
  flyweight advise --model penguins.safetensors --requests 5M -o advice.svg
  flyweight advise --model penguins.safetensors --requests 200k --latency 50 --team platform
  flyweight advise --model penguins.safetensors --cloud aws --cloud gcp --residency region
"""
TEAMS = ("data", "backend", "platform")


@click.command(epilog=EXAMPLES)
@_traffic.traffic
@click.option("--latency", default=0.0, help="Milliseconds within which 99 of 100 answers should come.  [default: no matter]")
@click.option("--offline", is_flag=True, help="Nobody waits for an answer: files by night will do.")
@click.option("--cloud", "clouds", multiple=True, type=click.Choice(resources.providers()), help="May be used.  [default: all]")
@click.option("--residency", default="any", type=click.Choice(("any", "region", "premises")), help="Where data may be.")
@click.option("--team", default="data", show_default=True, type=click.Choice(TEAMS), help="Who looks after it.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Draw cost against traffic here (SVG).")
def command(
    model: str,
    requests: float,
    rows: int,
    peak: float,
    cold: float,
    warm: int,
    runs: int,
    repeat: int,
    as_json: bool,
    latency: float,
    offline: bool,
    clouds: tuple[str, ...],
    residency: str,
    team: str,
    out: Path | None,
) -> None:
    """Compare serverless, managed endpoints, machines, containers, Kubernetes, devices and batch for a model, and recommend one.

    Each is rated from 1 to 5 for scalability, latency, cost, security, ease and integration, with its reason; the team says how
    much each counts. Time and memory are measured here, in AWS Lambda's runtime.
    """
    from flyweight.toolkit.costs.advice import Needs, advise, document
    from flyweight.toolkit.costs.measuring import measured
    from flyweight.toolkit.costs.workload import Workload

    sized = measured("aws", model, rows, runs, repeat)
    work = Workload(sized.measured, requests, rows, peak, sized.sent, sized.received, latency, cold, warm)
    advice = advise(work, Needs(clouds or tuple(resources.providers()), residency, not offline, team))
    if out is not None:
        _draw(advice, out)
    if as_json:
        return _show.document(document(advice))
    _show.table(f"measured here: {sized.measured.runtime}", _traffic.figures(sized))
    _table(advice)
    _recommendation(advice)


def _table(advice: Advice) -> None:
    from flyweight.toolkit.costs.options import CRITERIA

    rows = []
    for one in advice.considered:
        rated = " ".join(f"{one.ratings[name][0]:.0f}" for name in CRITERIA)
        dollars = f"${one.bill.total:,.2f}" + ("" if one.bill.confirmed else "*")
        score = "-" if one.excluded else f"{one.score:.2f}"
        rows.append((one.option.name, dollars, f"{1000 * one.slowest:.0f} ms", rated, score, one.why))
    letters = " ".join(name[0] for name in CRITERIA)
    _show.columns("every option", ("", "a month", "99 of 100", letters, "score", "why"), rows)
    click.echo(f"{', '.join(CRITERIA)}: from 1 to 5.  *: in part by prices that were not confirmed")


def _recommendation(advice: Advice) -> None:
    from flyweight.toolkit.costs.advice import leading
    from flyweight.toolkit.costs.prices import table

    best = advice.best
    if best is None:
        click.echo("\nnone of them will do:")
    else:
        click.echo(f"\nrecommended: {best.option.name}, ${best.bill.total:,.2f} a month")
    for reason in advice.reasons():
        click.echo(f"  {reason}")
    if best is not None:
        for limit in best.option.limits:
            click.echo(f"  mind: {limit}")
        _show.columns("its bill", ("", "arithmetic", "dollars"), _traffic.arithmetic(best.bill))
    changes = [(f"{c.requests:,}", c.cheaper_above, c.cheaper_below) for c in leading(advice)]
    _show.columns("the cheapest changes", ("from requests a month", "to", "from"), changes or [("never", "", "")])
    click.echo(f"list prices of {table()['checked']}, without taxes; each with its source in toolkit/costs/prices.json")


def _draw(advice: Advice, out: Path) -> None:
    from flyweight.toolkit.costs.picture import draw

    try:
        draw(advice, out)
    except ModuleNotFoundError as error:
        raise _show.Failed(f"the picture needs {error.name}, which is not here", "pip install 'flyweight[plots]'") from None
    click.echo(f"drawn: {out}", err=True)
