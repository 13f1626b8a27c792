"""Deploy to Fargate: an image in ECR, and a service of ECS that goes back by itself if new tasks do not become healthy."""

from __future__ import annotations

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.aws.deployment import NAMES
from flyweight.toolkit.targets.aws.stack import Stack
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.docker.reference import pushed


class Fargate(Stack):
    """A stack of the deployment's name, with a service of ECS."""

    name = "docker"
    file = "fargate.yaml"
    platform = ("platform", "fargate")
    label = "Image"
    name_rule = NAMES

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Push the image, and deploy the stack with it.

        :raises DeployFailed: no image is named, and none stands beside the folder.
        """
        parameters = self._parameters(deployment)
        if not parameters.get(self.label):
            step = "add --set Image=ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY"
            raise DeployFailed("the image needs a place in a registry", step)
        login = f"aws ecr get-login-password --region {self._region(deployment)}"
        push, reference = pushed(deployment, parameters.pop(self.label), "--user", "AWS", "--password-command", login)
        overrides = [f"{name}={value}" for name, value in {**parameters, self.label: reference}.items()]
        return [*push, self._with(deployment, *overrides)]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the service's log group."""
        words = ["aws", "logs", "tail", f"/flyweight/{deployment.name}", "--region", self._region(deployment), "--since", since]
        return [command(*words, *(["--follow"] if follow else []))]


DEPLOYER = Fargate()
