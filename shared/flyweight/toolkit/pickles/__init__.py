"""What a pickle of an estimator holds, found out without running it: classes, versions, what it needs, what would go wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyweight.engines import ENGINES
from flyweight.toolkit.convert import converters
from flyweight.toolkit.pickles import names
from flyweight.toolkit.pickles.machine import Machine
from flyweight.toolkit.pickles.records import Global, Node, class_of, printable
from flyweight.toolkit.pickles.source import PickleRefused, Source, looks_like_pickle

__all__ = ["Contents", "Part", "PickleRefused", "engine_hint", "is_pickle", "read"]

# where estimators keep those that they are made of: what was fitted, and, in what was not, what it was made with
_FITTED = (
    "steps transformers_ transformer_list estimators_ estimator_ best_estimator_ calibrated_classifiers_ calibrators"
    " final_estimator_ regressor_ classifier_ transformer_ classifiers_ regressors_"
).split()
_GIVEN = "estimators transformers estimator base_estimator regressor classifier".split()
_MOST_PARTS = 10_000
_LONGEST_PATH = 500


@dataclass(frozen=True)
class Part:
    """An estimator inside, or `count` alike: the path of steps to it, its class, the scikit-learn that fitted it."""

    path: str
    cls: str
    count: int = 1
    sklearn: str | None = None


@dataclass(frozen=True)
class Contents:
    """What a pickle holds. Names are `module.name`; versions are None where the file does not tell."""

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
    numpy: str | None
    standard: tuple[str, ...]
    distributions: dict[str, tuple[str, ...]]
    custom: tuple[str, ...]
    dangerous: tuple[str, ...]
    notes: tuple[str, ...]
    engine: str | None
    reason: str

    def requirements(self) -> list[str]:
        """What has to be installed to load it, as `pip` takes it; a version where the file tells one."""
        known = {"scikit-learn": f"=={self.sklearn[0]}" if self.sklearn else "", "numpy": self.numpy or ""}
        return [name + known.get(name, "") for name in self.distributions]


def is_pickle(path: Path) -> bool:
    """Whether a file is meant to be a pickle or joblib file, by what it begins and ends with; False if there is no such file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(16)
        file.seek(max(path.stat().st_size - 1, 0))
        return looks_like_pickle(start, file.read(1))


def read(path: Path) -> Contents:
    """Read a pickle or joblib file, and import and call nothing of it.

    :raises PickleRefused: it is damaged, or larger than any light model.
    :raises OSError: there is no such file.
    """
    with path.open("rb") as file:
        source = Source(file)
        machine = Machine(source)
        root = machine.read()
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    found = sorted(machine.globals, key=str)
    others = [name for name in found if not names.is_standard(name)]
    custom = dict.fromkeys(names.custom(found))
    parts = tuple(_merged(_parts(root)))
    cls = class_of(root)
    engine, reason = engine_hint([_short(part.cls) for part in parts], [_short(str(name)) for name in custom])
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
        numpy=_numpy(found),
        standard=tuple(str(name) for name in found if names.is_standard(name)),
        distributions=_by_distribution(name for name in others if name not in custom),
        custom=tuple(map(str, custom)),
        dangerous=tuple(map(str, names.dangerous(found))),
        notes=tuple(machine.notes),
        engine=engine,
        reason=reason,
    )


def engine_hint(classes: list[str], custom: list[str]) -> tuple[str | None, str]:
    """The engine that `pack` would most likely choose for estimators of these classes (`package.Class`), and why.

    None where it holds no estimator, or no engine takes them. Only packing proves it: parameters and data decide as well.
    """
    if not classes:
        return None, "no estimator was found in it"
    theirs = {*custom}
    # a library's private classes are parts that the converter of the whole knows
    without = [name for name in dict.fromkeys(classes) if name not in converters() and (name in theirs or "._" not in name)]
    own = [name for name in without if name in theirs]
    if own:
        return None, f"{', '.join(own)}: its code is not in the file, so no engine carries it; see `flyweight pack --help`"
    if without:
        fallbacks = [engine for engine in ("onnx", "sklearn") if engine in ENGINES]
        carried = "which would carry it whole" if fallbacks else "see `flyweight pack --list`"
        return " or ".join(fallbacks) or None, f"no conversion to plain data for {', '.join(without)}; {carried}"
    return "pure", "every class has a conversion to plain data; `flyweight pack` proves that it answers alike"


