"""What each target's deployment gives: a deployment goes in, the commands of the provider's own tools come out.

The facet `deployment`, with a `DEPLOYER` each. Three words that are close to each other:

- a **target** is a kind of place, such as `aws`;
- a **deployment** is one function in such a place: its name, its region, its folder;
- a **deployer** knows the commands for a deployment.
"""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flyweight.toolkit import resources
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.authorization import AuthorizationMethod
from flyweight.toolkit.targets.commands import Command

HOME = Path(".flyweight")  # where releases and the files of deployments are kept, in the folder that one works in


@dataclass(frozen=True)
class Deployment:
    """Where a function lives, and with what.

    `group`: what holds it where a provider has such a thing (a project, a resource group); empty: the tool's own setting.
    `folder`: the built folder; `work`: where files go that a command needs; `parameters`: of the template or script, by their own
    names; `infra`: holds the templates and scripts, a folder a target.
    """

    name: str = "flyweight"
    region: str = ""
    group: str = ""
    folder: Path = Path()
    work: Path = HOME
    parameters: Mapping[str, str] = field(default_factory=dict)
    infra: Path = field(default_factory=lambda: resources.folder("infra"))

    def verb(self, verb: str, target: str) -> str:
        """Write the line of `flyweight` that does something else with this deployment."""
        options = {"--name": self.name, "--region": self.region, "--group": self.group}
        words = [word for option, value in options.items() if value for word in (option, shlex.quote(value))]
        return " ".join(["flyweight", verb, target, *words])


@dataclass(frozen=True)
class Tool:
    """A program that a deployment runs.

    `install`: how to get it; `login`: a command that succeeds only after signing in, None without one; `sign_in`: how to.
    """

    program: str
    install: str
    login: Command | None = None
    sign_in: str = ""


@dataclass(frozen=True)
class Resource:
    """One thing that a deployment creates; `when`: the condition, empty for always."""

    name: str
    kind: str
    when: str = ""


class Deployer(ABC):
    """The commands that deploy to one target, and ask about what is deployed there.

    `name`: the target's; `authorizations`: the ways to be let in that only this provider has.
    """

    name: str
    authorizations: tuple[AuthorizationMethod, ...] = ()

    @property
    def region(self) -> str:
        """The region of a deployment that names none; "" for a target without regions."""
        return ""

    def tools(self, deployment: Deployment) -> list[Tool]:
        """List the programs that `deploy` runs."""
        return []

    @abstractmethod
    def deploy(self, deployment: Deployment) -> list[Command]:
        """List the commands that make the folder live.

        :raises DeployFailed: the parameters or the folder can't be deployed.
        """

    @abstractmethod
    def url(self, deployment: Deployment) -> Command:
        """Give the command that prints the endpoint's URL."""

    def live_label(self, deployment: Deployment) -> list[Command]:
        """List the commands of which the last prints a label of what is live; [] where going back needs the folder alone."""
        return []

    @abstractmethod
    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """List the commands that make an earlier release live again.

        :param deployment: with the folder of that release.
        :param label: what `live_label` printed when it was live.
        """

    def authorization(self, deployment: Deployment) -> str:
        """Name the authorization that calls need, as `flyweight call --auth` does."""
        return "none"

    def key(self, deployment: Deployment) -> list[Command]:
        """List the commands of which the last prints the key that calls carry; [] without such a key."""
        return []

    @abstractmethod
    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """List the commands that print the log."""

    @abstractmethod
    def status(self, deployment: Deployment) -> list[Command]:
        """List the commands of which the last prints the deployment's state."""

    @abstractmethod
    def destroy(self, deployment: Deployment) -> list[Command]:
        """List the commands that remove all that `deploy` made.

        :raises DeployFailed: other things may be removed with it.
        """

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List what `deploy` would create."""
        return []

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Give the parameters of the template or script, each with this deployment's value or its default."""
        return dict(deployment.parameters)


class StatefulDeployer(Deployer):
    """A deployer whose provider keeps parameters between deployments, and may be in a state that refuses an update."""

    @abstractmethod
    def state(self, deployment: Deployment) -> Command:
        """Give the command that prints the state of what is deployed; it fails where nothing is."""

    @abstractmethod
    def current_parameters(self, state: str) -> dict[str, str]:
        """Read the parameters in what `state` printed; "" where nothing is deployed."""

    @abstractmethod
    def obstacle(self, deployment: Deployment, state: str) -> DeployFailed | None:
        """Say why the deployment can't be updated in this state, and what to do about it; None if it can."""
