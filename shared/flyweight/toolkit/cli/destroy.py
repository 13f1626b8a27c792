"""`flyweight destroy`: remove a deployed function and its resources."""

from __future__ import annotations

from pathlib import Path

import click

from flyweight.toolkit.cli import _deployment
from flyweight.toolkit.targets import Target

EXAMPLES = """\b
Examples:
  flyweight destroy aws --name penguins
  flyweight destroy gcp --group my-project --dry-run
"""


@click.command(epilog=EXAMPLES)
@_deployment.options
@_deployment.PARAMETERS
@_deployment.INFRA
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def command(
    target: Target, name: str, region: str, group: str, dry_run: bool, as_json: bool,
    parameters: tuple[str, ...], infra: Path | None, yes: bool,
) -> None:  # fmt: skip
    """Remove a function and its resources from TARGET.

    You confirm by typing the function's name. On Azure, the resource group with that name is removed with everything in it; a
    resource group with another name is not removed. On AWS, buckets and a table of results are kept; on Google Cloud, buckets,
    topics and images.
    """
    from flyweight.toolkit.deploying import rollout
    from flyweight.toolkit.deploying.releases import releases_of

    deployment = _deployment.deployment(target, name, region, group, None, parameters, infra)
    transcript = _deployment.Transcript(as_json, dry_run)
    runner, deployer = transcript.runner(), target.deployer
    if not dry_run:
        rollout.check(deployer, deployment, runner)
        releases = releases_of(deployer, deployment, runner)
        if not yes:
            _confirm(deployment.name, [str(one) for one in deployer.destroy(deployment)], as_json)
    runner.run(deployer.destroy(deployment))
    if not dry_run:
        releases.forget()
    if as_json:
        transcript.document()


def _confirm(name: str, commands: list[str], as_json: bool) -> None:
    """Ask for the name of what is removed.

    :raises UsageError: nobody can be asked.
    :raises Abort: another name was typed.
    """
    if as_json:
        raise click.UsageError("--json can't ask for confirmation; add --yes")
    listed = "\n".join(f"  {one}" for one in commands)
    click.echo(f"This removes {name} for good:\n{listed}")
    try:
        typed = click.prompt("Type its name to continue", default="", show_default=False)
    except click.Abort:  # the input ended, as it does without a terminal
        raise click.UsageError("nobody is there to confirm it, and nothing was removed; add --yes to remove it") from None
    if typed != name:
        raise click.Abort
