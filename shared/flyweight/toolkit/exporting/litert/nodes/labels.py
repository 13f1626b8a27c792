"""LiteRT for `ops.labels`: nothing, since the caller takes the place of the largest probability."""

from __future__ import annotations

from flyweight.toolkit.exporting.litert.flat import Flat
from flyweight.toolkit.exporting.planned import Step


def left_to_the_caller(flat: Flat, step: Step, x: int) -> int:
    """Return the scores as they are."""
    if step.width > 1:
        raise step.refuse("a classifier of several outputs is not exported")
    return x


NODES = {"argmax": left_to_the_caller, "above": left_to_the_caller}
