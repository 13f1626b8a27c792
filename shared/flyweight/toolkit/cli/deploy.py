"""`flyweight deploy`: deploy a built folder with the provider's own tool, and verify the endpoint's answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flyweight.toolkit.cli import _agreement, _deployment, _own_code, _show
from flyweight.toolkit.targets import Target

if TYPE_CHECKING:
    from flyweight.toolkit.deploying import Deployer, Deployment
    from flyweight.toolkit.deploying.releases import Release
    from flyweight.toolkit.publishing.signature_changes import Document
    from flyweight.toolkit.targets.commands import Runner

EXAMPLES = """\b
Examples:
  flyweight deploy aws --model penguins.safetensors
  flyweight deploy gcp --folder build/gcp --group my-project --dry-run
  flyweight deploy aws --client own
  flyweight deploy azure --name penguins --set instanceMemoryMB=512
"""


@click.command(epilog=EXAMPLES)
@_deployment.options
@_deployment.PARAMETERS
@_deployment.TAGS
@_deployment.INFRA
@click.option("--folder", type=click.Path(path_type=Path), help="The built folder.  [default: build/TARGET]")
@click.option("--model", help="Build the folder first, from this model file or address in a store.")
@click.option("--client", help="What runs the function on aws and azure: platform, or own: flyweight's.  [default: platform]")
@click.option("--no-smoke", is_flag=True, help="Do not compare the endpoint's answers with the model's recorded sample.")
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for the endpoint to start.")
@_agreement.option
@_own_code.options
def command(
    target: Target, name: str, region: str, group: str, dry_run: bool, as_json: bool, parameters: tuple[str, ...],
    tags: tuple[str, ...], infra: Path | None, folder: Path | None, model: str | None, client: str | None, no_smoke: bool,
    patience: float, yes: bool,
) -> None:  # fmt: skip
    """Deploy a folder from `flyweight build` to TARGET.

    TARGET's own command-line tools are run, and each command is printed. The endpoint then predicts the model's recorded sample.
    If its answers differ from the recorded ones, the previous release becomes live again and the exit status is 1. A first
    deployment is kept in that case, so that you can read its log. If the model's signature differs from that of the live model,
    or of the last release from here where the live one can't be asked, the changes are shown, and you are asked.
    """
    from flyweight.toolkit.deploying import Deployment, rollout
    from flyweight.toolkit.deploying.releases import releases_of

    transcript = _deployment.Transcript(as_json, dry_run)
    runner, deployer = transcript.runner(), target.deployer
    folder = folder or _deployment.usual_folder(target)
    _prepare(target, model, folder, Deployment(region=region, group=group), runner, as_json)
    if client is not None:
        parameters = (*parameters, deployer.choose_client(client))
    deployment = _deployment.deployment(target, name, region, group, folder, parameters, infra, tags)
    releases = releases_of(deployer, deployment, runner)
    _compare(deployment, _live(deployer, deployment, runner), releases.all(), yes or dry_run, as_json)
    if dry_run:
        rollout.show(deployer, deployment, runner)
        return transcript.document() if as_json else None
    ask = None if no_smoke else rollout.smoke_test(deployer, runner, patience)
    done = rollout.deploy(deployer, deployment, runner, ask, releases)
    checked = done.verdict.said if done.verdict else None
    if as_json:
        return transcript.document(url=done.url, release=done.release and done.release.number, smoke=checked)
    rows = {
        "release": done.release and f"{done.release.number}: {done.release.model}",
        "smoke test": checked or ("no" if done.url else "no: it has no address"),
        "call it": str(deployer.call(deployment) or f"flyweight call {done.url}{done.call}") if done.url else None,
        "undo": deployment.verb("rollback", target.name),
    }
    _show.table(done.url or deployment.name, rows)


def _prepare(target: Target, model: str | None, folder: Path, place: Deployment, runner: Runner, as_json: bool) -> None:
    """Check the folder first, since tools take minutes to install, then the tools; build the folder if a model is given.

    :raises DeployFailed: the folder is not built for the target, or a tool is missing or not logged in.
    """
    from flyweight.toolkit.building import build
    from flyweight.toolkit.deploying import rollout

    if model is None:
        rollout.built(folder, target.deployer)
    if not runner.dry_run:
        rollout.check(target.deployer, place, runner)
    if model is not None:
        with _show.progress(not as_json) as advance:
            build(target.name, model, folder, install=True, advance=advance)
        rollout.built(folder, target.deployer)


def _live(deployer: Deployer, deployment: Deployment, runner: Runner) -> Document | None:
    """Ask the endpoint that is live for the signature of its model; None if nothing is live or it can't be asked."""
    from flyweight.toolkit.deploying import rollout
    from flyweight.toolkit.errors import CommandFailed, DeployFailed

    if runner.dry_run:
        return None
    try:
        return rollout.signature(deployer, rollout.in_force(deployer, deployment, runner), runner)
    except (CommandFailed, DeployFailed):
        return None


def _compare(deployment: Deployment, live: Document | None, releases: list[Release], yes: bool, as_json: bool) -> None:
    """Compare the signature of the model in a folder with that of the live model, else of the last release; ask about changes.

    :raises SchemaChanged: the user can't be asked.
    :raises Abort: the user does not agree.
    """
    from flyweight.toolkit.building.folder import model_of

    before = live or (_agreement.document_at(model_of(releases[-1].folder)) if releases else None)
    after = _agreement.document_at(model_of(deployment.folder)) if before is not None else None
    if before is not None and after is not None:
        _agreement.ask(before, after, f"Deploy {deployment.name}", yes, as_json)
