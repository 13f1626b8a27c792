"""`flyweight deploy`: deploy a built folder with the provider's own tool, and verify the endpoint's answers."""

from __future__ import annotations

from pathlib import Path

import click

from flyweight.toolkit.cli import _deployment, _show
from flyweight.toolkit.targets import Target

EXAMPLES = """\b
Examples:
  flyweight deploy aws --model penguins.safetensors
  flyweight deploy gcp --folder build/gcp --group my-project --dry-run
  flyweight deploy azure --name penguins --set instanceMemoryMB=512
"""


@click.command(epilog=EXAMPLES)
@_deployment.options
@_deployment.PARAMETERS
@_deployment.INFRA
@click.option("--folder", type=click.Path(path_type=Path), help="The built folder.  [default: build/TARGET]")
@click.option("--model", help="Build the folder first, from this model file or address in a store.")
@click.option("--no-smoke", is_flag=True, help="Do not compare the endpoint's answers with the model's recorded sample.")
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for the endpoint to start.")
def command(
    target: Target, name: str, region: str, group: str, dry_run: bool, as_json: bool, parameters: tuple[str, ...],
    infra: Path | None, folder: Path | None, model: str | None, no_smoke: bool, patience: float,
) -> None:  # fmt: skip
    """Deploy a folder from `flyweight build` to TARGET.

    TARGET's own command-line tools are run, and each command is printed. The endpoint then predicts the model's recorded sample.
    If its answers differ from the recorded ones, the previous release becomes live again and the exit status is 1. A first
    deployment is kept in that case, so that you can read its log.
    """
    from flyweight.toolkit.building import build
    from flyweight.toolkit.deploying import rollout
    from flyweight.toolkit.targets.deployment import HOME

    deployment = _deployment.deployment(target, name, region, group, folder, parameters, infra)
    transcript = _deployment.Transcript(as_json, dry_run)
    runner, deployer = transcript.runner(), target.deployer
    if not dry_run:
        rollout.check(deployer, deployment, runner)
    if model is not None:
        with _show.progress(not as_json) as advance:
            build(target.name, model, deployment.folder, install=True, advance=advance)
    rollout.built(deployment.folder, deployer)
    if dry_run:
        rollout.show(deployer, deployment, runner)
        return transcript.document() if as_json else None
    ask = None if no_smoke else rollout.smoke_test(deployer, runner, patience)
    done = rollout.deploy(deployer, deployment, runner, ask, HOME)
    checked = done.verdict.said if done.verdict else None
    if as_json:
        return transcript.document(url=done.url, release=done.release and done.release.number, smoke=checked)
    rows = {
        "release": done.release and f"{done.release.number}: {done.release.model}",
        "smoke test": checked or ("no" if done.url else "no: it has no address"),
        "call it": f"flyweight call {done.url} rows.csv{done.call}" if done.url else None,
        "undo": deployment.verb("rollback", target.name),
    }
    _show.table(done.url or name, rows)
