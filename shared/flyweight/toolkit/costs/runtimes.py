"""Measure a model in the runtimes of several targets on this machine; what runs alike is measured once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flyweight.toolkit import targets
from flyweight.toolkit.costs.measurement import Sized, measured
from flyweight.toolkit.costs.workload import Measured
from flyweight.toolkit.errors import BuildFailed, RuntimeFailed, ToolkitError
from flyweight.toolkit.targets import Target
from flyweight.toolkit.targets.served_runtime import ServedRuntime

SECONDS = 2.0  # of warm calls, and as much again of cold starts, for each runtime after the first


@dataclass(frozen=True)
class RuntimeFigures:
    """The model in one runtime.

    `names`: the targets whose folders it runs; `sized`: the measurement, None if it failed; `problem`: why it failed; `built`:
    whether the model can be built for them.
    """

    names: tuple[str, ...]
    sized: Sized | None
    problem: str = ""
    built: bool = True

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object, times in milliseconds."""
        if self.sized is None:
            return {"targets": list(self.names), "problem": self.problem}
        taken = self.sized.measured
        times = {"cold_ms": round(1000 * taken.cold, 3), "warm_ms": round(1000 * taken.warm, 4)}
        return {"targets": list(self.names), "runtime": taken.runtime, **times, "memory_bytes": taken.memory}


def measured_in(
    names: Iterable[str], model: str, rows: int, runs: int, repeat: int, begin: Callable[[str], None] = lambda names: None
) -> list[RuntimeFigures]:
    """Measure a model in each distinct runtime of these targets.

    The first one is measured with all calls; each of the others for a few seconds, so that a slow model does not take minutes.

    :param begin: called with the names of the targets before a runtime is measured.
    :returns: the figures, those of at least one runtime measured.
    :raises ToolkitError: no runtime could be run.
    :raises ModelRefused: the file fails a check.
    :raises Unmeasured: the model contains no sample.
    """
    found: list[RuntimeFigures] = []
    step = "allow more clouds (--cloud) or regions (--residency)"
    for group in alike([targets.find(name) for name in names]):
        if first := next((one.sized.measured for one in found if one.sized), None):
            runs = min(runs, max(1, int(SECONDS / first.cold)))
            repeat = min(repeat, max(2, int(SECONDS / first.warm)))
        begin(", ".join(group))
        try:
            found.append(RuntimeFigures(group, measured(group[0], model, rows, runs, repeat, whole=_limited(group))))
        except (RuntimeFailed, BuildFailed) as error:
            found.append(RuntimeFigures(group, None, str(error).partition("\n")[0], not isinstance(error, BuildFailed)))
            step = error.next_step
    if not any(one.sized for one in found):
        why = "; ".join(one.problem for one in found) or "no target that may be used has both prices and a runtime or a job"
        raise ToolkitError(f"no runtime could be run here: {why}", step)
    return found


def alike(chosen: Sequence[Target]) -> list[tuple[str, ...]]:
    """Group the names of targets whose containers run the same program, of any protocols, or whose jobs do; others are alone."""
    groups: dict[Any, list[str]] = {}
    for target in chosen:
        if not target.has("runtime"):
            groups.setdefault(target.costs.like or target.name, []).append(target.name)
            continue
        image = target.package.image if issubclass(target.runtime, ServedRuntime) else None
        groups.setdefault((target.handler, image.command) if image else target.name, []).append(target.name)
    return [tuple(group) for group in groups.values()]


def by_target(found: Iterable[RuntimeFigures]) -> Mapping[str, Measured]:
    """Return the figures by the names of targets."""
    return {name: one.sized.measured for one in found if one.sized for name in one.names}


def unbuilt(found: Iterable[RuntimeFigures]) -> Mapping[str, str]:
    """Return why the model can't be built, by the names of the targets for which it can't."""
    return {name: one.problem for one in found if not one.built for name in one.names}


def _limited(names: Iterable[str]) -> bool:
    """Tell whether an option of these targets has a limit of the folder's size, so that packages have to be counted."""
    return any(option.most_folder < float("inf") for name in names for option in targets.find(name).costs.options)
