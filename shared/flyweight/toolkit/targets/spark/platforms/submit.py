"""Run the folder's own `submit.sh` with spark-submit, which knows local, standalone and YARN clusters."""

from __future__ import annotations

from collections.abc import Mapping

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Tool
from flyweight.toolkit.targets.spark.submitted import Submitted, words

SPARK = "https://spark.apache.org/downloads.html"


class Submit(Submitted):
    """A job of a cluster that spark-submit reaches; it is run, and nothing remains of it but its answers."""

    platform = "submit"
    parameters: Mapping[str, str] = {"master": "local[*]", "options": ""}

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return spark-submit."""
        return [Tool("spark-submit", SPARK)]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Submit the job, and wait for its end where the cluster does.

        :raises DeployFailed: a parameter is missing, or an address with a blank in it.
        """
        given = self.given(deployment)
        if len(given["master"].split()) != 1:
            raise DeployFailed(f"{given['master']!r} is no address of a cluster", "give one without blanks: --set master=...")
        options = f"--master {given['master']} --name {deployment.name} {given['options']}".rstrip()
        script = deployment.folder.resolve() / "submit.sh"
        return [command("env", f"SPARK_OPTIONS={options}", "sh", script, *words(given))]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Return what asks YARN for the applications of this name; other clusters print the log as the job runs."""
        return [self._listed()]

    def status(self, deployment: Deployment) -> list[Command]:
        """Ask YARN for its applications."""
        return [self._listed()]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove nothing: a job that has ended leaves nothing but its answers."""
        return []

    def _listed(self) -> Command:
        return command("yarn", "application", "-list", "-appStates", "ALL", "-appTypes", "SPARK")


DEPLOYER = Submit()
