"""Read which imports a cold start spends its time with: by top-level package, with the file that imports it, and advice.

Times are Python's own, of `-X importtime` (https://docs.python.org/3/using/cmdline.html#cmdoption-X). The file that imports a
package first is written by `import_probe/sitecustomize.py`. Both run in one measuring process only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

PROBE = Path(__file__).with_name("import_probe")
IMPORTERS = "IMPORT_PROBE_FILE"  # the variable with the file to which the probe writes; no setting, which would be checked
TIME = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| ( *)(\S+)")
LEAST = 0.001  # seconds: a cheaper package is not listed
MOST = 8  # packages that are listed
SMALL = 0.5  # the share of a module's time that one import of the standard library has to have, to be named with it


@dataclass
class Module:
    """One imported module: `own`, the seconds of its own code, and what it imported first."""

    name: str
    own: float
    children: list[Module] = field(default_factory=list)

    @property
    def package(self) -> str:
        """The name of its top-level package."""
        return self.name.partition(".")[0]

    @property
    def whole(self) -> float:
        """The seconds with all that it imported first."""
        return self.own + sum(child.whole for child in self.children)


@dataclass(frozen=True)
class Costly:
    """A package that takes part of a cold start.

    `seconds`: of its own modules, with the standard library's that they import first; `by`: the file and line that import it, ""
    where that is not known; `advice`: what to do, "" where nothing is to be done.
    """

    name: str
    seconds: float
    by: str
    advice: str

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"name": self.name, "ms": round(1000 * self.seconds, 3), "by": self.by, "advice": self.advice}


def variables(importers: Path) -> dict[str, str]:
    """Return the environment of a process whose imports are measured.

    :param importers: the file to which the importing files are written.
    """
    return {"PYTHONPROFILEIMPORTTIME": "1", "PYTHONPATH": str(PROBE), IMPORTERS: str(importers)}


def modules(log: str) -> list[Module]:
    """Read the lines of `-X importtime`, in which an import follows the imports inside it, as the outermost modules."""
    levels: list[list[Module]] = [[]]
    for own, indent, name in TIME.findall(log):
        depth = len(indent) // 2
        while len(levels) < depth + 2:
            levels.append([])
        inside = levels[depth + 1]
        levels[depth].append(Module(name, int(own) / 1e6, inside))
        levels[depth + 1 :] = [[]]
    return levels[0]


def costliest(
    log: str, empty: str, importers: Mapping[str, str], folder: Path, document: Mapping[str, Any] | None
) -> list[Costly]:
    """List the packages that cost most, without those that an empty function imports as well.

    :param log: the output of the folder's process, with Python's lines about imports.
    :param empty: the same of an empty function's process.
    :param importers: the file and line of each module's first import.
    :param document: the document of the model file; None for a folder without a model.
    """
    known = {module.name for module in _all(modules(empty))}
    spent: dict[str, float] = {}
    parts: dict[tuple[str, str], float] = {}
    for top in modules(log):
        _add(top, "", known, spent, parts)
    found: list[Costly] = []
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        if seconds >= LEAST and len(found) < MOST:
            by = _near(importers.get(name, ""), folder)
            part = max(((own, inner) for (outer, inner), own in parts.items() if outer == name), default=(0.0, ""))
            inner = part[1] if part[0] > SMALL * seconds else ""
            found.append(Costly(name, seconds, by, _advice(name, by, inner, part[0], folder, document)))
    return found


def read_importers(path: Path) -> dict[str, str]:
    """Read what the probe wrote: the file and line of the first import of each module."""
    if not path.is_file():
        return {}
    lines = [line.partition("\t") for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    return {name: place for name, _, place in reversed(lines)}


def _all(tops: list[Module]) -> Iterator[Module]:
    for module in tops:
        yield module
        yield from _all(module.children)


def _add(
    module: Module, owner: str, known: set[str], spent: dict[str, float], parts: dict[tuple[str, str], float], outer: str = ""
) -> None:
    """Add a module's time to its package's; the standard library's is time of the package that imports it."""
    standard = module.package in sys.stdlib_module_names
    owner = owner if standard and owner else module.package
    outer = (outer or module.package) if standard else ""
    if module.name not in known:
        spent[owner] = spent.get(owner, 0.0) + module.own
        if outer and outer != owner:
            parts[owner, outer] = parts.get((owner, outer), 0.0) + module.own
    for child in module.children:
        _add(child, owner, known, spent, parts, outer)


def _near(place: str, folder: Path) -> str:
    """Shorten the name of a file inside the folder; "" for a place that is no file."""
    path, _, line = place.rpartition(":")
    if not path or path.startswith("<"):
        return ""
    if Path(path).is_absolute():
        if not Path(path).is_relative_to(folder):
            return f"{'/'.join(Path(path).parts[-2:])}:{line}"
        path = str(Path(path).relative_to(folder))
    return f"{path}:{line}"


def _advice(name: str, by: str, inner: str, inside: float, folder: Path, document: Mapping[str, Any] | None) -> str:
    """Say what to do about a package."""
    file = by.rpartition(":")[0]
    if name == "flyweight" or (folder / f"{name}.py").is_file():
        if inner and inside >= LEAST:
            return f"most of it is {inner}, {1000 * inside:.0f} ms: import it inside the function that uses it"
        return ""
    if not by and name in sys.stdlib_module_names:
        return ""
    if document is not None and _needed(name, document):
        return f"the model's engine needs it: {_other_engine(document)}"
    if file.startswith("flyweight/engines") or "/flyweight/engines/" in file:
        return f"the engine imports it: {_other_engine(document or {})}"
    if document is not None and "/" not in file and document.get("engines", [])[:1] == ["pure"]:
        return "the pure engine does not need it: remove the import, or move it into the function that uses it"
    if file and "/" in file:
        return f"comes with {file.partition('/')[0]}"
    return "import it inside the function that uses it, so that a cold start does not wait for it"


def _needed(name: str, document: Mapping[str, Any]) -> bool:
    """Tell whether the model file requires a package, by one of the names of its distribution."""
    distributions = {name, *packages_distributions().get(name, [])}
    required = {one.lower().replace("_", "-") for one in document.get("requires", {})}
    return any(one.lower().replace("_", "-") in required for one in distributions)


def _other_engine(document: Mapping[str, Any]) -> str:
    engines = ", ".join(document.get("engines", [])) or "another engine"
    return f"the file has {engines}; `flyweight pack --engine pure` needs no package, if the model can be packed so"
