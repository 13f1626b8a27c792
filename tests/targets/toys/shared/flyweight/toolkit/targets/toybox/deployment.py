"""Deploying to the toy box: the script of `infra/toybox` copies the folder into the box, the folder that TOYBOX names."""

from __future__ import annotations

from flyweight.toolkit.targets.authorization import AuthorizationMethod, in_header
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployer, Deployment, Resource, Tool


class ToyBox(Deployer):
    """One folder of the deployment's name in the box."""

    name = "toybox"
    authorizations = (AuthorizationMethod("marble", lambda asked: in_header("x-marble", asked.key, "a marble"), r"\.toys$"),)

    def tools(self, deployment: Deployment) -> list[Tool]:
        """The shell does it all."""
        return [Tool("sh", "a shell")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Put the folder into the box."""
        return [self._script(deployment, "put", str(deployment.folder.resolve()))]

    def url(self, deployment: Deployment) -> Command:
        """Print where the box is reached."""
        return self._script(deployment, "url")

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Put the earlier folder into the box."""
        return self.deploy(deployment)

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Print what was put in."""
        return [self._script(deployment, "log")]

    def status(self, deployment: Deployment) -> list[Command]:
        """Print the deployment's name, if it is in the box."""
        return [self._script(deployment, "status")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Take the folder out of the box."""
        return [self._script(deployment, "remove")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """One folder."""
        return [Resource(deployment.name, "folder in the box")]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """The one parameter, which asks for memory."""
        return {"MEMORY": "64", **deployment.parameters}

    def _script(self, deployment: Deployment, *words: str) -> Command:
        return command("sh", deployment.infra / "toybox" / "box.sh", deployment.name, *words)


DEPLOYER = ToyBox()
