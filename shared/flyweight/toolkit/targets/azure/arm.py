"""Deploy an ARM template of `infra/` with `az`; a rollback deploys it with an earlier value of one parameter."""

from __future__ import annotations

import json
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.azure.deployment import Azure
from flyweight.toolkit.targets.commands import Command, command, variable
from flyweight.toolkit.targets.deployment import Deployment, Tool

PRINCIPAL = "PRINCIPAL"  # a shell variable
WITHOUT_RIGHTS = """for right in $(az role assignment list --assignee "$1" --all --query "[].id" --output tsv); do \
az role assignment delete --ids "$right"; done"""


class Arm(Azure):
    """A resource group and an ARM deployment of the deployment's name in it, whose parameter `name` is that name too.

    `file`: of the template, below `infra/NAME`; `platform`: the word for it among the settings, and its name; `label`: the
    parameter that tells one release from another, which `deploy` fills in; `required`: parameters that `--set` must give.
    """

    file: str
    platform: tuple[str, str]
    label: str
    required: tuple[str, ...] = ()

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return the Azure CLI."""
        return super().tools(deployment)[:1]

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the platform and the resource group."""
        return (self.platform[1], *super().place(deployment))

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the value of the parameter that tells one release from another."""
        words = ["az", "deployment", "group", "show", *self._where(deployment), "--name", deployment.name]
        return [command(*words, "--query", f"properties.parameters.{self.label}.value", "--output", "tsv")]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Deploy the template with the earlier release, and the parameters that were deployed with it."""
        given = [f"{name}={value}" for name, value in self._parameters(deployment).items() if name != self.label]
        return self._in_group(deployment, *given, type(label)(f"{self.label}={label}"))[-1:]

    def authorization(self, deployment: Deployment) -> str:
        """Return none: who may call is decided by the network."""
        return "none"

    def key(self, deployment: Deployment) -> list[Command]:
        """Return no commands, as there is no key."""
        return []

    def obstacle(self, deployment: Deployment, state: str) -> DeployFailed | None:
        """Refuse what Azure refuses; the name and the release are the deployment's own."""
        own = {"name": deployment.name, self.label: "", **deployment.parameters}
        kept = {name: value for name, value in self.current_parameters(state).items() if name not in own}
        return super().obstacle(deployment, json.dumps({name: {"value": value} for name, value in kept.items()}))

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the rights of the deployment's identity, then what the template made, the last first; the group is kept.

        A group holds what the template does not make: a registry, an account with releases.
        """
        identity = ["az", "identity", "show", *self._where(deployment), "--name", deployment.name]
        who = command(*identity, "--query", "principalId", "--output", "tsv", into=PRINCIPAL)
        gone = command("bash", "-c", WITHOUT_RIGHTS, "-", variable(PRINCIPAL))
        words = ["az", "resource", "delete", *self._where(deployment), "--name", deployment.name, "--resource-type"]
        _, *made = self.creates(deployment)
        return [who, gone, *[command(*words, one.kind) for one in reversed(made) if one.name == deployment.name]]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the template's parameters, and the platform that they are of."""
        return dict([self.platform]) | super().settings(deployment) | {"name": deployment.name}

    def _parameters(self, deployment: Deployment) -> dict[str, str]:
        """Return the deployment's own parameters.

        :raises DeployFailed: a parameter is missing, or it or its value is not in the template.
        """
        missing = [name for name in self.required if not deployment.parameters.get(name)]
        if missing:
            words = " ".join(f"--set {name}=..." for name in missing)
            raise DeployFailed(f"{self.file} needs {', '.join(missing)}", f"add {words}")
        tags = {"tags": json.dumps(dict(deployment.tags))} if deployment.tags else {}
        return self._accepted(deployment, {"name": deployment.name, **tags, **deployment.parameters})

    def _source(self, deployment: Deployment) -> Path:
        return deployment.infra / self.name / self.file
