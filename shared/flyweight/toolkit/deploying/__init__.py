"""Deploy built folders, and operate the deployed functions, with the provider's own command-line tools.

`rollout.py` deploys, verifies the endpoint and rolls back; `calls.py` sends many rows to an endpoint. The target's deployer
supplies the commands, see `flyweight.toolkit.targets.deployment`.
"""

from flyweight.toolkit import targets
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.deployment import Deployer, Deployment

__all__ = ["DeployFailed", "Deployer", "Deployment", "deployer"]


def deployer(target: str) -> Deployer:
    """Return the deployer of a target.

    :raises ToolkitError: the target does not exist, or can't be deployed.
    """
    return targets.find(target).deployer
