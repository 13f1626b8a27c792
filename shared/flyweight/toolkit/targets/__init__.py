"""The places where a model can be deployed, one folder each.

`targets/NAME/__init__.py` defines one value, `TARGET`. What the toolkit's verbs need of a target is in further modules of its
folder, the facets, each of which is imported when a verb uses it:

- `package.py`: `PACKAGE`, a `PackageSpec`: the layout of a built folder;
- `runtime.py`: `Runtime`, a subclass of `targets.runtime.Runtime`: how the folder answers requests on this machine; or, for a
  target that scores batches and answers no requests, `job.py`: `Job`, a subclass of `targets.job.Job`;
- `deployment.py`: `DEPLOYER`, a `Deployer`: the commands that make the folder live; a target that can be deployed to several
  platforms has a `DEPLOYER` for each in `platforms/NAME.py`, of which `deployment.py` has the usual one;
- `costs.py`: `COSTS`, a `Costs`: what it costs, with tables of prices, limits and regions beside it as JSON.

Targets are found by listing this folder, and through entry points of other packages in the group `flyweight.targets`, each of
which names a target and refers to its package, or to the value `TARGET` in it. There is no other list of targets.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, cast

from flyweight.toolkit import resources
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.toolkit.targets.costs import Costs
    from flyweight.toolkit.targets.deployment import Deployer
    from flyweight.toolkit.targets.job import Job
    from flyweight.toolkit.targets.package import PackageSpec
    from flyweight.toolkit.targets.runtime import Runtime

__all__ = ["ANY", "Target", "UnknownTarget", "all_targets", "clouds", "find", "names"]

GROUP = "flyweight.targets"
ANY = "any"  # the cloud of a target that belongs to no cloud
PLATFORMS = "platforms"  # the folder beside the facets with one module for each platform
FACETS = {
    # a facet's module: the value in it, and the action that needs it
    "package": ("PACKAGE", "be built"),
    "runtime": ("Runtime", "be run on this machine"),
    "job": ("Job", "score a batch on this machine"),
    "deployment": ("DEPLOYER", "be deployed"),
    "costs": ("COSTS", "be priced"),
}


class UnknownTarget(ToolkitError):
    """No target, or more than one, has this name."""


class MissingFacet(ToolkitError):
    """A target without the facet that a verb needs."""


@dataclass(frozen=True)
class Target:
    """One place where a model is deployed.

    `title`: its name for people; `cloud`: the provider whose account it is deployed to, `ANY` without one; `handler`: the folder
    of `handlers/` that carries its requests; `protocols`: what paths and bodies mean there, by name; `shares`: another target,
    whose sample events are this one's too, and whose files in `infra/` those of this one use; `data`: a folder that holds
    `handlers/`, `infra/` and `events/` of a target from another package, None for flyweight's own; `name` and `module`: filled in
    when the target is found, the module is the one that holds `TARGET`; `platform`: the one that `on` has chosen.
    """

    title: str
    handler: str
    cloud: str = ANY
    protocols: tuple[str, ...] = ("native",)
    shares: str = ""
    data: Path | None = None
    name: str = ""
    module: str = ""
    platform: str = ""

    @property
    def package(self) -> PackageSpec:
        """The layout of a built folder.

        :raises MissingFacet: the target does not have this facet; the same holds for the other facets.
        """
        found: PackageSpec = self._facet("package")
        return found

    @property
    def runtime(self) -> type[Runtime]:
        """The class that runs a built folder on this machine."""
        found: type[Runtime] = self._facet("runtime")
        return found

    @property
    def job(self) -> type[Job]:
        """The class that scores rows with a built folder on this machine; of a target that answers no requests."""
        found: type[Job] = self._facet("job")
        return found

    @property
    def deployer(self) -> Deployer:
        """The commands that deploy a built folder, to the platform that was chosen or to the usual one."""
        if self.platform:
            return cast("Deployer", import_module(f"{self.module}.{PLATFORMS}.{self.platform}").DEPLOYER)
        found: Deployer = self._facet("deployment")
        return found

    @property
    def costs(self) -> Costs:
        """The costs of a model at this target."""
        found: Costs = self._facet("costs")
        return found

    def platforms(self) -> list[str]:
        """List the platforms that the folder can be deployed to: the modules of `platforms/`, [] for a target with one alone."""
        folder = self.file(PLATFORMS)
        return sorted(module.name for module in iter_modules([str(folder)])) if folder.is_dir() else []

    def on(self, platform: str) -> Target:
        """Return the target with one of its platforms chosen, "" for the usual one.

        :raises UnknownTarget: the target has no such platform.
        """
        if platform and platform not in self.platforms():
            step = f"choose one of {', '.join(self.platforms())}" if self.platforms() else "leave out --cloud and --platform"
            raise UnknownTarget(f"the target {self.name} has no platform {platform!r}", step)
        return replace(self, platform=platform)

    def has(self, facet: str) -> bool:
        """Tell whether the target has a facet; only the target's own package is imported."""
        try:
            return find_spec(f"{self.module}.{facet}") is not None
        except ModuleNotFoundError:  # the module is not a package
            return False

    def folder(self, kind: str) -> Path:
        """Return this target's folder in `handlers/`, `infra/` or `events/`."""
        return self.hall(kind) / {"handlers": self.handler, "events": self.shares or self.name}.get(kind, self.name)

    def hall(self, kind: str) -> Path:
        """Return the parent of `folder(kind)`."""
        return self.data / kind if self.data else resources.folder(kind)

    def file(self, name: str) -> Path:
        """Return the path of a file next to the facets; it may not exist."""
        return Path(str(import_module(self.module).__file__)).with_name(name)

    def table(self, name: str) -> dict[str, Any]:
        """Read the JSON document NAME.json next to the facets, {} if it does not exist."""
        return _read(self.file(f"{name}.json"))

    def require(self, facet: str) -> None:
        """Check that the target has a facet.

        :raises MissingFacet: it does not.
        """
        if not self.has(facet):
            value, verb = FACETS[facet]
            others = ", ".join(target.name for target in all_targets() if target.has(facet))
            step = f"choose one of {others}, or write {self.module}.{facet} with {value}"
            raise MissingFacet(f"the target {self.name} can't {verb}: it has no {facet}", step)

    def _facet(self, facet: str) -> Any:
        self.require(facet)
        return getattr(import_module(f"{self.module}.{facet}"), FACETS[facet][0])


