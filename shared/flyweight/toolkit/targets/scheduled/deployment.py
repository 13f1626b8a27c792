"""Install the job on this machine with systemd unless `--platform` names another scheduler, whose deployer is in `platforms/`."""

from flyweight.toolkit.targets.scheduled.platforms.systemd import DEPLOYER

__all__ = ["DEPLOYER"]
