"""A target and a place to a live endpoint that was asked, or back to the one before."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from flyweight.toolkit.build.folder import MARKER
from flyweight.toolkit.deploying.authorization import chosen
from flyweight.toolkit.deploying.commands import CommandFailed, Runner
from flyweight.toolkit.deploying.endpoint import Endpoint
from flyweight.toolkit.deploying.releases import Release, Releases
from flyweight.toolkit.deploying.smoke import Verdict, smoke
from flyweight.toolkit.deploying.target import DeployFailed, Place, Target


@dataclass(frozen=True)
class Outcome:
    """What is live now, where, and what asking it told (None: it was not asked)."""

    url: str
    release: Release | None
    verdict: Verdict | None


def check(target: Target, place: Place, runner: Runner) -> None:
    """Whether the tools are here, and know who we are.

    :raises DeployFailed: one is not, or does not; nothing was run.
    """
    for tool in target.tools(place):
        if shutil.which(tool.program) is None:
            raise DeployFailed(f"`{tool.program}` is not installed", next_step=f"install it: {tool.install}")
    for tool in target.tools(place):
        if tool.login is not None and not runner.succeeds(tool.login):
            raise DeployFailed(f"`{tool.program}` is not logged in: `{tool.login}` failed", next_step=tool.sign_in)


def built(folder: Path, target: Target) -> None:
    """Whether a folder is one that `flyweight build` made.

    :raises DeployFailed: it is not.
    """
    if not (folder / MARKER).is_file():
        step = f"flyweight build {target.name} --model FILE -o {folder}"
        raise DeployFailed(f"{folder} is not a built folder", next_step=step)


def show(target: Target, place: Place, runner: Runner) -> None:
    """What `deploy` would run, by a runner that runs nothing."""
    _label(target, place, runner)
    runner.run(target.deploy(place))
    runner.output(target.url(place))


def deploy(target: Target, place: Place, runner: Runner, ask: Callable[[str, Place], Verdict] | None, home: Path) -> Outcome:
    """Deploy, ask by `ask`, and go back to what was live before if that fails.

    :raises CommandFailed: a command failed; what was live before is as the provider leaves it, its own rollback included.
    :raises DeployFailed: the endpoint does not answer as it should; what was live before is live again, if there was something.
    """
    releases = Releases(target.name, place.name, home)
    before = releases.all()
    label = _label(target, place, runner)
    staged = releases.stage(place.folder)
    place = replace(place, folder=staged)
    try:
        runner.run(target.deploy(place))
        url = runner.output(target.url(place))
        verdict = ask(url, place) if ask else None
    except BaseException:
        releases.drop(staged)
        raise
    if verdict is not None and not verdict.good:
        releases.drop(staged)
        raise _failed(verdict, _go_back(target, place, runner, before, label), url, target)
    return Outcome(url, releases.keep(staged, _label(target, place, runner), place.parameters), verdict)


def back(target: Target, place: Place, runner: Runner, ask: Callable[[str, Place], Verdict] | None, home: Path) -> Outcome:
    """The release before the newest, live again.

    :raises DeployFailed: none is kept here.
    """
    releases = Releases(target.name, place.name, home)
    kept = releases.all()
    if len(kept) < 2:
        said = f"{releases.home} keeps {len(kept)} release{'' if len(kept) == 1 else 's'}, none to go back to"
        raise DeployFailed(said, f"deploy an earlier folder: flyweight deploy {target.name} --folder FOLDER")
    earlier = kept[-2]
    place = replace(place, folder=earlier.folder, parameters=earlier.parameters)
    runner.run(target.back(place, earlier.label))
    url = runner.output(target.url(place))
    if runner.dry_run:
        return Outcome(url, earlier, None)
    verdict = ask(url, place) if ask else None
    releases.make_current(earlier)
    return Outcome(url, earlier, verdict)


def asked(target: Target, runner: Runner, patience: float) -> Callable[[str, Place], Verdict]:
    """What asks a live endpoint for its own sample, authorized as the target says."""

    def ask(url: str, place: Place) -> Verdict:
        return smoke(reached(target, place, runner, url), place.folder, patience)

    return ask


def reached(target: Target, place: Place, runner: Runner, url: str) -> Endpoint:
    """The endpoint, with what it takes to be let in."""
    wanted = target.key(place)
    key = runner.output(*wanted) if wanted else os.environ.get("FLYWEIGHT_KEY", "")
    return Endpoint(url, chosen(target.authorization(place), url, key, place.region or target.region), retries=1)


def _label(target: Target, place: Place, runner: Runner) -> str:
    """What the provider calls what is live; "" where nothing is, or it has no name for it."""
    live = target.live(place)
    said = runner.output_if_any(*live) if live else ""
    return "" if said == "None" else said  # as one of the tools prints nothing


def _go_back(target: Target, place: Place, runner: Runner, before: list[Release], label: str) -> str:
    """Make what was live before live again; what came of it, in words."""
    if not before and not label:
        return "it was the first, so that there is nothing to go back to"
    earlier = replace(place, folder=before[-1].folder, parameters=before[-1].parameters) if before else place
    try:
        runner.run(target.back(earlier, label))
    except CommandFailed as error:
        return f"going back failed as well: {error}"
    return f"{label or before[-1].model} is live again"


def _failed(verdict: Verdict, then: str, url: str, target: Target) -> DeployFailed:
    said = verdict.said.removeprefix("not yet: ")
    return DeployFailed(f"{url}: {said}; {then}", next_step=f"flyweight logs {target.name} says more")
