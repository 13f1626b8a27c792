"""A built folder to a live endpoint, and all that is asked of one later, each by the provider's own command line.

One file a provider, named like its folder in `handlers/`, each with a `target` (see `target.py` for what it gives).
`rollout.py` deploys, asks the endpoint and goes back; `calls.py` asks an endpoint for many rows.
"""

from importlib import import_module

from flyweight.toolkit import resources
from flyweight.toolkit.targets.deployment import DeployFailed, Deployment, Target

__all__ = ["DeployFailed", "Deployment", "Target", "target"]


def target(name: str) -> Target:
    """The target of that name.

    :raises DeployFailed: there is none.
    """
    if name not in resources.providers():
        raise DeployFailed(f"there is no target {name!r}", next_step=f"choose one of {', '.join(resources.providers())}")
    found: Target = import_module(f"flyweight.toolkit.targets.{name}.deployment").target
    return found
