"""Deploy a function and verify its endpoint, or roll back to the previous release."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flyweight.errors import ModelRefused
from flyweight.models.signature import Signature
from flyweight.toolkit.deploying.authorization import OF_CALLERS, by_host, chosen
from flyweight.toolkit.deploying.endpoint import Endpoint
from flyweight.toolkit.deploying.releases import Release, Releases
from flyweight.toolkit.deploying.smoke import Verdict, awake, smoke
from flyweight.toolkit.errors import CommandFailed, DeployFailed
from flyweight.toolkit.targets.commands import Runner, variable
from flyweight.toolkit.targets.deployment import Deployer, Deployment, StatefulDeployer
from flyweight.toolkit.targets.package import MARKER, read_marker, unfit

EARLIER = "EARLIER"  # the shell variable with the label of the version before the live one
Ask = Callable[[str, Deployment], Verdict]  # from a URL and the complete deployment


@dataclass(frozen=True)
class Outcome:
    """The live deployment: its URL ("" without an address), its release, and the smoke test's verdict (None if not run).

    `release`: None for a version that was not deployed from this folder; `label`: the provider's name for the version.
    """

    url: str
    release: Release | None
    verdict: Verdict | None
    authorization: str = ""
    label: str = ""

    @property
    def told(self) -> str:
        """Name the release for people."""
        if self.release is None:
            return f"{self.label}, which was not deployed from here"
        return f"{self.release.number}: {self.release.model}"

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


def built(folder: Path, deployer: Deployer) -> dict[str, Any]:
    """Check that `flyweight build` made a folder for this target, and return what its marker file says.

    :raises DeployFailed: it did not, or it made the folder for another target.
    """
    step = f"flyweight build {deployer.name} --model FILE -o {shlex.quote(str(folder))}"
    if not (folder / MARKER).is_file():
        raise DeployFailed(f"{folder} is not a built folder", next_step=step)
    fault = unfit(folder, deployer.name)
    if fault:
        raise DeployFailed(fault, f"build a folder for {deployer.name}: flyweight build {deployer.name} --model FILE -o FOLDER")
    return read_marker(folder)


def in_force(deployer: Deployer, deployment: Deployment, runner: Runner) -> Deployment:
    """Return the deployment with the parameters that are live at the provider; they override its own."""
    if not isinstance(deployer, StatefulDeployer):
        return deployment
    current = deployer.current_parameters(_state(deployer, deployment, runner))
    return replace(deployment, parameters={**deployment.parameters, **current})


def address(deployer: Deployer, deployment: Deployment, runner: Runner) -> str:
    """Return the function's URL; "" if it has none."""
    url = deployer.url(deployment)
    return "" if url is None else _text(runner.output(url))


def signature(deployer: Deployer, deployment: Deployment, runner: Runner) -> dict[str, Any] | None:
    """Ask the live endpoint for the document of its model, which has its signature; None if nothing is live or it says nothing.

    :raises DeployFailed: the endpoint does not answer, or a credential is missing.
    :raises CommandFailed: the key can't be fetched.
    """
    question, asked = deployer.question(deployment), deployer.url(deployment)
    url = _text(runner.output_if_any(asked)) if question.model and asked is not None else ""
    if not url:
        return None
    reply = reached(deployer, deployment, runner, url).ask("GET", question.model, b"", **question.headers)
    try:
        Signature.of(reply.problem)
    except ModelRefused:
        return None
    return reply.problem if {"name", "version"} <= reply.problem.keys() else None


def show(deployer: Deployer, deployment: Deployment, runner: Runner) -> None:
    """Print what `deploy` would run, with a dry-run runner.

    :raises DeployFailed: the deployment would be refused.
    """
    commands = deployer.deploy(deployment)
    _unhindered(deployer, deployment, runner)
    _label(deployer, deployment, runner)
    runner.run(commands)
    address(deployer, deployment, runner)


