"""Operators of LiteRT for the ops of a plan: one module a family, named as the family, found by name.

Each has a table `NODES` from an op's name to a function. It takes the model that is being built, the step of the plan, and the
tensors of the op's inputs, adds operators, and returns the tensor of the op's value, of float32 and shape (rows, columns).
"""

from __future__ import annotations

from collections.abc import Callable

from flyweight.toolkit.exporting.families import function_of
from flyweight.toolkit.exporting.litert.flat import Flat
from flyweight.toolkit.exporting.planned import Step


def value_of(flat: Flat, step: Step, inputs: list[int]) -> int:
    """Add the operators of one step and return its tensor.

    :raises NotExported: the op has no form in LiteRT.
    """
    make: Callable[..., int] = function_of(__name__, "NODES", step, "LiteRT")
    if flat.leaves in inputs and not step.name.startswith("labels."):
        raise step.refuse("it reads what trees add up, and in LiteRT that is left to the caller")
    return make(flat, step, *inputs)
