"""`flyweight status`: how a deployed function is, by the provider's word and by its own."""

from __future__ import annotations

import click

from flyweight.toolkit.cli import _place, _show

EXAMPLES = """\b
Examples:
  flyweight status aws
  flyweight status azure --name penguins --json
"""


@click.command(epilog=EXAMPLES)
@_place.placed
def command(target: str, name: str, region: str, group: str, dry_run: bool, as_json: bool) -> None:
    """Say what TARGET tells of a function, and what the function says when it is asked whether it is ready."""
    from flyweight.toolkit.deploying import DeployFailed, rollout
    from flyweight.toolkit.deploying import target as target_of
    from flyweight.toolkit.deploying.commands import CommandFailed
    from flyweight.toolkit.deploying.releases import Releases

    place = _place.place(target, name, region, group)
    told = _place.Transcript(as_json, dry_run)
    runner, provider = told.runner(), target_of(target)
    if not dry_run:
        rollout.check(provider, place, runner)
    try:
        state = runner.output(*provider.status(place))
    except CommandFailed as error:
        step = f"look at --name and --region; where nothing is, deploy it: {place.verb('deploy', target)}"
        raise DeployFailed(f"{target} tells nothing of {name}: {error}", step) from None
    url = rollout.address(provider, place, runner)
    whole = rollout.in_force(provider, place, runner)
    if dry_run:
        return told.document() if as_json else None
    ready, served, answered = False, "", "not asked: it has no address"
    try:
        if url:
            reply = rollout.reached(provider, whole, runner, url).ask("GET", "/ready")
            ready, served = reply.status == 200, reply.headers.get("x-flyweight-model", "")
            answered = f"{reply.status} {reply.problem.get('status', '')}".strip()
    except (CommandFailed, DeployFailed) as error:  # we are not let in, or nobody answers: the provider's word is worth telling
        answered = str(error)
    releases = [f"{one.number}: {one.model}" for one in Releases(target, name).all()]
    if as_json:
        return told.document(url=url, state=state.split(), ready=ready, model=served, releases=releases)
    rows = {
        "state": " ".join(state.split()),
        "GET /ready": f"{answered}, {served}" if served else answered,
        "releases from here": ", ".join(releases) or "none",
    }
    _show.table(url or name, rows)
