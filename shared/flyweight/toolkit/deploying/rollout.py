"""Deploy a function and verify its endpoint, or roll back to the previous release."""

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

Ask = Callable[[str, Deployment], Verdict]  # from a URL and the complete deployment


@dataclass(frozen=True)
class Outcome:
    """The live deployment: its URL ("" without an address), its release, and the smoke test's verdict (None if not run)."""

    url: str
    release: Release | None
    verdict: Verdict | None
    authorization: str = ""

    @property
    def call(self) -> str:
        """The options that `flyweight call` needs if the host does not determine the authorization."""
        return f" --auth {self.authorization}" if self.authorization != by_host(self.url) else ""


def check(deployer: Deployer, deployment: Deployment, runner: Runner) -> None:
    """Check that the tools are installed and logged in.

    :raises DeployFailed: a tool is missing or not logged in.
    """
    for tool in deployer.tools(deployment):
        if shutil.which(tool.program) is None:
            raise DeployFailed(f"`{tool.program}` is not installed", next_step=f"install it: {tool.install}")
    for tool in deployer.tools(deployment):
        said = runner.complaint(tool.login) if tool.login is not None else ""
        if said:
            raise DeployFailed(f"`{tool.program}` is not logged in: `{tool.login}` said: {said}", next_step=tool.sign_in)


def built(folder: Path, deployer: Deployer) -> None:
    """Check that `flyweight build` made a folder.

    :raises DeployFailed: it did not.
    """
    if not (folder / MARKER).is_file():
        step = f"flyweight build {deployer.name} --model FILE -o {folder}"
        raise DeployFailed(f"{folder} is not a built folder", next_step=step)


def in_force(deployer: Deployer, deployment: Deployment, runner: Runner) -> Deployment:
    """Return the deployment with the parameters that are live at the provider; they override its own."""
    if not isinstance(deployer, StatefulDeployer):
        return deployment
    current = deployer.current_parameters(_state(deployer, deployment, runner))
    return replace(deployment, parameters={**deployment.parameters, **current})


def address(deployer: Deployer, deployment: Deployment, runner: Runner) -> str:
    """Return the function's URL; "" if it has none."""
    return _text(runner.output(deployer.url(deployment)))


def show(deployer: Deployer, deployment: Deployment, runner: Runner) -> None:
    """Print what `deploy` would run, with a dry-run runner.

    :raises DeployFailed: the deployment would be refused.
    """
    commands = deployer.deploy(deployment)
    _unhindered(deployer, deployment, runner)
    _label(deployer, deployment, runner)
    runner.run(commands)
    address(deployer, deployment, runner)


def deploy(deployer: Deployer, deployment: Deployment, runner: Runner, ask: Ask | None, home: Path) -> Outcome:
    """Deploy, verify the endpoint with `ask`, and roll back to the previous release if that fails.

    :raises CommandFailed: a command failed; the provider's own rollback decides what is live.
    :raises DeployFailed: the deployment was refused before any change; or the endpoint's answers are wrong, and the previous
        release, if there was one, is live again.
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
    """Make the previous release live again.

    :raises DeployFailed: no previous release is stored here.
    """
    releases = Releases(deployer.name, deployment.name, home)
    kept = releases.all()
    if len(kept) < 2:
        said = f"{releases.home} has {len(kept)} release{'' if len(kept) == 1 else 's'}, and no earlier one to roll back to"
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


def smoke_test(deployer: Deployer, runner: Runner, patience: float) -> Ask:
    """Return the smoke test of a live endpoint, with the target's authorization."""

    def ask(url: str, deployment: Deployment) -> Verdict:
        return smoke(reached(deployer, deployment, runner, url), deployment.folder, patience)

    return ask


def reached(deployer: Deployer, deployment: Deployment, runner: Runner, url: str) -> Endpoint:
    """Return the endpoint with the authorization that it needs."""
    commands = deployer.key(deployment)
    key = runner.output(*commands) if commands else os.environ.get("FLYWEIGHT_KEY", "")
    return Endpoint(url, chosen(deployer.authorization(deployment), url, key, deployment.region or deployer.region), retries=1)


def _state(deployer: StatefulDeployer, deployment: Deployment, runner: Runner) -> str:
    return runner.output_if_any(deployer.state(deployment))


def _unhindered(deployer: Deployer, deployment: Deployment, runner: Runner) -> Deployment:
    """Return the deployment with its parameters after deploying: its own override those that are live at the provider.

    :raises DeployFailed: the deployment can't be updated, or the endpoint could not be called.
    """
    if not isinstance(deployer, StatefulDeployer):
        return deployment
    state = _state(deployer, deployment, runner)
    obstacle = deployer.obstacle(deployment, state)
    if obstacle:
        raise obstacle
    return replace(deployment, parameters={**deployer.current_parameters(state), **deployment.parameters})


def _let_in(deployer: Deployer, deployment: Deployment) -> None:
    """Check before deploying that the credentials for the smoke test are available.

    :raises DeployFailed: a credential is missing.
    """
    name = deployer.authorization(deployment)
    key = "fetched after the deployment" if deployer.key(deployment) else os.environ.get("FLYWEIGHT_KEY", "")
    try:
        chosen(name, "https://not.there.yet", key, deployment.region or deployer.region)
    except DeployFailed as error:
        step = "set FLYWEIGHT_KEY" if name in OF_CALLERS else error.next_step
        raise DeployFailed(
            f"nothing was deployed, because the endpoint could not be tested: {error}", f"{step}; or use --no-smoke"
        ) from None


def _label(deployer: Deployer, deployment: Deployment, runner: Runner) -> str:
    """Return the provider's label of the live version; "" without a live version or a label."""
    live = deployer.live_label(deployment)
    return _text(runner.output_if_any(*live)) if live else ""


def _text(said: str) -> str:
    return "" if said == "None" else said  # one tool prints None for nothing


def _go_back(deployer: Deployer, deployment: Deployment, runner: Runner, before: list[Release], label: str) -> str:
    """Make the previous version live again; return a description of the outcome, or "" without a previous version."""
    if not before and not label:
        return ""
    earlier = replace(deployment, folder=before[-1].folder, parameters=before[-1].parameters) if before else deployment
    try:
        runner.run(deployer.roll_back(earlier, label))
    except CommandFailed as error:
        return f"the rollback failed too: {error}"
    unknown = "" if before else ", but was not deployed from here, so its answers were not verified"
    return f"{label or before[-1].model} is live again{unknown}"


def _failed(verdict: Verdict, url: str, deployer: Deployer, deployment: Deployment, went_back: str) -> DeployFailed:
    """Create the error for a deployment whose answers are wrong.

    A first deployment is kept: it is closed to callers unless parameters opened it, its log shows the cause, and its removal
    could remove other resources too.
    """
    said = verdict.said.removeprefix("not yet: ")
    step = f"see the log: {deployment.verb('logs', deployer.name)}"
    if went_back:
        return DeployFailed(f"{url}: {said}; {went_back}", step)
    left = "it is the first deployment, so there is no release to roll back to, and it is kept"
    return DeployFailed(
        f"{url}: {said}; {left}", f"{step}; deploy again, or remove it: {deployment.verb('destroy', deployer.name)}"
    )
