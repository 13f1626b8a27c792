"""What a pickle of an estimator holds, read without running it: classes, versions, requirements, and what would go wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyweight.toolkit.convert import converters
from flyweight.toolkit.packing import engines
from flyweight.toolkit.pickles import names
from flyweight.toolkit.pickles.machine import Machine
from flyweight.toolkit.pickles.nodes import Global, Node, class_of, printable
from flyweight.toolkit.pickles.source import PickleRefused, Source, looks_like_pickle
from flyweight.toolkit.pickles.versions import Difference, differences

__all__ = ["Contents", "Part", "PickleRefused", "engine_hint", "is_pickle", "read"]

# attributes in which estimators keep other estimators: fitted ones; and in an estimator that is not fitted, its parameters
_FITTED = (
    "steps transformers_ transformer_list estimators_ estimator_ best_estimator_ calibrated_classifiers_ calibrators"
    " final_estimator_ regressor_ classifier_ transformer_ classifiers_ regressors_"
).split()
_PARAMETERS = "estimators transformers estimator base_estimator regressor classifier".split()
_MAX_PARTS = 10_000
_MAX_PATH = 500  # characters


@dataclass(frozen=True)
class Part:
    """An estimator inside the pickle.

    :param path: the names of the steps that lead to it, joined by dots.
    :param cls: its class.
    :param count: the number of estimators of this path, class and version.
    :param sklearn: the version of scikit-learn that fitted it; None if the file does not say.
    """

    path: str
    cls: str
    count: int = 1
    sklearn: str | None = None


@dataclass(frozen=True)
class Contents:
    """What a pickle holds. Classes and functions are named `module.name`.

    :param bytes: the size of the file.
    :param compression: its compression; None if it is not compressed.
    :param protocol: the pickle's protocol.
    :param arrays: the number of arrays that joblib stored.
    :param array_bytes: the bytes of these arrays.
    :param cls: the class of the root; None if it is unknown.
    :param parts: the estimators inside.
    :param sklearn: the versions of scikit-learn that fitted them, that of the outermost estimator first.
    :param boosters: the versions of the boosters' libraries that fitted parts of it, by distribution; of LightGBM only the first
        number is recorded.
    :param numpy: the versions of numpy that can load it; None if the file does not show it.
    :param standard: names of the standard library.
    :param distributions: names by the distribution that they belong to.
    :param custom: names that belong to no distribution.
    :param dangerous: names by which loading could run any code.
    :param notes: what can't be known without running it.
    :param engine: the engine that `pack` would most likely choose; None if none exists.
    :param reason: why that engine, or none.
    """

    path: Path
    bytes: int
    sha256: str
    compression: str | None
    protocol: int
    arrays: int
    array_bytes: int
    cls: str | None
    parts: tuple[Part, ...]
    sklearn: tuple[str, ...]
    boosters: dict[str, str]
    numpy: str | None
    standard: tuple[str, ...]
    distributions: dict[str, tuple[str, ...]]
    custom: tuple[str, ...]
    dangerous: tuple[str, ...]
    notes: tuple[str, ...]
    engine: str | None
    reason: str

    def requirements(self) -> list[str]:
        """List the requirements for loading it, as `pip` takes them; with a version if the file shows one."""
        exact = {one.distribution: one.requirement for one in (Difference(*fitted, None) for fitted in reversed(self.recorded()))}
        return [exact.get(name, name) for name in self.distributions]

    def recorded(self) -> list[tuple[str, str]]:
        """List the libraries whose versions the file shows, each with its version; scikit-learn may occur several times."""
        numpy = [("numpy", self.numpy)] if self.numpy else []
        return [*(("scikit-learn", version) for version in self.sklearn), *self.boosters.items(), *numpy]

    def differences(self) -> list[Difference]:
        """List the libraries that are installed here in another version than the file records."""
        return differences(self.recorded())


def is_pickle(path: Path) -> bool:
    """Check by its first and last bytes whether a file is meant to be a pickle or joblib file; False if there is no such file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(16)
        file.seek(max(path.stat().st_size - 1, 0))
        return looks_like_pickle(start, file.read(1))


