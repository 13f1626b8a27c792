"""Deploy a job as a CloudFormation stack of `infra/scheduled`, and list its runs."""

from __future__ import annotations

from abc import abstractmethod

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.aws.deployment import NAMES
from flyweight.toolkit.targets.aws.stack import Stack
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment


class JobStack(Stack):
    """A stack of the deployment's name, which a schedule starts and nobody calls.

    `log`: what the name of its log group begins with; `example`: a value of the parameter that `label` names.
    """

    name = "scheduled"
    name_rule = NAMES
    log: str
    example: str

    def url(self, deployment: Deployment) -> None:
        """Return None: a job has no address."""

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the job's log group."""
        words = ["aws", "logs", "tail", f"{self.log}{deployment.name}", "--region", self._region(deployment), "--since", since]
        return [command(*words, *(["--follow"] if follow else []))]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the stack's state, and list its runs."""
        return [*super().status(deployment), *self.runs(deployment)]

    @abstractmethod
    def runs(self, deployment: Deployment) -> list[Command]:
        """List the commands whose last one lists the runs."""

    def _asked(self, deployment: Deployment) -> str:
        """Return the value of the parameter that `label` names.

        :raises DeployFailed: it is not given.
        """
        value = deployment.parameters.get(self.label, "")
        if not value:
            raise DeployFailed(f"{self.platform[1]} needs {self.label}", f"add --set {self.label}={self.example}")
        return value
