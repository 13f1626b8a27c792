"""Price the resources around a function, from the deployment's parameters and traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flyweight.toolkit.costs.limits import memory_mb, platform_logs
from flyweight.toolkit.costs.prices import Line
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets import Target
from flyweight.toolkit.targets.costs import Made


@dataclass(frozen=True)
class ResourceCosts:
    """Return the lines of a bill for these resources, and notes on what is free or not counted."""

    lines: Sequence[Line]
    notes: Sequence[str]


def shaped(target: Target, work: Workload, settings: Mapping[str, str]) -> Workload:
    """Adapt the workload to these parameters: memory, CPUs, architecture, HTTP front end, instances kept warm."""
    work = replace(work, memory_mb=memory_mb(target.name, settings) or work.memory_mb)
    return target.costs.shape(work, settings)


def around(target: Target, work: Workload, settings: Mapping[str, str], kinds: Sequence[str], model: int) -> ResourceCosts:
    """Price the resources besides the function.

    :param kinds: the kind of each resource.
    :param model: bytes of the model file.
    """
    logs, what = platform_logs(target.name)
    made = Made(work, kinds, settings, work.requests * (work.measured.logged + logs) / 1e9, model / 1e9)
    lines, notes = target.costs.resources(made)
    counted = f"a request logs {work.measured.logged} bytes of its own" + (f" and {logs} of {what}" if logs else f"; {what}")
    return ResourceCosts(lines, [counted, *notes])