def names() -> list[str]:
    """List the names of all targets, sorted."""
    return sorted({*_folders(tuple(__path__)), *_elsewhere()})


def all_targets() -> list[Target]:
    """List all targets, sorted by name."""
    return [find(name) for name in names()]


def clouds() -> list[str]:
    """List the clouds of all targets, sorted."""
    return sorted({target.cloud for target in all_targets()} - {ANY})


def find(name: str) -> Target:
    """Find the target with this name.

    :raises UnknownTarget: no target or more than one has the name, or it can't be imported.
    """
    entries = _elsewhere().get(name, ())
    own = name in _folders(tuple(__path__))
    if len(entries) + own > 1:
        sources = [*([f"{__name__}.{name}"] if own else []), *(entry.value for entry in entries)]
        raise UnknownTarget(f"two targets are called {name}: {' and '.join(sources)}", "uninstall one, or rename it")
    if own:
        return _named(name, f"{__name__}.{name}", import_module(f"{__name__}.{name}").TARGET)
    if not entries:
        raise UnknownTarget(f"the target {name!r} does not exist", f"choose one of {', '.join(names())}")
    try:
        value = entries[0].load()
        target = value if isinstance(value, Target) else value.TARGET
    except (ImportError, AttributeError) as error:
        raise UnknownTarget(f"the target {name} can't be imported: {error}", f"repair or uninstall {entries[0].value}") from None
    return _named(name, entries[0].module, target)


def _named(name: str, module: str, target: Target) -> Target:
    return replace(target, name=name, module=module)


@cache
def _folders(path: tuple[str, ...]) -> frozenset[str]:
    """List the targets that are folders here; a folder that is made later is not seen by this process."""
    return frozenset(module.name for module in iter_modules(path) if module.ispkg)


def _elsewhere() -> dict[str, list[EntryPoint]]:
    return _entries(tuple(sys.path))


@cache
def _entries(path: tuple[str, ...]) -> dict[str, list[EntryPoint]]:
    """List the entry points of distributions on this path, by target; the search takes some milliseconds."""
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, []).append(entry)
    return found


@cache
def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return document
