"""Deploy to a cluster: with plain manifests by `kubectl`, unless `--platform` names another of `platforms/`."""

from flyweight.toolkit.targets.kubernetes.platforms.plain import DEPLOYER

__all__ = ["DEPLOYER"]
