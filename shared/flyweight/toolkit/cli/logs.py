"""`flyweight logs`: print the log of a deployed function with the provider's own tool."""

from __future__ import annotations

import click

from flyweight.toolkit.cli import _deployment
from flyweight.toolkit.targets import Target

EXAMPLES = """\b
Examples:
  flyweight logs aws --since 1h
  flyweight logs gcp --group my-project --follow
"""


@click.command(epilog=EXAMPLES)
@_deployment.options
@click.option("--since", default="10m", show_default=True, help="The age of the oldest entries: 30s, 10m, 2h, 1d.")
@click.option("--follow", is_flag=True, help="Print new entries until Ctrl-C.")
def command(target: Target, name: str, region: str, group: str, dry_run: bool, as_json: bool, since: str, follow: bool) -> None:
    """Print the log of a function. The command that TARGET's tool runs is printed too."""
    from flyweight.toolkit.deploying import rollout

    if not since[:-1].isdecimal() or since[-1] not in "smhd":
        raise click.BadParameter(f"expected a number followed by s, m, h or d, got {since!r}", param_hint="--since")
    deployment = _deployment.deployment(target, name, region, group)
    transcript = _deployment.Transcript(as_json, dry_run)
    runner, deployer = transcript.runner(), target.deployer
    if not dry_run:
        rollout.check(deployer, deployment, runner)
    *before, last = deployer.logs(deployment, since, follow)
    runner.run(before)
    if as_json:
        return transcript.document(log=runner.output(last).splitlines())
    runner.run([last])
