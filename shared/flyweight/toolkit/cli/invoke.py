"""`flyweight invoke`: run a function on an event in its target's real runtime, on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _own_code, _show, _target
from flyweight.toolkit.targets import Target

if TYPE_CHECKING:
    from flyweight.toolkit.running.measure import Figures

EXAMPLES = """\b
Examples:
  flyweight invoke aws --model penguins.safetensors
  flyweight invoke aws --model penguins.safetensors --event misspelt_feature
  flyweight invoke aws --model penguins.safetensors --client own
  flyweight invoke gcp --folder build/gcp --event my-event.json --runs 5 --repeat 200
"""


@click.command(epilog=EXAMPLES)
@_target.argument
@click.option(
    "--event",
    help="A file, or a name from `flyweight events ls`, which gets a row of the model's own sample.  [default: predict]",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder to run, from `flyweight build` or your own.",
)
@click.option("--model", help="A model file or an address in a store, to build into a temporary folder.")
@click.option(
    "--runs", default=1, show_default=True, type=click.IntRange(1), help="Fresh processes to start, for the median cold start."
)
@click.option(
    "--repeat", default=0, show_default=True, type=click.IntRange(0), help="Further calls of the last process, for p50 and p95."
)
@click.option("--python", default=sys.executable, help="The Python interpreter to use.  [default: this one]")
@click.option(
    "--client",
    default="platform",
    show_default=True,
    help="What runs the function: platform, or on aws and azure own: flyweight's.",
)
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="An environment variable of the function; can be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer and the figures as JSON.")
@_own_code.options
def command(
    target: Target,
    event: str | None,
    folder: Path | None,
    model: str | None,
    runs: int,
    repeat: int,
    python: str,
    client: str,
    env: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run a function on an event in TARGET's real runtime.

    The runtime is a fresh process on this machine, without a container engine. The answer, times and memory are printed. A TARGET
    that scores batches scores the model's own sample instead, with its engine on this machine.
    """
    from flyweight.toolkit.events.samples import NoSample
    from flyweight.toolkit.verbs import invoke

    if (folder is None) == (model is None):
        raise click.UsageError("give either --folder or --model")
    if target.has("job"):
        if event is not None or runs > 1 or repeat or client != "platform":
            options = "--event, --runs, --repeat and --client"
            raise click.UsageError(f"{target.name} scores batches and has no events; omit {options}")
        return _run_job(target, model, folder, python, env, as_json)
    where: dict[str, Any] = {"model": model, "folder": folder, "event": event or "predict", "python": python, "client": client}
    environ = dict(_pair(text) for text in env)
    try:
        figures = invoke(target.name, **where, runs=runs, repeat=repeat, environ=environ)
    except NoSample as error:
        raise click.BadParameter(f"{error}; {error.next_step}", param_hint="--event") from None
    if as_json:
        reply = {"status": figures.answer.status, "headers": figures.answer.headers, "body": _parsed(figures.answer.body)}
        return _show.document({"answer": reply, "figures": figures.document(), "log": figures.log.splitlines()})
    _report(figures, runs)


def _run_job(
    target: Target, model: str | None, folder: Path | None, python: str, env: tuple[str, ...], as_json: bool
) -> None:  # fmt: skip
    """Score the model's sample; exit with 1 if a prediction is not the recorded one."""
    from flyweight.toolkit.verbs import run_job

    done = run_job(target.name, model=model, folder=folder, python=python, environ=dict(_pair(text) for text in env))
    if as_json:
        _show.document(done.document())
    else:
        words = {True: "yes", False: "no", None: "the model has no recorded sample"}[done.as_recorded]
        rows = {"rows": len(done.predictions), "as recorded": words, "time": f"{done.seconds:.1f} s"}
        click.echo(json.dumps(done.predictions, ensure_ascii=False))
        _show.table(done.engine, rows)
    if done.as_recorded is False:
        click.get_current_context().exit(1)


def _report(figures: Figures, runs: int) -> None:
    answer = figures.answer
    body: Any = _parsed(answer.body)
    click.echo(f"{answer.status}")
    for name, value in answer.headers.items():
        click.echo(f"{name}: {value}")
    click.echo()
    click.echo(body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False))
    if figures.log:
        click.echo(f"\n{figures.log.rstrip()}", err=True)
    parts = {f"  of it {part}": _show.milliseconds(spent) for part, spent in (figures.split or {}).items()}
    rows = {
        f"cold start (median of {runs})" if runs > 1 else "cold start": _show.milliseconds(figures.cold_median),
        **parts,
        "warm p50": _show.milliseconds(figures.warm_percentile(50)),
        "warm p95": _show.milliseconds(figures.warm_percentile(95)),
        "peak memory": _show.size(figures.memory),
        "folder": _show.size(figures.size),
    }
    _show.table(figures.runtime, rows)


def _pair(text: str) -> tuple[str, str]:
    """Split NAME=VALUE.

    :raises BadParameter: the text is not NAME=VALUE.
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"expected NAME=VALUE, got {text!r}", param_hint="--env")
    return name, value


def _parsed(body: bytes) -> Any:
    text = body.decode(errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
