"""Deploy to Azure App Service: an image in a registry, and an app on machines of its own."""

from __future__ import annotations

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.docker.platforms.container_apps import ContainerApp


class AppService(ContainerApp):
    """A resource group, by default of the deployment's name, with a plan and an app of that name, which is unique in Azure."""

    file = "app_service.json"
    platform = ("platform", "app_service")
    tool = "webapp"

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Follow the app's output.

        :raises DeployFailed: it is to be read without following.
        """
        if not follow:
            raise DeployFailed("App Service shows its log as it comes", "add --follow")
        return [command("az", self.tool, "log", "tail", *self._where(deployment), "--name", deployment.name)]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the app's state and image."""
        words = ["az", self.tool, "show", *self._where(deployment), "--name", deployment.name]
        return [command(*words, "--query", "[name,state,siteConfig.linuxFxVersion]", "--output", "tsv")]


DEPLOYER = AppService()
