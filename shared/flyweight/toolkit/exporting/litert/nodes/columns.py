"""LiteRT for `ops.columns`."""

from __future__ import annotations

from flyweight.toolkit.exporting.litert.flat import INT, Flat
from flyweight.toolkit.exporting.planned import Step


def take(flat: Flat, step: Step, x: int) -> int:
    """Gather columns."""
    positions = flat.constant(step.node.positions("positions", len(step.node.inputs[0])), INT)
    return flat.add("GATHER", [x, positions], step.width, options="GatherOptions", axis=1)


def join(flat: Flat, step: Step, *inputs: int) -> int:
    """Join columns."""
    return flat.add("CONCATENATION", [*inputs], step.width, options="ConcatenationOptions", axis=1)


NODES = {"take": take, "join": join}
