"""Fitted lightweight models as serverless functions that start as fast as an empty one."""

import sys
from time import perf_counter

IMPORT_BEGAN = perf_counter()

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

    from flyweight.arrow import beam, dask, duckdb, pandas, polars, ray, spark
    from flyweight.arrow.scorer import Scorer
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
    from flyweight.toolkit.frameworks import asgi, blueprint, router, urls, wsgi
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
    "Scorer",
    "StoreFailed",
    "TooLarge",
    "ToolkitError",
    "asgi",
    "beam",
    "blueprint",
    "build",
    "dask",
    "duckdb",
    "invoke",
    "load",
    "pack",
    "pandas",
    "polars",
    "push",
    "ray",
    "router",
    "serve",
    "spark",
    "urls",
    "wsgi",
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
    "Scorer": "arrow.scorer",
    "ToolkitError": "toolkit.errors",
    "asgi": "toolkit.frameworks",
    "beam": "arrow",
    "blueprint": "toolkit.frameworks",
    "duckdb": "arrow",
    "build": "toolkit.verbs",
    "dask": "arrow",
    "invoke": "toolkit.verbs",
    "load": "predictor",
    "pack": "toolkit.packing.pack",
    "pandas": "arrow",
    "polars": "arrow",
    "push": "toolkit.verbs",
    "ray": "arrow",
    "router": "toolkit.frameworks",
    "serve": "toolkit.verbs",
    "spark": "arrow",
    "urls": "toolkit.frameworks",
    "wsgi": "toolkit.frameworks",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'flyweight' has no attribute {name!r}")
    try:
        module = __import__(f"flyweight.{_MODULES.get(name, 'errors')}", fromlist=[name])
    except ModuleNotFoundError as error:
        try:
            errors = __import__("flyweight.toolkit.errors", fromlist=["not_installed"])
        except ModuleNotFoundError:  # a built folder has no toolkit
            raise error from None
        raise errors.not_installed(f"flyweight.{name}", error) from None
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Bundle:
    """Finds the modules of this package and of the handler beside it in the one file of bytecode that `flyweight build` makes.

    A cold start reads thirty modules; to look for each takes as long as to read them all. The file stays open: what a function
    never imports is never read.
    """

    def __init__(self, package: str) -> None:
        self._above = package.removesuffix("flyweight")
        self._file = open(f"{package}/__pycache__/bundle.{sys.implementation.cache_tag}", "rb", 0)
        size = int.from_bytes(self._file.read(4), "little")
        self._begin = 4 + size
        self._index = self._file.read(size)  # a line a module: its name, its source, where its bytecode begins, and its size
        self._codes: dict[str, CodeType] = {}  # read already, and not run yet

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """Where a module comes from; None where it is not in here, and the next finder is asked."""
        entry = self._entry(name)
        if entry is None or ("." not in name and self._above[:-1] != sys.path[0]):
            return None  # a handler's module is looked for in here only where its folder would be the first to be searched
        return self._spec(name, entry[0])

    def _entry(self, name: str) -> "tuple[str, int, int] | None":
        """Read the line of a module: its source, and where its bytecode begins, and its size."""
        begin = self._index.find(f"\n{name}\t".encode()) + 1
        if not begin:
            return None
        _, source, start, size = self._index[begin : self._index.index(b"\n", begin)].decode().split("\t")
        return source, int(start), int(size)

    def _spec(self, name: str, source: str) -> "ModuleSpec":
        source = self._above + source
        package = source.endswith("/__init__.py")
        spec = type(__spec__)(name, self, origin=source, is_package=package)  # type: ignore[arg-type]
        if package:
            spec.submodule_search_locations = [source.removesuffix("/__init__.py")]
        return spec

    def create_module(self, spec: "ModuleSpec") -> None:
        """A module as any other."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run a module's bytecode."""
        from marshal import loads

        code = self._codes.get(module.__name__)
        self._run(module, loads(self._read(*self._entry(module.__name__)[1:])) if code is None else code)  # type: ignore[index]

    def compiled(self, title: str, text: str) -> "CodeType | None":
        """Read the bytecode of a text that the file has under this title; None if it has another text or none."""
        from marshal import loads

        entry = self._entry(title)
        kept, code = ("", None) if entry is None else loads(self._read(*entry[1:]))
        return code if kept == text else None

    def import_first(self) -> None:
        """Import the modules of a cold start, in its order; the file has their bytecode in a few pieces as well.

        Python's own steps for one import take as long as most of these modules do.
        """
        from marshal import loads

        number = 0
        while (entry := self._entry(str(number))) is not None:
            extensions, codes = loads(self._read(*entry[1:]))
            _import_extensions(extensions)
            self._import_all(codes)
            number += 1

    def _import_all(self, codes: "tuple[tuple[str, CodeType], ...]") -> None:
        """Import modules whose bytecode was read; any of them may import a later one."""
        self._codes.update(codes)
        for name, code in codes:
            above, _, last = name.rpartition(".")
            if above and above not in sys.modules:
                __import__(above)
            if name in sys.modules or ("." not in name and self._above[:-1] != sys.path[0]):
                continue
            spec = self._spec(name, code.co_filename)
            module = sys.modules[name] = type(sys)(name)
            module.__spec__, module.__package__ = spec, spec.parent
            module.__loader__ = self  # type: ignore[assignment]
            if spec.submodule_search_locations is not None:
                module.__path__ = spec.submodule_search_locations
            try:
                self._run(module, code)
            except BaseException:
                del sys.modules[name]
                raise
            if above:
                setattr(sys.modules[above], last, module)
        self._codes.clear()

    def _run(self, module: "ModuleType", code: "CodeType") -> None:
        from _imp import _fix_co_filename  # type: ignore[attr-defined]

        module.__file__ = self._above + code.co_filename
        _fix_co_filename(code, module.__file__)  # as Python does: tracebacks show the file where it is
        exec(code, module.__dict__)

    def _read(self, begin: int, size: int) -> bytes:
        """Read a part of the file's bytecode, from where no other thread or forked process can move it."""
        begin += self._begin
        try:
            from posix import pread
        except ImportError:  # Windows
            with open(self._file.name, "rb") as file:
                file.seek(begin)
                return file.read(size)
        return pread(self._file.fileno(), size, begin)


def _import_extensions(files: "tuple[tuple[str, str], ...]") -> None:
    """Import Python's own modules in C from the last folder on the path, which is theirs, without a search.

    A search would list that folder and look into the others. One that is not there, as on another processor, is found later.
    """
    from _frozen_importlib import _load  # type: ignore[attr-defined]
    from _frozen_importlib_external import spec_from_file_location

    for name, file in files:
        if name not in sys.modules:
            try:
                _load(spec_from_file_location(name, f"{sys.path[-1]}/{file}"))
            except ImportError:
                pass


def import_first() -> None:
    """Import the modules of a cold start at once, if `flyweight build` noted which they are: for clients of ours."""
    for finder in _bundles():
        finder.import_first()


def compiled(title: str, text: str) -> "CodeType":
    """Return the bytecode of a text of code: what `flyweight build` made of the same text, or else what Python's compiler makes.

    The compiler takes half a megabyte that the process then keeps.
    """
    for finder in _bundles():
        code = finder.compiled(title, text)
        if code is not None:
            return code
    return compile(text, title, "exec")


def _bundles() -> list[_Bundle]:
    return [finder for finder in sys.meta_path if isinstance(finder, _Bundle)]


try:
    sys.meta_path.insert(0, _Bundle(__path__[0]))
except OSError:
    pass  # nothing was built here, or for another Python
