"""The interface of the facet `deployment`, whose `DEPLOYER` returns the commands of the provider's tools for a deployment.

Three similar words:

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
from flyweight.toolkit.targets import naming
from flyweight.toolkit.targets.authorization import AuthorizationMethod
from flyweight.toolkit.targets.commands import Command

HOME = Path(".flyweight")  # in the working directory: releases and files of deployments


@dataclass(frozen=True)
class Deployment:
    """The place and the contents of a deployed function.

    `group`: the provider's project or resource group, empty for the tool's own setting; `folder`: the built folder; `work`: a
    folder for files that commands need; `parameters`: values of the template's or script's parameters, by name; `tags`: of
    what is created, by name; `infra`: the folder of templates and scripts, with a folder for each target; `platform`: the one
    that was chosen among the target's platforms, empty for the usual one.
    """

    name: str = "flyweight"
    region: str = ""
    group: str = ""
    folder: Path = Path()
    work: Path = HOME
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    infra: Path = field(default_factory=lambda: resources.folder("infra"))
    platform: str = ""

    def verb(self, verb: str, target: str) -> str:
        """Format the command line of another `flyweight` verb for this deployment."""
        options = {"--name": self.name, "--platform": self.platform, "--region": self.region, "--group": self.group}
        words = [word for option, value in options.items() if value for word in (option, shlex.quote(value))]
        return " ".join(["flyweight", verb, target, *words])


@dataclass(frozen=True)
class Tool:
    """A program that a deployment runs.

    `install`: how to install it; `login`: a command that succeeds only when logged in, or None; `sign_in`: how to log in.
    """

    program: str
    install: str
    login: Command | None = None
    sign_in: str = ""


@dataclass(frozen=True)
class Resource:
    """A resource that a deployment creates; `when`: the condition, empty for always."""

    name: str
    kind: str
    when: str = ""


@dataclass(frozen=True)
class Question:
    """How an endpoint is asked: what is appended to its URL, and the names in the documents that go there and come back.

    `predict`: the path of predictions, which takes POST; `instances`: the name that holds the instances in a request;
    `predictions`: the name that holds the predictions in an answer, "" for an answer that is the array of them; `ready` and
    `model`: the paths that answer GET with the model's readiness and its document, "" where the platform passes on predictions
    alone; `headers`: of each request.
    """

    predict: str = "/predict"
    instances: str = "instances"
    predictions: str = "predictions"
    ready: str = "/ready"
    model: str = "/model"
    headers: Mapping[str, str] = field(default_factory=dict)


class Deployer(ABC):
    """The commands that deploy to one target, and query what is deployed there.

    `name`: the target's name; `authorizations`: the methods of authorization that only this provider has; `name_rule` and
    `group_rule`: the names that it takes for functions, and for what contains them; `holder`: what `group` has to name, "" where
    it may be left out.
    """

    name: str
    holder: str = ""
    authorizations: tuple[AuthorizationMethod, ...] = ()
    name_rule: naming.Rule = naming.FUNCTION
    group_rule: naming.Rule = naming.GROUP

    def refuse_names(self, deployment: Deployment) -> None:
        """Check the names of a deployment, before any of them stands in a command or in a path.

        :raises DeployFailed: the provider does not take a name.
        """
        self.name_rule.check(deployment.name)
        for rule, value in ((naming.REGION, deployment.region), (self.group_rule, deployment.group)):
            if value:
                rule.check(value)
        for word in (*deployment.tags, *deployment.tags.values()):
            naming.TAG.check(word)

    def choose_client(self, client: str) -> str:
        """Return the parameter NAME=VALUE that chooses what runs the function.

        :param client: one of the runtime's `CLIENTS`.
        :raises DeployFailed: the target has no such choice.
        """
        raise DeployFailed(f"{self.name} has no choice of clients", "omit --client")

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
    def url(self, deployment: Deployment) -> Command | None:
        """Return the command that prints the endpoint's URL; None for what answers no requests."""

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Name where the deployment is, within the account: releases of different places have nothing to do with each other."""
        return (deployment.group, deployment.region or self.region)

    def account(self, deployment: Deployment) -> list[Command]:
        """List the commands whose last one prints the account, project or subscription; [] if `place` names it."""
        return []

    def live_label(self, deployment: Deployment) -> list[Command]:
        """List the commands whose last one prints the label of the live version; [] if a rollback needs only the folder."""
        return []

    def made_label(self, variables: Mapping[str, str]) -> str:
        """Return the label of the version that `deploy` made, if its commands stored it in a variable; else ""."""
        return ""

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """List the commands whose last one prints the label of the version before the live one, as the provider knows it."""
        return []

    @abstractmethod
    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """List the commands that make an earlier release live again.

        :param deployment: with the folder of that release.
        :param label: what `live_label` printed when it was live.
        """

    def question(self, deployment: Deployment) -> Question:
        """Return how the smoke test and other verbs ask the endpoint: by default as our own server is asked."""
        return Question()

    def call(self, deployment: Deployment) -> Command | None:
        """Return the command by which users send a request, REQUEST.json; None where `flyweight call` asks the URL."""
        return None

    def authorization(self, deployment: Deployment) -> str:
        """Name the authorization that calls need, as `flyweight call --auth` does."""
        return "none"

    def key(self, deployment: Deployment) -> list[Command]:
        """List the commands whose last one prints the key that calls need; [] without a key."""
        return []

    @abstractmethod
    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """List the commands that print the log."""

    @abstractmethod
    def status(self, deployment: Deployment) -> list[Command]:
        """List the commands whose last one prints the deployment's state."""

    @abstractmethod
    def destroy(self, deployment: Deployment) -> list[Command]:
        """List the commands that remove everything that `deploy` created.

        :raises DeployFailed: other resources could be removed too.
        """

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List what `deploy` would create."""
        return []

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters of the template or script, each with this deployment's value or its default."""
        return dict(deployment.parameters)


