"""`flyweight deploy`: a built folder to a live endpoint, by the provider's own tool, asked for its own sample at the end."""

from __future__ import annotations

from pathlib import Path

import click

from flyweight.toolkit.cli import _place, _show

EXAMPLES = """\b
Examples:
  flyweight deploy aws --model penguins.safetensors
  flyweight deploy gcp --folder build/gcp --group my-project --dry-run
  flyweight deploy azure --name penguins --set instanceMemoryMB=512
"""


@click.command(epilog=EXAMPLES)
@_place.placed
@_place.PARAMETERS
@_place.INFRA
@click.option("--folder", type=click.Path(path_type=Path), help="The built folder.  [default: build/TARGET]")
@click.option("--model", help="Build the folder first, with this model file, or address in a store.")
@click.option("--no-smoke", is_flag=True, help="Do not ask the endpoint whether it answers as the model's record says.")
@click.option("--patience", default=60.0, show_default=True, help="Seconds that the endpoint may take to come up.")
def command(
    target: str, name: str, region: str, group: str, dry_run: bool, as_json: bool, parameters: tuple[str, ...],
    infra: Path | None, folder: Path | None, model: str | None, no_smoke: bool, patience: float,
) -> None:  # fmt: skip
    """Deploy a folder that `flyweight build` made to TARGET, by its own command-line tools; each command is shown.

    The endpoint is then asked for the sample that the model was recorded with. If it does not answer so, what was live before is
    made live again, and the exit status is 1. A first deployment is left as it is then, for its log to be read.
    """
    from flyweight.toolkit.building import build
    from flyweight.toolkit.deploying import rollout
    from flyweight.toolkit.deploying import target as target_of
    from flyweight.toolkit.targets.deployment import HOME

    place = _place.place(target, name, region, group, folder, parameters, infra)
    told = _place.Transcript(as_json, dry_run)
    runner, provider = told.runner(), target_of(target)
    if not dry_run:
        rollout.check(provider, place, runner)
    if model is not None:
        with _show.progress(not as_json) as advance:
            build(target, model, place.folder, install=True, advance=advance)
    rollout.built(place.folder, provider)
    if dry_run:
        rollout.show(provider, place, runner)
        return told.document() if as_json else None
    ask = None if no_smoke else rollout.asked(provider, runner, patience)
    done = rollout.deploy(provider, place, runner, ask, HOME)
    checked = done.verdict.said if done.verdict else None
    if as_json:
        return told.document(url=done.url, release=done.release and done.release.number, smoke=checked)
    rows = {
        "release": done.release and f"{done.release.number}: {done.release.model}",
        "asked": checked or ("no" if done.url else "no: it has no address"),
        "call it": f"flyweight call {done.url} rows.csv{done.call}" if done.url else None,
        "undo": place.verb("rollback", target),
    }
    _show.table(done.url or name, rows)
