"""Compile the steps of a plan to one function, for a model that answers one request after the other.

The code consists of numbered names, of numbers as `repr` writes them, and of arithmetic. The numbers are floats that an op has
read from its arrays and that were found to be finite. No text of a model file becomes code (docs/decisions/0032).
"""

from math import isfinite

import flyweight

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.ops import Op

    Function = Callable[[list[Any]], list[list[Any]]]

MOST_STEPS = 50
MOST_COLUMNS = 100  # of an op that becomes an expression: 1 ms to compile them on Python 3.13


def function(steps: "list[tuple[Op, tuple[int, ...]]]", places: "list[int]") -> "Function | None":
    """Make the function that runs the steps for one row and returns the outputs; None for a long plan.

    :param steps: the ops in order, each with the slots that it reads.
    :param places: the slot of each output.
    """
    if len(steps) > MOST_STEPS:
        return None
    code, scope = source(steps, places)
    exec(flyweight.compiled("<plan>", code), scope)
    run: Function = scope["run"]
    return run


def source(steps: "list[tuple[Op, tuple[int, ...]]]", places: "list[int]") -> "tuple[str, dict[str, Any]]":
    """Write the function as code, and list what it calls by name; the parameters are those of `function`."""
    scope: dict[str, Any] = {}
    lines = ["def run(x0):"]
    for slot, (op, reads) in enumerate(steps, 1):
        expression = _expression(op, f"x{reads[0]}")
        if not expression:
            scope[f"op{slot}"] = op.row
            expression = f"op{slot}({', '.join([f'x{read}' for read in reads])})"
        lines.append(f"    x{slot} = {expression}")
    lines.append(f"    return [{', '.join([f'x{place}' for place in places])}]")
    return "\n".join(lines), scope


def _expression(op: "Op", x: str) -> str:
    """Return an op as one expression of a row by the name `x`; "" for an op that is called.

    An op that can be one has `quotients()`: for each column the floats (s, d) of `(v - s) / d`.
    """
    quotients = op.quotients() if hasattr(op, "quotients") and len(op.kinds) <= MOST_COLUMNS else []
    numbers = [number for pair in quotients for number in pair]
    if not numbers or not all([type(number) is float and isfinite(number) for number in numbers]):
        return ""
    return f"[{', '.join([f'({x}[{column}] - {s!r}) / {d!r}' for column, (s, d) in enumerate(quotients)])}]"
