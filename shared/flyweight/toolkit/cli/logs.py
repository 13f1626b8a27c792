"""`flyweight logs`: what a deployed function logged, by the provider's own tool."""

from __future__ import annotations

import click

from flyweight.toolkit.cli import _place

EXAMPLES = """\b
Examples:
  flyweight logs aws --since 1h
  flyweight logs gcp --group my-project --follow
"""


@click.command(epilog=EXAMPLES)
@_place.placed
@click.option("--since", default="10m", show_default=True, help="How far back: 30s, 10m, 2h, 1d.")
@click.option("--follow", is_flag=True, help="Go on until Ctrl-C.")
def command(target: str, name: str, region: str, group: str, dry_run: bool, as_json: bool, since: str, follow: bool) -> None:
    """Print the log of a function at TARGET; the command is shown."""
    from flyweight.toolkit.deploying import rollout
    from flyweight.toolkit.deploying import target as target_of

    if not since[:-1].isdecimal() or since[-1] not in "smhd":
        raise click.BadParameter(f"expected a number and s, m, h or d, got {since!r}", param_hint="--since")
    place = _place.place(target, name, region, group)
    told = _place.Transcript(as_json, dry_run)
    runner, provider = told.runner(), target_of(target)
    if not dry_run:
        rollout.check(provider, place, runner)
    *before, last = provider.logs(place, since, follow)
    runner.run(before)
    if as_json:
        return told.document(log=runner.output(last).splitlines())
    runner.run([last])
