"""What each target's costs give: the facet `costs`, with a `COSTS` each.

Beside it lie tables as JSON, each of which a target may lack: `prices.json` (see `costs/prices.py` for the fields), `limits.json`
(`costs/limits.py`) and `residency.json` (`costs/residency.py`).
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
    """What a deployment makes around the function, to be priced.

    `kinds`: of the resources, one for each; `settings`: the deployment's parameters; `logs`: GB of logs a month; `model`: GB of
    the model file.
    """

    work: Workload
    kinds: Sequence[str]
    settings: Settings
    logs: float
    model: float

    def has(self, name: str) -> bool:
        """Whether a parameter asks for something."""
        return self.settings.get(name, "").lower() not in ("", "false", "0")

    @property
    def messages(self) -> float:
        """Requests that come as messages: all of them, where nothing answers over HTTP."""
        return self.work.requests if self.work.front == "none" else 0.0


def as_it_is(work: Workload, settings: Settings) -> Workload:
    """Return the workload unchanged, for a target whose parameters do not change it."""
    return work


def nothing_around(made: Made) -> tuple[list[Line], list[str]]:
    """Return no lines and no notes, for a target that makes nothing around the function."""
    return [], []


@dataclass(frozen=True)
class Costs:
    """What it costs to run a model at a target.

    `option`: the target itself, as `flyweight advise` lists it; `others`: further ways to deploy in the same cloud, of which no
    target knows more than the price; `shape`: a workload as parameters serve it; `resources`: the lines of a bill for what
    parameters make around the function, and notes on what is free or not counted.
    """

    option: Option
    others: tuple[Option, ...] = ()
    shape: Callable[[Workload, Settings], Workload] = as_it_is
    resources: Callable[[Made], tuple[list[Line], list[str]]] = nothing_around

    @property
    def options(self) -> tuple[Option, ...]:
        """All of them."""
        return (self.option, *self.others)


def kept_ready(work: Workload, settings: Settings, name: str) -> int:
    """The instances that are kept ready: those of the workload, or those that the parameter `name` asks for, if they are more."""
    value = settings.get(name, "")
    return max(work.warm_instances, int(value) if value.isdigit() else 0)
