"""Deploy to machines: to this one or others by ssh unless `--cloud` names a cloud, whose deployer is in `platforms/`."""

from flyweight.toolkit.targets.vm.platforms.none import DEPLOYER

__all__ = ["DEPLOYER"]
