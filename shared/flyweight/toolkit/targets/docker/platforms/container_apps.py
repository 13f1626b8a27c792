"""Deploy to Azure Container Apps: an image in a registry, and an app that runs none of it while nobody calls."""

from __future__ import annotations

import re

from flyweight.toolkit.targets.azure.arm import Arm
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.docker.reference import pushed
from flyweight.toolkit.targets.naming import Rule

# https://learn.microsoft.com/azure/container-registry/container-registry-authentication#az-acr-login-with---expose-token
ANYONE = "00000000-0000-0000-0000-000000000000"
REGISTRY = r"([a-z0-9]{5,50})\.azurecr\.io/.*"
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftapp
NAMES = Rule(
    "an app", r"[a-z](-?[a-z0-9]){1,31}", "begin with a small letter, followed by small letters, digits and single -, 2 to 32"
)


class ContainerApp(Arm):
    """A resource group, by default of the deployment's name, with an app of that name."""

    name = "docker"
    file = "container_apps.json"
    platform = ("platform", "container_apps")
    label = "image"
    required = ("image", "callers")
    name_rule = NAMES
    tool = "containerapp"

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Push the image, and deploy the template with it.

        :raises DeployFailed: a parameter is missing, or there is no image beside the folder.
        """
        parameters = self._parameters(deployment)
        asked = f"az acr login --name {parameters['registry']} --expose-token --query accessToken --output tsv"
        login = ["--user", ANYONE, "--password-command", asked] if parameters["registry"] else []
        push, reference = pushed(deployment, parameters[self.label], *login)
        given = [f"{name}={value}" for name, value in {**parameters, self.label: reference}.items()]
        return [*push, *self._in_group(deployment, *given)]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the last lines of the app's output, which Azure does not choose by time."""
        words = ["az", self.tool, "logs", "show", *self._where(deployment), "--name", deployment.name, "--format", "text"]
        return [command(*words, "--tail", "300", *(["--follow"] if follow else []))]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the app's state and newest revision."""
        words = ["az", self.tool, "show", *self._where(deployment), "--name", deployment.name]
        shown = "[name,properties.runningStatus,properties.latestReadyRevisionName]"
        return [command(*words, "--query", shown, "--output", "tsv")]

    def _parameters(self, deployment: Deployment) -> dict[str, str]:
        found = super()._parameters(deployment)
        in_azure = re.fullmatch(REGISTRY, found[self.label])
        return {"registry": in_azure[1] if in_azure else "", **found}


DEPLOYER = ContainerApp()
