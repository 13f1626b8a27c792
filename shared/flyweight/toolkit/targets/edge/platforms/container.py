"""Deploy to one device's Docker with `infra/edge/compose.yaml`, in the device's own network."""

from __future__ import annotations

from pathlib import Path

from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Resource
from flyweight.toolkit.targets.docker.platforms.compose import Compose
from flyweight.toolkit.targets.edge.package import PACKAGE
from flyweight.toolkit.targets.package import PackageSpec


class Container(Compose):
    """A project of Docker Compose of the deployment's name, on the device that docker's context names."""

    name = "edge"
    platform = "container"
    package: PackageSpec = PACKAGE

    def url(self, deployment: Deployment) -> Command:
        """Read the port on which the agent listens."""
        line = 'http://127.0.0.1:{{range .Config.Env}}{{if eq (slice . 0 5) "PORT="}}{{slice . 5}}{{end}}{{end}}'
        return self._inspect(deployment, line)

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List what Compose makes."""
        return [Resource(f"{deployment.name}-model-1", "container"), Resource(f"{deployment.name}_state", "volume")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the container; the volume, with answers that were not forwarded, and images are kept."""
        return [command(*self._compose(deployment), "down")]

    def _file(self, deployment: Deployment) -> Path:
        return deployment.infra / "edge" / "compose.yaml"


DEPLOYER = Container()
