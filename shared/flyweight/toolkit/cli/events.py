"""`flyweight events`: list the sample events of each target, print one, or write one for the user's own model."""

from __future__ import annotations

import json
from pathlib import Path

import click

from flyweight.toolkit import targets
from flyweight.toolkit.cli import _command, _show, _target
from flyweight.toolkit.cli._group import SuggestingGroup
from flyweight.toolkit.events import samples
from flyweight.toolkit.targets import Target

EXAMPLES = """\b
Examples:
  flyweight events ls gcp --triggers --json
  flyweight events show aws sqs
  flyweight events show aws misspelt_feature.alb
  flyweight events new azure servicebus --model penguins.safetensors --out event.json
  flyweight events request --model penguins.safetensors --out request.json
"""


@click.group(cls=SuggestingGroup, epilog=EXAMPLES)
def command() -> None:
    """List, print and write sample events of HTTP and triggers."""


@command.command("ls", epilog="Example: flyweight events ls gcp --triggers --json")
@_target.optional_argument
@click.option("--triggers", is_flag=True, help="List only events of queues, streams, topics, files and schedules.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ls(target: Target | None, triggers: bool, as_json: bool) -> None:
    """List the events of TARGET, or of all targets. HTTP events also have other shapes: CASE.SHAPE."""
    listed = {one: samples.names(one) for one in ([target.name] if target else targets.names())}
    names = [(one, name) for one, found in listed.items() for name in found if samples.is_trigger(name) or not triggers]
    rows = [(one, name, "trigger" if samples.is_trigger(name) else "http", samples.about(name)) for one, name in names]
    header = ("target", "event", "kind", "about")
    if as_json:
        return _show.document([dict(zip(header, row, strict=True)) for row in rows])
    _show.columns("events", header, rows)


def _needs(event: str) -> str:
    objects = samples.needs(event)
    return f"; the file that it names must exist: {objects}" if objects else ""


@command.command("show", epilog="Example: flyweight events show aws misspelt_feature.alb")
@_target.argument
@click.argument("event")
@click.option("--json", "as_json", is_flag=True, help="Accepted for uniformity: an event is always JSON.")
def show(target: Target, event: str, as_json: bool) -> None:
    """Print an EVENT of TARGET: a name from `events ls`, or CASE.SHAPE."""
    _show.document(samples.read(target.name, event))


@command.command("new", epilog=EXAMPLES)
@_target.argument
@click.argument("event")
@click.option("--model", required=True, type=click.Path(), help="The model file whose recorded sample is the payload.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The file to write.  [default: standard output]")
@click.option("--json", "as_json", is_flag=True, help="With --out, print the result as JSON.")
def new(target: Target, event: str, model: str, out: Path | None, as_json: bool) -> None:
    """Write an EVENT of TARGET for your own model. Pass it to `flyweight invoke --event`."""
    from flyweight.toolkit.publishing.catalogue import file_at

    document = samples.fitted(target.name, event, file_at(model).document)
    if document == samples.read(target.name, event):
        click.echo(f"note: this event contains no instance, so it is the same for every model{_needs(event)}", err=True)
    if out is None:
        return _show.document(document)
    out.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        return _show.document({"path": str(out), "target": target.name, "event": event})
    click.echo(f"{out}\nnext: {_command.line('flyweight', 'invoke', target.name, '--model', model, '--event', out)}")


@command.command("request", epilog="Example: flyweight events request --model penguins.safetensors --out request.json")
@click.option("--model", required=True, help="The model file, or its address, whose recorded sample is sent.")
@click.option("--rows", default=1, show_default=True, type=click.IntRange(1), help="Rows of the sample, as far as it has them.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV, which `flyweight predict` and `flyweight call` read too.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The file to write.  [default: standard output]")
@click.option("--json", "as_json", is_flag=True, help="With --out, print the result as JSON.")
def request(model: str, rows: int, as_csv: bool, out: Path | None, as_json: bool) -> None:
    """Write the body of a request to POST /predict for your own model, as `curl --data @FILE` sends it."""
    from flyweight.toolkit.events import instances
    from flyweight.toolkit.publishing.catalogue import file_at

    document = file_at(model).document
    text = instances.text(document, rows) if as_csv else instances.body(document, rows) + "\n"
    if out is None:
        return click.echo(text, nl=False)
    out.write_text(text, encoding="utf-8", newline="")
    if as_json:
        return _show.document({"path": str(out)})
    header = f"content-type: {'text/csv' if as_csv else 'application/json'}"
    where = _command.line("curl", "URL/predict", "--header", header, "--data-binary", f"@{out}")
    click.echo(f"{out}\nnext: {where}")
