"""A target and a place to a live endpoint that was asked, or back to the one before."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from flyweight.toolkit.building.folder import MARKER
from flyweight.toolkit.deploying.authorization import by_host, chosen
from flyweight.toolkit.deploying.commands import CommandFailed, Runner
from flyweight.toolkit.deploying.endpoint import Endpoint
from flyweight.toolkit.deploying.releases import Release, Releases
from flyweight.toolkit.deploying.smoke import Verdict, smoke
from flyweight.toolkit.targets.deployment import DeployFailed, Deployment, StatefulTarget, Target

Ask = Callable[[str, Deployment], Verdict]  # a URL, and the place with all that is known of it


@dataclass(frozen=True)
class Outcome:
    """What is live now, where ("": nowhere that HTTP goes), and what asking it told (None: it was not asked)."""

    url: str
    release: Release | None
    verdict: Verdict | None
    authorization: str = ""

    @property
    def call(self) -> str:
        """The options that `flyweight call` needs where the host does not tell them."""
        return f" --auth {self.authorization}" if self.authorization != by_host(self.url) else ""


def check(target: Target, place: Deployment, runner: Runner) -> None:
    """Whether the tools are here, and know who we are.

    :raises DeployFailed: one is not, or does not; nothing was run.
    """
    for tool in target.tools(place):
        if shutil.which(tool.program) is None:
            raise DeployFailed(f"`{tool.program}` is not installed", next_step=f"install it: {tool.install}")
    for tool in target.tools(place):
        said = runner.complaint(tool.login) if tool.login is not None else ""
        if said:
            raise DeployFailed(f"`{tool.program}` is not logged in: `{tool.login}` said: {said}", next_step=tool.sign_in)


def built(folder: Path, target: Target) -> None:
    """Whether a folder is one that `flyweight build` made.

    :raises DeployFailed: it is not.
    """
    if not (folder / MARKER).is_file():
        step = f"flyweight build {target.name} --model FILE -o {folder}"
        raise DeployFailed(f"{folder} is not a built folder", next_step=step)


def in_force(target: Target, place: Deployment, runner: Runner) -> Deployment:
    """The place with the parameters that are in force there, over its own."""
    said = _standing(target, place, runner)
    return (
        replace(place, parameters={**place.parameters, **target.in_force(said)}) if isinstance(target, StatefulTarget) else place
    )


def address(target: Target, place: Deployment, runner: Runner) -> str:
    """Where the function is reached; "" where it has no address."""
    return _text(runner.output(target.url(place)))


def show(target: Target, place: Deployment, runner: Runner) -> None:
    """What `deploy` would run, by a runner that runs nothing.

    :raises DeployFailed: it would be refused.
    """
    commands = target.deploy(place)
    _unhindered(target, place, runner)
    _label(target, place, runner)
    runner.run(commands)
    address(target, place, runner)


def deploy(target: Target, place: Deployment, runner: Runner, ask: Ask | None, home: Path) -> Outcome:
    """Deploy, ask by `ask`, and go back to what was live before if that fails.

    :raises CommandFailed: a command failed; what was live before is as the provider leaves it, its own rollback included.
    :raises DeployFailed: it was refused before anything was done; or the endpoint does not answer as it should, and what was live
        before is live again, if there was something.
    """
    releases = Releases(target.name, place.name, home)
    before = releases.all()
    staged = releases.stage(place.folder)
    place = replace(place, folder=staged)
    try:
        commands = target.deploy(place)
        whole = _unhindered(target, place, runner)
        if ask:
            _let_in(target, whole)
        label = _label(target, place, runner)
        runner.run(commands)
        url = address(target, place, runner)
        verdict = ask(url, whole) if ask and url else None
    except BaseException:
        releases.drop(staged)
        raise
    if verdict is not None and not verdict.good:
        releases.drop(staged)
        raise _failed(verdict, url, target, place, _go_back(target, place, runner, before, label))
    release = releases.keep(staged, _label(target, place, runner), place.parameters)
    return Outcome(url, release, verdict, target.authorization(whole))


def back(target: Target, place: Deployment, runner: Runner, ask: Ask | None, home: Path) -> Outcome:
    """The release before the newest, live again.

    :raises DeployFailed: none is kept here.
    """
    releases = Releases(target.name, place.name, home)
    kept = releases.all()
    if len(kept) < 2:
        said = f"{releases.home} keeps {len(kept)} release{'' if len(kept) == 1 else 's'}, none to go back to"
        raise DeployFailed(said, f"deploy an earlier folder: {place.verb('deploy', target.name)} --folder FOLDER")
    earlier = kept[-2]
    place = replace(place, folder=earlier.folder, parameters=earlier.parameters)
    runner.run(target.back(place, earlier.label))
    url = address(target, place, runner)
    if runner.dry_run:
        return Outcome(url, earlier, None)
    whole = in_force(target, place, runner)
    verdict = ask(url, whole) if ask and url else None
    releases.make_current(earlier)
    return Outcome(url, earlier, verdict, target.authorization(whole))


def asked(target: Target, runner: Runner, patience: float) -> Ask:
    """What asks a live endpoint for its own sample, authorized as the target says."""

    def ask(url: str, place: Deployment) -> Verdict:
        return smoke(reached(target, place, runner, url), place.folder, patience)

    return ask


def reached(target: Target, place: Deployment, runner: Runner, url: str) -> Endpoint:
    """The endpoint, with what it takes to be let in."""
    wanted = target.key(place)
    key = runner.output(*wanted) if wanted else os.environ.get("FLYWEIGHT_KEY", "")
    return Endpoint(url, chosen(target.authorization(place), url, key, place.region or target.region), retries=1)


def _standing(target: Target, place: Deployment, runner: Runner) -> str:
    return runner.output_if_any(target.standing(place)) if isinstance(target, StatefulTarget) else ""


def _unhindered(target: Target, place: Deployment, runner: Runner) -> Deployment:
    """The place as it will be once it is deployed: its own parameters over those that are in force there.

    :raises DeployFailed: something stands in the way.
    """
    said = _standing(target, place, runner)
    if not isinstance(target, StatefulTarget):
        return place
    obstacle = target.obstacle(place, said)
    if obstacle:
        raise obstacle
    return replace(place, parameters={**target.in_force(said), **place.parameters})


def _let_in(target: Target, place: Deployment) -> None:
    """Whether we could ask the endpoint once it is there.

    :raises DeployFailed: we lack what it takes, and had better know before anything is deployed.
    """
    name = target.authorization(place)
    key = "fetched when it is there" if target.key(place) else os.environ.get("FLYWEIGHT_KEY", "")
    try:
        chosen(name, "https://not.there.yet", key, place.region or target.region)
    except DeployFailed as error:
        step = "set FLYWEIGHT_KEY to it" if name in ("bearer", "api-key") else error.next_step
        raise DeployFailed(f"nothing was deployed, since it could not be asked: {error}", f"{step}; or use --no-smoke") from None


def _label(target: Target, place: Deployment, runner: Runner) -> str:
    """What the provider calls what is live; "" where nothing is, or it has no name for it."""
    live = target.live(place)
    return _text(runner.output_if_any(*live)) if live else ""


def _text(said: str) -> str:
    return "" if said == "None" else said  # as one of the tools prints nothing


def _go_back(target: Target, place: Deployment, runner: Runner, before: list[Release], label: str) -> str:
    """Make what was live before live again; what came of it, in words, or "" where nothing was."""
    if not before and not label:
        return ""
    earlier = replace(place, folder=before[-1].folder, parameters=before[-1].parameters) if before else place
    try:
        runner.run(target.back(earlier, label))
    except CommandFailed as error:
        return f"going back failed as well: {error}"
    unknown = "" if before else ", of which no deployment from here tells whether it answers"
    return f"{label or before[-1].model} is live again{unknown}"


def _failed(verdict: Verdict, url: str, target: Target, place: Deployment, went_back: str) -> DeployFailed:
    """What is said of a deployment that does not answer as it should.

    A first one is left where it is: it is closed unless parameters opened it, its log says why, and removing it could take with
    it what else lies there.
    """
    said = verdict.said.removeprefix("not yet: ")
    step = f"{place.verb('logs', target.name)} says more"
    if went_back:
        return DeployFailed(f"{url}: {said}; {went_back}", step)
    left = "it was the first, so that there is nothing to go back to, and it stays as it is"
    return DeployFailed(f"{url}: {said}; {left}", f"{step}; deploy again, or remove it: {place.verb('destroy', target.name)}")
