"""`flyweight destroy`: all that was deployed under a name, gone."""

from __future__ import annotations

from pathlib import Path

import click

from flyweight.toolkit.cli import _place

EXAMPLES = """\b
Examples:
  flyweight destroy aws --name penguins
  flyweight destroy gcp --group my-project --dry-run
"""


@click.command(epilog=EXAMPLES)
@_place.placed
@_place.INFRA
@click.option("--yes", is_flag=True, help="Do not ask first.")
def command(target: str, name: str, region: str, group: str, dry_run: bool, as_json: bool, infra: Path | None, yes: bool) -> None:
    """Remove the function of this name from TARGET, and what was made for it; the name has to be typed first.

    On Azure that is the resource group of that name, with whatever else is in it; one named otherwise is left to you. On AWS,
    buckets and a table of results stay; on Google Cloud, buckets, topics and images.
    """
    from flyweight.toolkit.deploying import rollout
    from flyweight.toolkit.deploying import target as target_of
    from flyweight.toolkit.deploying.releases import Releases

    place = _place.place(target, name, region, group, infra=infra)
    told = _place.Transcript(as_json, dry_run)
    runner, provider = told.runner(), target_of(target)
    if not dry_run:
        rollout.check(provider, place, runner)
        if not yes:
            if as_json:
                raise click.UsageError("--json asks no questions; add --yes")
            listed = "\n".join(f"  {one}" for one in provider.destroy(place))
            typed = click.prompt(
                f"This removes {name} for good:\n{listed}\nType its name to go on", default="", show_default=False
            )
            if typed != name:
                raise click.Abort
    runner.run(provider.destroy(place))
    if not dry_run:
        Releases(target, name).forget()
    if as_json:
        told.document()
