"""`flyweight rollback`: make the previous release live again."""

from __future__ import annotations

import click

from flyweight.toolkit.cli import _deployment, _show
from flyweight.toolkit.targets import Target

EXAMPLES = """\b
Examples:
  flyweight rollback gcp --group my-project
  flyweight rollback aws --name penguins --dry-run
"""


@click.command(epilog=EXAMPLES)
@_deployment.options
@click.option("--no-smoke", is_flag=True, help="Do not compare the endpoint's answers with the model's recorded sample.")
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for the endpoint to start.")
def command(
    target: Target, name: str, region: str, group: str, dry_run: bool, as_json: bool, no_smoke: bool, patience: float
) -> None:
    """Make the previous release live again.

    It gets the parameters with which it was deployed. Releases are created by `flyweight deploy`, and are stored in
    .flyweight/TARGET/NAME under the working directory.
    """
    from flyweight.toolkit.deploying import rollout
    from flyweight.toolkit.targets.deployment import HOME

    deployment = _deployment.deployment(target, name, region, group)
    transcript = _deployment.Transcript(as_json, dry_run)
    runner, deployer = transcript.runner(), target.deployer
    if not dry_run:
        rollout.check(deployer, deployment, runner)
    ask = None if no_smoke else rollout.smoke_test(deployer, runner, patience)
    done = rollout.back(deployer, deployment, runner, ask, HOME)
    assert done.release is not None
    if as_json:
        transcript.document(url=done.url, release=done.release.number, smoke=done.verdict and done.verdict.said)
    elif not dry_run:
        answers = done.verdict.said if done.verdict else "no"
        _show.table(done.url, {"release": f"{done.release.number}: {done.release.model}", "smoke test": answers})
    if done.verdict is not None and not done.verdict.good:
        raise click.exceptions.Exit(1)
