"""Fitted lightweight models as serverless functions that start as fast as an empty one."""

import sys
from time import perf_counter

IMPORT_BEGAN = perf_counter()

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from flyweight.errors import (
        Fault,
        FlyweightError,
        InvalidInput,
        InvalidSetting,
        MalformedRequest,
        ModelRefused,
        ModelUnavailable,
        NoSuchOutput,
        ObjectNotFound,
        PreconditionFailed,
        StoreFailed,
        TooLarge,
    )
    from flyweight.predictor import Predictor, load
    from flyweight.toolkit.convert.draft import ConversionRefused
    from flyweight.toolkit.errors import ToolkitError
    from flyweight.toolkit.packing.pack import EngineRefused, Packed, ParityFailed, pack
    from flyweight.toolkit.packing.sample import SampleRefused
    from flyweight.toolkit.verbs import build, invoke, push, serve
    from flyweight.values import Prediction

__all__ = [
    "ConversionRefused",
    "EngineRefused",
    "Fault",
    "FlyweightError",
    "InvalidInput",
    "InvalidSetting",
    "MalformedRequest",
    "ModelRefused",
    "ModelUnavailable",
    "NoSuchOutput",
    "ObjectNotFound",
    "Packed",
    "ParityFailed",
    "PreconditionFailed",
    "Prediction",
    "Predictor",
    "SampleRefused",
    "StoreFailed",
    "TooLarge",
    "ToolkitError",
    "build",
    "invoke",
    "load",
    "pack",
    "push",
    "serve",
]
# Public names are imported on first use, so that a function that only predicts imports nothing else; those not here are errors.
_MODULES = {
    "ConversionRefused": "toolkit.convert.draft",
    "EngineRefused": "toolkit.packing.pack",
    "Packed": "toolkit.packing.pack",
    "ParityFailed": "toolkit.packing.pack",
    "Prediction": "values",
    "Predictor": "predictor",
    "SampleRefused": "toolkit.packing.sample",
    "ToolkitError": "toolkit.errors",
    "build": "toolkit.verbs",
    "invoke": "toolkit.verbs",
    "load": "predictor",
    "pack": "toolkit.packing.pack",
    "push": "toolkit.verbs",
    "serve": "toolkit.verbs",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'flyweight' has no attribute {name!r}")
    module = __import__(f"flyweight.{_MODULES.get(name, 'errors')}", fromlist=[name])
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Bundle:
    """Finds this package's modules in the one file of bytecode that `flyweight build` makes of them.

    A cold start reads thirty modules; to look for each takes as long as to read them all. The file stays open: what a function
    never imports is never read.
    """

    def __init__(self, package: str) -> None:
        from marshal import loads

        self._above = package.removesuffix("flyweight")
        self._file = open(f"{package}/__pycache__/bundle.{sys.implementation.cache_tag}", "rb", 0)
        size = int.from_bytes(self._file.read(4), "little")
        self._begin = 4 + size
        self._modules = loads(self._file.read(size))  # by name: source, and where its bytecode begins, and its size

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

        source, begin, size = self._modules.pop(module.__name__)
        module.__file__ = self._above + source
        exec(loads(self._read(self._begin + begin, size)), module.__dict__)

    def _read(self, begin: int, size: int) -> bytes:
        """Read a part of the file, from where no other thread or forked process can move it."""
        try:
            from posix import pread
        except ImportError:  # Windows
            with open(self._file.name, "rb") as file:
                file.seek(begin)
                return file.read(size)
        return pread(self._file.fileno(), size, begin)


try:
    sys.meta_path.insert(0, _Bundle(__path__[0]))
except OSError:
    pass  # nothing was built here, or for another Python
