"""Deploy a scheduled job of Azure Container Apps: an image in a registry, and an identity that reads and writes one account."""

from __future__ import annotations

from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.docker.platforms.container_apps import ContainerApp

CONTAINER = "batch"  # the container's name in the template


class ContainerAppsJob(ContainerApp):
    """A resource group, by default of the deployment's name, with a job of that name."""

    name = "scheduled"
    platform = ("platform", "container_apps_jobs")
    required = ("image", "account")

    def url(self, deployment: Deployment) -> None:
        """Return None: a job has no address."""

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the last lines of the newest run, which Azure does not choose by time."""
        extension = command("az", "extension", "add", "--name", "containerapp", "--only-show-errors")  # nothing if there
        words = ["az", "containerapp", "job", "logs", "show", *self._where(deployment), "--name", deployment.name]
        options = ["--container", CONTAINER, "--format", "text", "--tail", "300", *(["--follow"] if follow else [])]
        return [extension, command(*words, *options)]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the job's state, and list its runs."""
        job, where = ["az", "containerapp", "job"], [*self._where(deployment), "--name", deployment.name]
        runs = "[].[name,properties.status,properties.startTime]"
        return [
            command(*job, "show", *where, "--query", "[name,properties.provisioningState]", "--output", "tsv"),
            command(*job, "execution", "list", *where, "--query", runs, "--output", "tsv"),
        ]


DEPLOYER = ContainerAppsJob()
