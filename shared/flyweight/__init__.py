"""Fitted lightweight models as serverless functions that start as fast as an empty one."""

import sys
from time import perf_counter

IMPORT_BEGAN = perf_counter()

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

# Public names are found on first use, so that a function that only predicts imports nothing else.
_PUBLIC = {
    "load": "flyweight.predictor",
    "Prediction": "flyweight.values",
    "FlyweightError": "flyweight.errors",
    "Fault": "flyweight.errors",
    "InvalidInput": "flyweight.errors",
    "ModelRefused": "flyweight.errors",
    "pack": "flyweight.toolkit.packing.pack",
}
__all__ = [*_PUBLIC]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'flyweight' has no attribute {name!r}")
    module = __import__(_PUBLIC[name], fromlist=[name])
    return getattr(module, name)


class _Bundle:
    """Finds this package's modules in the one file of bytecode that `flyweight build` makes of them.

    A cold start reads thirty modules; to look for each, and to open it, takes as long as to read them all at once does.
    """

    def __init__(self, package: str) -> None:
        from marshal import load

        self._above = package.removesuffix("flyweight")
        with open(f"{package}/__pycache__/bundle.{sys.implementation.cache_tag}", "rb") as file:
            self._modules = load(file)  # from name to where its source is, and its bytecode

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """Where a module comes from; None where it is not in here, and the next finder is asked."""
        if name not in self._modules:
            return None
        source = self._above + self._modules[name][0]
        package = source.endswith("/__init__.py")
        spec = type(__spec__)(name, self, origin=source, is_package=package)  # type: ignore[arg-type]
        if package:
            spec.submodule_search_locations = [source.removesuffix("/__init__.py")]
        return spec

    def create_module(self, spec: "ModuleSpec") -> None:
        """A module as any other."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run a module's bytecode, once."""
        from marshal import loads

        source, code = self._modules.pop(module.__name__)
        module.__file__ = self._above + source
        exec(loads(code), module.__dict__)


try:
    sys.meta_path.insert(0, _Bundle(__path__[0]))
except OSError:
    pass  # there is none where nothing was built, or for this Python
