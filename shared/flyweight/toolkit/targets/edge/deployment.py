"""Deploy to devices: to this one or others by ssh unless `--platform` names another way, whose deployer is in `platforms/`."""

from flyweight.toolkit.targets.edge.platforms.systemd import DEPLOYER

__all__ = ["DEPLOYER"]
