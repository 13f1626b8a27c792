"""`flyweight events`: what each provider passes to a function; list it, show it, or write one that fits a model of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import click

from flyweight.toolkit import resources
from flyweight.toolkit.cli import _show
from flyweight.toolkit.events import samples

EXAMPLES = """\b
Examples:
  flyweight events ls gcp --triggers --json
  flyweight events show aws sqs
  flyweight events new azure servicebus --model penguins.safetensors --out event.json
"""
PROVIDER = click.Choice(resources.providers())


@click.group(epilog=EXAMPLES)
def command() -> None:
    """List, show and write sample events of HTTP requests and of triggers."""


@command.command("ls")
@click.argument("provider", required=False, type=PROVIDER)
@click.option("--triggers", is_flag=True, help="Only those of queues, streams, topics, files and schedules, no HTTP requests.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ls(provider: str | None, triggers: bool, as_json: bool) -> None:
    """List the events of PROVIDER, or of all."""
    found = {one: samples.names(one) for one in ([provider] if provider else resources.providers())}
    names = [(one, name) for one, listed in found.items() for name in listed if samples.is_trigger(name) or not triggers]
    rows = [(one, name, "trigger" if samples.is_trigger(name) else "http", samples.about(name)) for one, name in names]
    header = ("provider", "event", "kind", "about")
    if as_json:
        return _show.document([dict(zip(header, row, strict=True)) for row in rows])
    _show.columns("events", header, rows)


def _needs(trigger: str) -> str:
    needed = samples.needs(trigger)
    return f"; it names a file, which has to be there: {needed}" if needed else ""


@command.command("show")
@click.argument("provider", type=PROVIDER)
@click.argument("trigger")
@click.option("--json", "as_json", is_flag=True, help="The same: an event is JSON.")
def show(provider: str, trigger: str, as_json: bool) -> None:
    """Print the event TRIGGER of PROVIDER."""
    _show.document(samples.read(provider, trigger))


@command.command("new", epilog=EXAMPLES)
@click.argument("provider", type=PROVIDER)
@click.argument("trigger")
@click.option("--model", required=True, type=click.Path(), help="The model file whose recorded sample is the payload.")
@click.option("--out", type=click.Path(path_type=Path), help="Write it there.  [default: standard output]")
@click.option("--json", "as_json", is_flag=True, help="With --out, print what was written as JSON.")
def new(provider: str, trigger: str, model: str, out: Path | None, as_json: bool) -> None:
    """Write an event TRIGGER of PROVIDER whose payload fits MODEL, for `flyweight invoke --event`."""
    event = samples.fitted(provider, trigger, model)
    if event == samples.read(provider, trigger):
        click.echo(f"note: this event carries no instance, and is the same for every model{_needs(trigger)}", err=True)
    if out is None:
        return _show.document(event)
    out.write_text(json.dumps(event, indent=2, ensure_ascii=False) + "\n")
    if as_json:
        return _show.document({"path": str(out), "provider": provider, "event": trigger})
    click.echo(f"{out}\nnext: flyweight invoke {provider} --model {model} --event {out}")
