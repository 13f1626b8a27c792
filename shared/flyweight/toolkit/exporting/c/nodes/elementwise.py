"""C for `ops.elementwise`."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value

FUNCTIONS = {
    "absolute": "fabs(v)",
    "arcsin": "asin(v)",
    "arcsinh": "asinh(v)",
    "ceil": "ceil(v)",
    "cos": "cos(v)",
    "exp": "exp(v)",
    "expit": "1.0 / (1.0 + exp(-v))",
    "expm1": "expm1(v)",
    "floor": "floor(v)",
    "log": "log(v)",
    "log10": "log10(v)",
    "log1p": "log1p(v)",
    "log2": "log2(v)",
    "negative": "-v",
    "reciprocal": "1.0 / v",
    "rint": "rint(v)",
    "sign": "v != v ? v : (double)((v > 0.0) - (v < 0.0))",
    "sin": "sin(v)",
    "sqrt": "sqrt(v)",
    "square": "v * v",
    "tanh": "tanh(v)",
}


def apply(source: Source, step: Step, x: Value) -> str:
    """Apply one function to every column."""
    y = source.numbers(step.width)
    word = step.node.choice("function", tuple(FUNCTIONS))
    source.each(step.width, f"{{ double v = {x.numbers}[i]; {y}[i] = {FUNCTIONS[word]}; }}")
    return accept(source, step, Value(step.op.kinds, y))


def accept(source: Source, step: Step, x: Value) -> str:
    """Refuse what the reader of the numbers does not accept."""
    takes = step.node.choice("takes", ("any", "nan", "finite"))
    if takes != "any":
        test = "isinf" if takes == "nan" else "!isfinite"
        source.each(step.width, f"if ({test}({x.numbers}[i])) return 1;")
    return x.numbers


NODES = {"apply": apply, "accept": accept}
