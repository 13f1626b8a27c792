"""Run each target's real runtime on this machine, without a container engine.

`measure.py` measures a folder in its runtime, `server.py` serves a model file. A runtime runs any folder that the provider would
run, also one that flyweight did not build.
"""

from flyweight.toolkit import targets
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.runtime import Answer, Runtime

__all__ = ["Answer", "Runtime", "RuntimeFailed", "runtime"]


def runtime(target: str) -> type[Runtime]:
    """Return the runtime of a target.

    :raises ToolkitError: the target does not exist, or has no runtime.
    """
    return targets.find(target).runtime