class JobDeployer(Deployer):
    """A deployer of jobs, which score batches and answer no requests: an earlier release is deployed again.

    `platform`: the platform's name; `common`: the parameters of every platform with their defaults; `parameters`: those of this
    one; `required`: parameters that can't be empty.
    """

    platform = ""
    common: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}
    required: tuple[str, ...] = ("input", "output")

    def url(self, deployment: Deployment) -> Command | None:
        """Return None: a job has no address."""
        return None

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the platform, the group and the region."""
        return (self.platform, *super().place(deployment))

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the platform, and the parameters with this deployment's values or their defaults.

        :raises DeployFailed: there is no such parameter.
        """
        known = {**self.common, **self.parameters}
        if strange := [name for name in deployment.parameters if name not in known]:
            raise DeployFailed(f"{self.platform} has no parameter {strange[0]!r}", f"choose among {', '.join(known)}")
        return {"platform": self.platform, **known, **deployment.parameters}

    def given(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters, all required ones among them.

        :raises DeployFailed: one is missing.
        """
        found = self.settings(deployment)
        if missing := [name for name in self.required if not found[name]]:
            words = " ".join(f"--set {name}=..." for name in missing)
            raise DeployFailed(f"{self.platform} needs {', '.join(missing)}", f"add {words}")
        return found

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Deploy the folder of the earlier release."""
        return self.deploy(deployment)


class StatefulDeployer(Deployer):
    """A deployer whose provider keeps parameters between deployments, and can be in a state that refuses updates."""

    @abstractmethod
    def state(self, deployment: Deployment) -> Command:
        """Return the command that prints the state of the deployment; it fails if nothing is deployed."""

    @abstractmethod
    def current_parameters(self, state: str) -> dict[str, str]:
        """Read the parameters from the output of `state`, which is "" if nothing is deployed."""

    @abstractmethod
    def obstacle(self, deployment: Deployment, state: str) -> DeployFailed | None:
        """Return the reason why the deployment can't be updated in this state, with a next step; None if it can."""
