"""C for the ops of a plan: one module a family, named as the family, found by name.

Each has a table `NODES` from an op's name to a function. It takes the source, the step of the plan, and the op's inputs as
`Value`, writes lines into the body, and returns the op's value: a `Value`, or the name of an array of numbers. A row that the
model refuses makes the body return 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.families import function_of
from flyweight.toolkit.exporting.planned import Step, Value


def value_of(source: Source, step: Step, inputs: list[Value]) -> Value:
    """Write the lines of one step and return its value.

    :raises NotExported: the op has no form in C.
    """
    make: Callable[..., Any] = function_of(__name__, "NODES", step, "C")
    made = make(source, step, *inputs)
    return made if isinstance(made, Value) else Value(step.op.kinds, made)
