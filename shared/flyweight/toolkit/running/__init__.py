"""Each target's real runtime, driven on this machine without a container engine.

`measure.py` takes figures of a folder in its runtime, `server.py` serves a model file. Runtimes run any folder that the provider
would run, not only those that flyweight builds.
"""

from flyweight.toolkit import targets
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.runtime import Answer, Runtime

__all__ = ["Answer", "Runtime", "RuntimeFailed", "runtime"]


def runtime(target: str) -> type[Runtime]:
    """The runtime of a target.

    :raises ToolkitError: there is no such target, or it has no runtime.
    """
    return targets.find(target).runtime
