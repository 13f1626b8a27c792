"""Deploy an image: with Docker Compose unless `--platform` names a cloud's containers, whose deployer is in `platforms/`."""

from flyweight.toolkit.targets.docker.platforms.compose import DEPLOYER

__all__ = ["DEPLOYER"]
