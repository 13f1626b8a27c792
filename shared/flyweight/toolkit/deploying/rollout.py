"""A deployer and a deployment to a live endpoint that was asked, or back to the one before."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from flyweight.toolkit.deploying.authorization import OF_CALLERS, by_host, chosen
from flyweight.toolkit.deploying.endpoint import Endpoint
from flyweight.toolkit.deploying.releases import Release, Releases
from flyweight.toolkit.deploying.smoke import Verdict, smoke
from flyweight.toolkit.errors import CommandFailed, DeployFailed
from flyweight.toolkit.targets.commands import Runner
from flyweight.toolkit.targets.deployment import Deployer, Deployment, StatefulDeployer
from flyweight.toolkit.targets.package import MARKER

Ask = Callable[[str, Deployment], Verdict]  # a URL, and the deployment with all that is known of it


@dataclass(frozen=True)
class Outcome:
    """What is live now: its URL ("" without an address), its release, and what it answered (None: it was not asked)."""

    url: str
    release: Release | None
    verdict: Verdict | None
    authorization: str = ""

    @property
    def call(self) -> str:
        """The options that `flyweight call` needs where the host does not tell them."""
        return f" --auth {self.authorization}" if self.authorization != by_host(self.url) else ""


def check(deployer: Deployer, deployment: Deployment, runner: Runner) -> None:
    """Check that the tools are here, and signed in.

    :raises DeployFailed: one is not, or does not; nothing was run.
    """
    for tool in deployer.tools(deployment):
        if shutil.which(tool.program) is None:
            raise DeployFailed(f"`{tool.program}` is not installed", next_step=f"install it: {tool.install}")
    for tool in deployer.tools(deployment):
        said = runner.complaint(tool.login) if tool.login is not None else ""
        if said:
            raise DeployFailed(f"`{tool.program}` is not logged in: `{tool.login}` said: {said}", next_step=tool.sign_in)


def built(folder: Path, deployer: Deployer) -> None:
    """Whether a folder is one that `flyweight build` made.

    :raises DeployFailed: it is not.
    """
    if not (folder / MARKER).is_file():
        step = f"flyweight build {deployer.name} --model FILE -o {folder}"
        raise DeployFailed(f"{folder} is not a built folder", next_step=step)


def in_force(deployer: Deployer, deployment: Deployment, runner: Runner) -> Deployment:
    """The deployment with the parameters that are in force there, over its own."""
    if not isinstance(deployer, StatefulDeployer):
        return deployment
    current = deployer.current_parameters(_state(deployer, deployment, runner))
    return replace(deployment, parameters={**deployment.parameters, **current})


def address(deployer: Deployer, deployment: Deployment, runner: Runner) -> str:
    """Where the function is reached; "" where it has no address."""
    return _text(runner.output(deployer.url(deployment)))


def show(deployer: Deployer, deployment: Deployment, runner: Runner) -> None:
    """What `deploy` would run, by a runner that runs nothing.

    :raises DeployFailed: it would be refused.
    """
    commands = deployer.deploy(deployment)
    _unhindered(deployer, deployment, runner)
    _label(deployer, deployment, runner)
    runner.run(commands)
    address(deployer, deployment, runner)


def deploy(deployer: Deployer, deployment: Deployment, runner: Runner, ask: Ask | None, home: Path) -> Outcome:
    """Deploy, ask by `ask`, and go back to what was live before if that fails.

    :raises CommandFailed: a command failed; what was live before is as the provider leaves it, its own rollback included.
    :raises DeployFailed: it was refused before anything was done; or the endpoint does not answer as it should, and what was live
        before is live again, if there was something.
    """
    releases = Releases(deployer.name, deployment.name, home)
    before = releases.all()
    staged = releases.stage(deployment.folder)
    deployment = replace(deployment, folder=staged)
    try:
        commands = deployer.deploy(deployment)
        whole = _unhindered(deployer, deployment, runner)
        if ask:
            _let_in(deployer, whole)
        label = _label(deployer, deployment, runner)
        runner.run(commands)
        url = address(deployer, deployment, runner)
        verdict = ask(url, whole) if ask and url else None
    except BaseException:
        releases.drop(staged)
        raise
    if verdict is not None and not verdict.good:
        releases.drop(staged)
        raise _failed(verdict, url, deployer, deployment, _go_back(deployer, deployment, runner, before, label))
    release = releases.keep(staged, _label(deployer, deployment, runner), deployment.parameters)
    return Outcome(url, release, verdict, deployer.authorization(whole))


def back(deployer: Deployer, deployment: Deployment, runner: Runner, ask: Ask | None, home: Path) -> Outcome:
    """The release before the newest, live again.

    :raises DeployFailed: none is kept here.
    """
    releases = Releases(deployer.name, deployment.name, home)
    kept = releases.all()
    if len(kept) < 2:
        said = f"{releases.home} keeps {len(kept)} release{'' if len(kept) == 1 else 's'}, none to go back to"
        raise DeployFailed(said, f"deploy an earlier folder: {deployment.verb('deploy', deployer.name)} --folder FOLDER")
    earlier = kept[-2]
    deployment = replace(deployment, folder=earlier.folder, parameters=earlier.parameters)
    runner.run(deployer.roll_back(deployment, earlier.label))
    url = address(deployer, deployment, runner)
    if runner.dry_run:
        return Outcome(url, earlier, None)
    whole = in_force(deployer, deployment, runner)
    verdict = ask(url, whole) if ask and url else None
    releases.make_current(earlier)
    return Outcome(url, earlier, verdict, deployer.authorization(whole))


def asked(deployer: Deployer, runner: Runner, patience: float) -> Ask:
    """What asks a live endpoint for its own sample, authorized as the target says."""

    def ask(url: str, deployment: Deployment) -> Verdict:
        return smoke(reached(deployer, deployment, runner, url), deployment.folder, patience)

    return ask


def reached(deployer: Deployer, deployment: Deployment, runner: Runner, url: str) -> Endpoint:
    """The endpoint, with what it takes to be let in."""
    wanted = deployer.key(deployment)
    key = runner.output(*wanted) if wanted else os.environ.get("FLYWEIGHT_KEY", "")
    return Endpoint(url, chosen(deployer.authorization(deployment), url, key, deployment.region or deployer.region), retries=1)


def _state(deployer: StatefulDeployer, deployment: Deployment, runner: Runner) -> str:
    return runner.output_if_any(deployer.state(deployment))


def _unhindered(deployer: Deployer, deployment: Deployment, runner: Runner) -> Deployment:
    """The deployment as it will be once it is deployed: its own parameters over those that are in force there.

    :raises DeployFailed: something stands in the way.
    """
    if not isinstance(deployer, StatefulDeployer):
        return deployment
    state = _state(deployer, deployment, runner)
    obstacle = deployer.obstacle(deployment, state)
    if obstacle:
        raise obstacle
    return replace(deployment, parameters={**deployer.current_parameters(state), **deployment.parameters})


def _let_in(deployer: Deployer, deployment: Deployment) -> None:
    """Whether we could ask the endpoint once it is there.

    :raises DeployFailed: we lack what it takes, and had better know before anything is deployed.
    """
    name = deployer.authorization(deployment)
    key = "fetched when it is there" if deployer.key(deployment) else os.environ.get("FLYWEIGHT_KEY", "")
    try:
        chosen(name, "https://not.there.yet", key, deployment.region or deployer.region)
    except DeployFailed as error:
        step = "set FLYWEIGHT_KEY to it" if name in OF_CALLERS else error.next_step
        raise DeployFailed(f"nothing was deployed, since it could not be asked: {error}", f"{step}; or use --no-smoke") from None


def _label(deployer: Deployer, deployment: Deployment, runner: Runner) -> str:
    """What the provider calls what is live; "" where nothing is, or it has no name for it."""
    live = deployer.live_label(deployment)
    return _text(runner.output_if_any(*live)) if live else ""


def _text(said: str) -> str:
    return "" if said == "None" else said  # as one of the tools prints nothing


def _go_back(deployer: Deployer, deployment: Deployment, runner: Runner, before: list[Release], label: str) -> str:
    """Make what was live before live again; what came of it, in words, or "" where nothing was."""
    if not before and not label:
        return ""
    earlier = replace(deployment, folder=before[-1].folder, parameters=before[-1].parameters) if before else deployment
    try:
        runner.run(deployer.roll_back(earlier, label))
    except CommandFailed as error:
        return f"going back failed as well: {error}"
    unknown = "" if before else ", of which no deployment from here tells whether it answers"
    return f"{label or before[-1].model} is live again{unknown}"


def _failed(verdict: Verdict, url: str, deployer: Deployer, deployment: Deployment, went_back: str) -> DeployFailed:
    """What is said of a deployment that does not answer as it should.

    A first one is left where it is: it is closed unless parameters opened it, its log says why, and removing it could take with
    it what else lies there.
    """
    said = verdict.said.removeprefix("not yet: ")
    step = f"{deployment.verb('logs', deployer.name)} says more"
    if went_back:
        return DeployFailed(f"{url}: {said}; {went_back}", step)
    left = "it was the first, so that there is nothing to go back to, and it stays as it is"
    return DeployFailed(
        f"{url}: {said}; {left}", f"{step}; deploy again, or remove it: {deployment.verb('destroy', deployer.name)}"
    )