def read(path: Path) -> Contents:
    """Read a pickle or joblib file without importing or calling anything that it names.

    :raises PickleRefused: the file is damaged, or larger than the limits allow.
    :raises OSError: the file can't be opened.
    """
    with path.open("rb") as file:
        source = Source(file)
        machine = Machine(source)
        root = machine.read()
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    all_names = sorted(machine.globals, key=str)
    others = [name for name in all_names if not names.is_standard(name)]
    custom = dict.fromkeys(names.custom(all_names))
    parts = tuple(_merged(_parts(root)))
    cls = class_of(root)
    packages = {name.package for name in all_names}
    shorts, own = [_short(part.cls) for part in parts], [_short(str(name)) for name in custom]
    engine, reason = engine_hint(shorts, own, [*_functions(root)])
    return Contents(
        path=path,
        bytes=path.stat().st_size,
        sha256=sha256,
        compression=source.compression,
        protocol=machine.protocol,
        arrays=machine.arrays,
        array_bytes=machine.array_bytes,
        cls=str(cls) if cls else None,
        parts=parts,
        sklearn=tuple(dict.fromkeys(_versions(root))),
        boosters={str(names.distribution(p)): version for p, version in source.records.found.items() if p in packages},
        numpy=_numpy_versions(all_names),
        standard=tuple(str(name) for name in all_names if names.is_standard(name)),
        distributions=_by_distribution(name for name in others if name not in custom),
        custom=tuple(map(str, custom)),
        dangerous=tuple(map(str, names.dangerous(all_names))),
        notes=tuple(machine.notes),
        engine=engine,
        reason=reason,
    )


def engine_hint(classes: list[str], custom: list[str], functions: Sequence[str] = ()) -> tuple[str | None, str]:
    """Ask the makers of candidates which engine `pack` tries first; only packing proves it, since parameters and data count too.

    :param classes: the classes of the estimators, as `package.Class`.
    :param custom: names that belong to no distribution, in the same form.
    :param functions: what `FunctionTransformer`s call, as `module.name`.
    :returns: the engine, and why; None if there is no estimator, or no engine takes one of them.
    """
    if not classes:
        return None, "no estimator was found in it"
    own = [name for name in dict.fromkeys(classes) if name in {*custom} and name not in converters()]
    if own:
        return None, f"{', '.join(own)}: its code is not in the file, so no engine carries it; see `flyweight pack --help`"
    called = [name for name in dict.fromkeys(functions) if _short(name) in {*custom}]
    engine, refused = engines.likely(classes, [name for name in functions if name not in called])
    others = "".join(f"{name}: {reason}; " for name, reason in refused.items())
    if called and engine == "pure":
        return engine, f"if {', '.join(called)} is a step of your own (--steps, see docs/your-own-step.md) or takes dates apart"
    if engine == "pure":
        return engine, "every class has a conversion to plain data; `flyweight pack` proves that it answers alike"
    return engine, f"{others}`flyweight pack` proves that it answers alike" if engine else others.removesuffix("; ")


def _short(name: str) -> str:
    return f"{name.partition('.')[0]}.{name.rpartition('.')[2]}"


def _numpy_versions(all_names: Iterable[Global]) -> str | None:
    """Find the versions of numpy that have the modules which the file names: `numpy.core` became `numpy._core` in 2.0."""
    modules = [name.module for name in all_names]
    if any(module.startswith("numpy._core") for module in modules):
        return ">=2"
    return "<2" if any(module.startswith("numpy.core") for module in modules) else None


def _by_distribution(library_names: Iterable[Global]) -> dict[str, tuple[str, ...]]:
    by: dict[str, list[str]] = {}
    for name in library_names:
        by.setdefault(str(names.distribution(name.package)), []).append(str(name))
        if name.module in names.ON_SKLEARN:
            by.setdefault("scikit-learn", [])
    return {distribution: tuple(classes) for distribution, classes in sorted(by.items())}


