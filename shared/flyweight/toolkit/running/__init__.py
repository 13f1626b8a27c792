"""Each provider's real runtime, driven on this machine without a container engine.

One file a provider, named like its folder in `handlers/`, each with a class `Runtime` (see `runtime.py` for what it gives).
They run any folder that the provider would, not only those that flyweight builds.
"""

from importlib import import_module

from flyweight.toolkit.running.runtime import Answer, Runtime, RuntimeFailed

__all__ = ["Answer", "Runtime", "RuntimeFailed", "runtime"]


def runtime(provider: str) -> type[Runtime]:
    """The runtime of a provider.

    :raises RuntimeFailed: there is no such file.
    """
    found: type[Runtime] = import_module(f"flyweight.toolkit.targets.{provider}.runtime").Runtime
    return found