def _short(name: str) -> str:
    return f"{name.partition('.')[0]}.{name.rpartition('.')[2]}"


def _numpy(found: Iterable[Global]) -> str | None:
    """The versions of numpy that know the modules it names, as far as they tell: `numpy.core` became `numpy._core` in 2.0."""
    modules = [name.module for name in found]
    if any(module.startswith("numpy._core") for module in modules):
        return ">=2"
    return "<2" if any(module.startswith("numpy.core") for module in modules) else None


def _by_distribution(found: Iterable[Global]) -> dict[str, tuple[str, ...]]:
    by: dict[str, list[str]] = {}
    for name in found:
        by.setdefault(str(names.distribution(name.package)), []).append(str(name))
        if name.module in names.ON_SKLEARN:
            by.setdefault("scikit-learn", [])
    return {distribution: tuple(classes) for distribution, classes in sorted(by.items())}


def _versions(root: Any) -> Iterator[str]:
    """The scikit-learn that fitted each estimator anywhere inside, as `BaseEstimator.__getstate__` notes it, outermost first."""
    seen, waiting = set[int](), [root]
    for node in waiting:  # grows as it goes, so that nesting without end is no recursion without end
        if not isinstance(node, Node) or id(node) in seen:
            continue
        seen.add(id(node))
        if node.kind == "dict":  # a state that many objects share is read once
            items = node.items or []
            noted = [v for k, v in zip(items[::2], items[1::2], strict=False) if type(k) is str and k == "_sklearn_version"]
            yield from filter(None, map(_version, noted))
        waiting.extend(node.inside())


def _version(value: Any) -> str | None:
    """The value if it is a version by its form, which may then stand in a requirement."""
    return value if type(value) is str and len(value) <= 40 and re.fullmatch(r"[0-9][0-9A-Za-z.+]*", value, re.ASCII) else None


def _parts(root: Any) -> Iterator[Part]:
    """The estimators, each once, in the order of their steps."""
    seen, containers, waiting = set[int](), set[int](), [("", root)]
    while waiting and len(seen) < _MOST_PARTS:
        path, node = waiting.pop()
        cls = class_of(node)
        if cls is None or id(node) in seen:
            continue
        seen.add(id(node))
        attributes = node.attributes()
        yield Part(printable(path), str(cls), 1, _version(attributes.get("_sklearn_version")))
        keys = [key for key in _FITTED if key in attributes] or [key for key in _GIVEN if key in attributes]
        if "estimators_" in keys and "estimator_" in keys:
            keys.remove("estimator_")  # what the others were copied from
        inside = [(_joined(path, name or key), one) for key in keys for name, one in _members(attributes[key], containers)]
        waiting.extend(reversed(inside))


def _joined(path: str, name: str) -> str:
    """The path of a step inside, cut where it goes on: a file can nest thousands of steps that share one long name."""
    joined = f"{path[:_LONGEST_PATH]}.{name}".lstrip(".")
    return joined if len(joined) <= _LONGEST_PATH else joined[: _LONGEST_PATH - 3] + "..."


def _members(value: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """The estimators in an attribute: itself, in a list, in (name, estimator, ...) with the name, in an array of objects."""
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
    """Parts of one path, class and version as one with their number, where the first stood."""
    counts: dict[tuple[str, str, str | None], int] = {}
    for part in parts:
        key = (part.path, part.cls, part.sklearn)
        counts[key] = counts.get(key, 0) + 1
    for (path, cls, version), count in counts.items():
        yield Part(path, cls, count, version)
