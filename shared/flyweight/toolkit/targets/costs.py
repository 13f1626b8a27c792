"""The interface of the facet `costs`, which defines a `COSTS` for each target.

Next to it are optional JSON tables: `prices.json` (see `costs/prices.py` for the fields), `limits.json` (`costs/limits.py`) and
`residency.json` (`costs/residency.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flyweight.toolkit.costs.options import Option
from flyweight.toolkit.costs.prices import Line
from flyweight.toolkit.costs.workload import Workload

Settings = Mapping[str, str]  # the parameters of a template or script, by name


@dataclass(frozen=True)
class Made:
    """The resources around the function that are priced.

    `kinds`: the kind of each resource; `settings`: the deployment's parameters; `logs`: GB of logs a month; `model`: GB of
    the model file.
    """

    work: Workload
    kinds: Sequence[str]
    settings: Settings
    logs: float
    model: float

    def has(self, name: str) -> bool:
        """Tell whether a parameter is set."""
        return self.settings.get(name, "").lower() not in ("", "false", "0")

    @property
    def messages(self) -> float:
        """The number of requests that arrive as messages: all of them, if the function has no HTTP endpoint."""
        return self.work.requests if self.work.front == "none" else 0.0


def as_it_is(work: Workload, settings: Settings) -> Workload:
    """Return the workload unchanged, for a target whose parameters do not change it."""
    return work


def nothing_around(made: Made) -> tuple[list[Line], list[str]]:
    """Return no lines and no notes, for a target that creates no resources around the function."""
    return [], []


@dataclass(frozen=True)
class Costs:
    """The costs of a model at a target.

    `options`: the ways to deploy there, each with the platform and the parameters that choose it; others are the first; `shape`:
    adapts a workload to the deployment's parameters; `resources`: returns the lines of a bill for the resources around the
    function, and notes on what is free or not counted; `like`: another target whose job scores rows in the same way, and is
    measured in place of this one's, which needs an engine that is seldom on a machine.
    """

    options: tuple[Option, ...]
    shape: Callable[[Workload, Settings], Workload] = as_it_is
    resources: Callable[[Made], tuple[list[Line], list[str]]] = nothing_around
    like: str = ""

    def chosen(self, platform: str, settings: Settings) -> Option:
        """Return the option that a deployment with these parameters is, on this platform or on the usual one."""
        there = [option for option in self.options if platform in ("", option.platform)]
        told = [one for one in there if one.settings and next(iter(one.settings.items())) in settings.items()]
        live = [option for option in told if option.live]
        plain = [option for option in there if option.live and not option.settings]
        return (*live, *plain, *told, *there, *self.options)[0]


def kept_ready(work: Workload, settings: Settings, name: str) -> int:
    """Return the number of instances kept warm: the workload's, or the value of the parameter `name` if that is larger."""
    value = settings.get(name, "")
    return max(work.warm_instances, int(value) if value.isdigit() else 0)
