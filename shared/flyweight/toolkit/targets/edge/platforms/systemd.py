"""Deploy to devices with systemd: to this one, or by ssh to those that `--group USER@HOST,USER@HOST` names."""

from __future__ import annotations

from collections.abc import Mapping

from flyweight.toolkit.targets.deployment import Deployment, Resource
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.vm.platforms.none import Machines

PORT = Rule("a port", r"\d{1,5}", "write a number, as 8080: the address is always 127.0.0.1")

DEFAULTS = {"port": ""}
RULES = {"port": PORT}


class Devices(Machines):
    """An agent of the deployment's name on each device, updated one after the other."""

    name = "edge"
    home, unit = "/opt/flyweight-edge", "flyweight-edge@"
    platform = ("platform", "systemd")
    defaults: Mapping[str, str] = DEFAULTS
    rules: Mapping[str, Rule] = RULES

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the devices."""
        return ("systemd", deployment.group)

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List what install.sh makes on each device."""
        return [
            Resource(f"{self.unit}{deployment.name}.service", "systemd service"),
            Resource(f"{self.home}/{deployment.name}", "folder of releases"),
            Resource(f"/var/lib/flyweight-edge/{deployment.name}", "folder of models and answers"),
        ]


DEPLOYER = Devices()
