"""Each provider's real runtime, driven on this machine without a container engine.

One file a provider, named like its folder in `handlers/`, each with a class `Runtime` (see `runtime.py` for what it gives).
They run any folder that the provider would, not only those that flyweight builds.
"""

from importlib import import_module
from pkgutil import iter_modules

from flyweight.toolkit.local.runtime import Answer, Runtime, RuntimeFailed

__all__ = ["Answer", "Runtime", "RuntimeFailed", "runtime"]


def runtime(provider: str) -> type[Runtime]:
    """The runtime of a provider.

    :raises RuntimeFailed: there is no such file.
    """
    if provider not in {module.name for module in iter_modules(__path__)}:
        raise RuntimeFailed(f"no runtime is known for {provider!r}", next_step=f"add toolkit/local/{provider}.py")
    found: type[Runtime] = import_module(f"{__name__}.{provider}").Runtime
    return found