def deploy(
    deployer: Deployer, deployment: Deployment, runner: Runner, ask: Ask | None, releases: Releases
) -> Outcome:  # fmt: skip
    """Deploy, verify the endpoint with `ask`, and roll back to the version that was live before if that fails.

    :raises CommandFailed: a command failed; the provider's own rollback decides what is live.
    :raises DeployFailed: the deployment was refused before any change; or the endpoint's answers are wrong, and the previous
        release, if there was one, is live again.
    """
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
    now = deployer.made_label(runner.variables) or _label(deployer, deployment, runner)
    release = releases.keep(staged, now, deployment.parameters, label)
    return Outcome(url, release, verdict, deployer.authorization(whole))


def back(
    deployer: Deployer, deployment: Deployment, runner: Runner, ask: Ask | None, releases: Releases, label: str = ""
) -> Outcome:  # fmt: skip
    """Make the version live again that was live before; the provider is asked which one it was.

    :param label: the provider's name for a version that is to be live instead.
    :raises DeployFailed: neither the provider nor the releases stored here know an earlier version.
    """
    kept = releases.all()
    if deployer.live_label(deployment):
        live = _label(deployer, deployment, runner) or (kept[-1].label if runner.dry_run and kept else "")
        label = label or _before(deployer, deployment, runner, kept, live)
        earlier = next((one for one in reversed(kept) if one.label == label), None)
    else:
        live, earlier = "", kept[-2] if len(kept) > 1 else None
    if earlier is None and not label:
        raise _nothing_earlier(deployer, deployment, releases, kept, live)
    if earlier is not None:
        deployment = replace(deployment, folder=earlier.folder, parameters=earlier.parameters)
    runner.run(deployer.roll_back(deployment, label))
    url = address(deployer, deployment, runner)
    if runner.dry_run:
        return Outcome(url, earlier, None, label=label)
    whole = in_force(deployer, deployment, runner)
    ask = ask if earlier is not None else _only_awake(deployer, runner, ask)
    verdict = ask(url, whole) if ask and url else None
    gone_back_from = next((one.number for one in kept if one.label == live), 0)
    if earlier is not None or gone_back_from:
        releases.drop_after(earlier.number if earlier else gone_back_from - 1)
    return Outcome(url, earlier, verdict, deployer.authorization(whole), label)


def smoke_test(deployer: Deployer, runner: Runner, patience: float) -> Ask:
    """Return the smoke test of a live endpoint, with the target's authorization."""

    def ask(url: str, deployment: Deployment) -> Verdict:
        endpoint = reached(deployer, deployment, runner, url)
        return smoke(endpoint, deployment.folder, patience, question=deployer.question(deployment))

    return ask


def _only_awake(deployer: Deployer, runner: Runner, ask: Ask | None) -> Ask | None:
    """Return the test of an endpoint whose folder is not here, so that its answers can't be compared with anything."""
    if ask is None:
        return None
    return lambda url, deployment: awake(reached(deployer, deployment, runner, url), deployer.question(deployment))


def _before(deployer: Deployer, deployment: Deployment, runner: Runner, kept: list[Release], live: str) -> str:
    """Find the label of the version that was live before, which is stored here if the live version was deployed from here."""
    stored = [one.before for one in reversed(kept) if one.label == live and one.before not in ("", live)]
    if stored:
        return stored[0]
    asked = deployer.earlier_label(deployment)
    if runner.dry_run and asked:
        *before, last = asked
        runner.run([*before, replace(last, into=EARLIER)])
        return variable(EARLIER)
    told = _text(runner.output_if_any(*asked)) if asked else ""
    if told or not kept:
        return told
    return kept[-1].before if kept[-1].label != live else "".join(one.label for one in kept[-2:-1])


def _nothing_earlier(
    deployer: Deployer, deployment: Deployment, releases: Releases, kept: list[Release], live: str
) -> DeployFailed:  # fmt: skip
    known = f"{releases.home} has {len(kept)} release{'' if len(kept) == 1 else 's'}"
    asked = f"{deployer.name} names no version before {live or 'the live one'}, and " if deployer.live_label(deployment) else ""
    step = f"deploy an earlier folder: {deployment.verb('deploy', deployer.name)} --folder FOLDER"
    return DeployFailed(f"{asked}{known}, and no earlier one to roll back to", step)


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
    return "" if said in ("None", "null") else said  # one tool prints None or null for nothing


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
