"""`flyweight rollback`: make the previous release live again."""

from __future__ import annotations

import click

from flyweight.toolkit.cli import _deployment, _show
from flyweight.toolkit.targets import Target, naming

EXAMPLES = """\b
Examples:
  flyweight rollback gcp --group my-project
  flyweight rollback aws --name penguins --dry-run
  flyweight rollback aws --name penguins --to 7
"""


@click.command(epilog=EXAMPLES)
@_deployment.options
@click.option("--to", "label", default="", help="The version (AWS) or revision (Google Cloud) to make live instead.")
@click.option("--no-smoke", is_flag=True, help="Do not compare the endpoint's answers with the model's recorded sample.")
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for the endpoint to start.")
def command(
    target: Target, name: str, region: str, group: str, dry_run: bool, as_json: bool, label: str, no_smoke: bool,
    patience: float,
) -> None:  # fmt: skip
    """Make the version live again that was live before.

    AWS and Google Cloud keep earlier versions and are asked for them. Azure keeps one package, so that the folder of an
    earlier release is sent again: `flyweight deploy` stores folders in .flyweight, apart for each account, region and group.
    A version whose folder is not stored here is asked whether it is ready, and its answers are not compared.
    """
    from flyweight.toolkit.deploying import rollout
    from flyweight.toolkit.deploying.releases import releases_of

    if label:
        naming.LABEL.check(label)
    deployment = _deployment.deployment(target, name, region, group)
    transcript = _deployment.Transcript(as_json, dry_run)
    runner, deployer = transcript.runner(), target.deployer
    if not dry_run:
        rollout.check(deployer, deployment, runner)
    ask = None if no_smoke else rollout.smoke_test(deployer, runner, patience)
    done = rollout.back(deployer, deployment, runner, ask, releases_of(deployer, deployment, runner), label)
    if as_json:
        number = done.release and done.release.number
        transcript.document(url=done.url, release=number, label=done.label, smoke=done.verdict and done.verdict.said)
    elif not dry_run:
        answers = done.verdict.said if done.verdict else "no"
        _show.table(done.url or deployment.name, {"release": done.told, "smoke test": answers})
    if done.verdict is not None and not done.verdict.good:
        raise click.exceptions.Exit(1)
