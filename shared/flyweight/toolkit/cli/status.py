"""`flyweight status`: show the state of a deployed function, from the provider and from the function itself."""

from __future__ import annotations

import click

from flyweight.toolkit.cli import _deployment, _show
from flyweight.toolkit.targets import Target

EXAMPLES = """\b
Examples:
  flyweight status aws
  flyweight status azure --name penguins --json
"""


@click.command(epilog=EXAMPLES)
@_deployment.options
def command(target: Target, name: str, region: str, group: str, dry_run: bool, as_json: bool) -> None:
    """Show the state of a function and whether it is ready.

    The state comes from TARGET; the function itself answers GET /ready, where the platform passes that on.
    """
    from flyweight.toolkit.deploying import rollout
    from flyweight.toolkit.deploying.releases import releases_of
    from flyweight.toolkit.errors import CommandFailed, DeployFailed

    deployment = _deployment.deployment(target, name, region, group)
    transcript = _deployment.Transcript(as_json, dry_run)
    runner, deployer = transcript.runner(), target.deployer
    if not dry_run:
        rollout.check(deployer, deployment, runner)
    try:
        state = runner.output(*deployer.status(deployment))
    except CommandFailed as error:
        step = f"check --name and --region; if it does not exist, deploy it: {deployment.verb('deploy', target.name)}"
        raise DeployFailed(f"{target.name} has no state of {deployment.name}: {error}", step) from None
    url = rollout.address(deployer, deployment, runner)
    whole = rollout.in_force(deployer, deployment, runner)
    if dry_run:
        return transcript.document() if as_json else None
    question = deployer.question(whole)
    ready, served, answered = False, "", f"not requested: it {'passes on predictions alone' if url else 'has no address'}"
    try:
        if url and question.ready:
            reply = rollout.reached(deployer, whole, runner, url).ask("GET", question.ready, b"", **question.headers)
            ready, served = reply.status == 200, reply.headers.get("x-flyweight-model", "")
            answered = f"{reply.status} {reply.problem.get('status', '')}".strip()
    except (CommandFailed, DeployFailed) as error:  # without access or an answer, the state is still shown
        answered = str(error)
    releases = [f"{one.number}: {one.model}" for one in releases_of(deployer, deployment, runner).all()]
    if as_json:
        return transcript.document(url=url, state=state.split(), ready=ready, model=served, releases=releases)
    rows = {
        "state": " ".join(state.split()),
        "GET /ready": f"{answered}, {served}" if served else answered,
        "releases from here": ", ".join(releases) or "none",
    }
    _show.table(url or deployment.name, rows)
