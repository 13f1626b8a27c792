"""Submit the job by spark-submit unless `--platform` names a service, whose deployer is in `platforms/`."""

from flyweight.toolkit.targets.spark.platforms.submit import DEPLOYER

__all__ = ["DEPLOYER"]
