"""Your own steps, which a model file can name and every function can run.

A step is a function that uses only the standard library. It takes the values of one instance as a list and returns a list; one
letter per returned value gives its type, `n` for a number, `s` for a string. In training, use a function of the same name in a
`FunctionTransformer`; `flyweight pack --steps shared/flyweight_steps.py` verifies that both return the same. For example:

    def polar(row):
        x, y = row
        return [math.hypot(x, y), x + y]

    STEPS = {"polar": (polar, "nn")}
"""

from __future__ import annotations

from typing import Any

STEPS: dict[str, Any] = {}
