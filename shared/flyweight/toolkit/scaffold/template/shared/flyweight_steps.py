"""Steps of your own that a model file names, the same in every function: instance's values in, values out.

A step is a function of the standard library alone that takes one instance's values as a list and gives a list; the letters say
what it gives, `n` a number, `s` a string. Training uses a function of the same name, in a `FunctionTransformer`, and
`flyweight --steps shared/flyweight_steps.py pack` proves that both give the same. For example:

    def polar(row):
        x, y = row
        return [math.hypot(x, y), x + y]

    STEPS = {"polar": (polar, "nn")}
"""

from __future__ import annotations

from typing import Any

STEPS: dict[str, Any] = {}