def _versions(root: Any) -> Iterator[str]:
    """Find the versions of scikit-learn that `BaseEstimator.__getstate__` noted in states anywhere inside, outermost first."""
    seen, waiting = set[int](), [root]
    for node in waiting:  # the list grows in the loop, since endless nesting would break a recursion
        if not isinstance(node, Node) or id(node) in seen:
            continue
        seen.add(id(node))
        if node.kind == "dict":  # a state that many objects share is read once
            items = node.items or []
            noted = [v for k, v in zip(items[::2], items[1::2], strict=False) if type(k) is str and k == "_sklearn_version"]
            yield from filter(None, map(_version, noted))
        waiting.extend(node.inside())


def _version(value: Any) -> str | None:
    """Return a value that has the form of a version, so that a requirement may hold it; else None."""
    return value if type(value) is str and len(value) <= 40 and re.fullmatch(r"[0-9][0-9A-Za-z.+]*", value, re.ASCII) else None


def _parts(root: Any) -> Iterator[Part]:
    """Find the estimators inside, each once, in the order of their steps."""
    seen, containers, waiting = set[int](), set[int](), [("", root)]
    while waiting and len(seen) < _MAX_PARTS:
        path, node = waiting.pop()
        cls = class_of(node)
        if cls is None or id(node) in seen:
            continue
        seen.add(id(node))
        attributes = node.attributes()
        yield Part(printable(path), str(cls), 1, _version(attributes.get("_sklearn_version")))
        keys = [key for key in _FITTED if key in attributes] or [key for key in _PARAMETERS if key in attributes]
        if "estimators_" in keys and "estimator_" in keys:
            keys.remove("estimator_")  # the template of which `estimators_` are copies
        inside = [(_joined(path, name or key), one) for key in keys for name, one in _members(attributes[key], containers)]
        waiting.extend(reversed(inside))


def _functions(root: Any) -> Iterator[str]:
    """Find the functions that `FunctionTransformer`s anywhere inside call."""
    seen, waiting = set[int](), [root]
    for node in waiting:  # the list grows in the loop, as in `_versions`
        if not isinstance(node, Node) or id(node) in seen:
            continue
        seen.add(id(node))
        if (cls := class_of(node)) and _short(str(cls)) == "sklearn.FunctionTransformer":
            func = node.attributes().get("func")
            if isinstance(func, Global):
                yield str(func)
        waiting.extend(node.inside())


def _joined(path: str, name: str) -> str:
    """Join a path and a name, cut at `_MAX_PATH`: a file can nest thousands of steps that share one long name."""
    joined = f"{path[:_MAX_PATH]}.{name}".lstrip(".")
    return joined if len(joined) <= _MAX_PATH else joined[: _MAX_PATH - 3] + "..."


def _members(value: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Find the estimators in an attribute: the value itself, or items of lists, of tuples and of arrays of objects.

    :param seen: the ids of the containers that were read before; those of this attribute are added.
    :returns: estimators with their names; the name of an item of a tuple `(name, estimator, ...)` is its first value, else "".
    """
    waiting = [("", value)]
    while waiting:
        name, node = waiting.pop()
        cls = class_of(node)
        array = cls is not None and cls.package == "numpy"
        if cls is not None and not array:
            if not names.is_standard(cls):
                yield name, node
            continue
        if not isinstance(node, Node) or id(node) in seen:
            continue
        seen.add(id(node))
        items = node.items or []
        first = items[0] if node.kind == "tuple" and items and type(items[0]) is str else name
        waiting.extend((first, one) for one in reversed([*items, *([node.state] if array else [])]))


def _merged(parts: Iterable[Part]) -> Iterator[Part]:
    """Merge parts of the same path, class and version into one with their number, at the place of the first."""
    counts: dict[tuple[str, str, str | None], int] = {}
    for part in parts:
        key = (part.path, part.cls, part.sklearn)
        counts[key] = counts.get(key, 0) + 1
    for (path, cls, version), count in counts.items():
        yield Part(path, cls, count, version)
