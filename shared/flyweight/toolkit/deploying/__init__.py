"""A built folder to a live endpoint, and all that is asked of one later, each by the provider's own command line.

`rollout.py` deploys, asks the endpoint and goes back; `calls.py` asks an endpoint for many rows. The commands are those of the
target's deployer, see `flyweight.toolkit.targets.deployment`.
"""

from flyweight.toolkit import targets
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.deployment import Deployer, Deployment

__all__ = ["DeployFailed", "Deployer", "Deployment", "deployer"]


def deployer(target: str) -> Deployer:
    """The deployer of a target.

    :raises ToolkitError: there is no such target, or it can't be deployed.
    """
    return targets.find(target).deployer
