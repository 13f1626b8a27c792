"""C for `ops.trees`: the arrays of the plan as they are, and a walk over them."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def sum_(source: Source, step: Step, x: Value) -> str:
    """Add one leaf of each tree to `base`, in the order of the trees."""
    numbers = x.numbers
    if step.node.choice("single", (True, False)):
        numbers = source.numbers(len(x.kinds))
        source.each(
            len(x.kinds), f"{{ {numbers}[i] = {source.use('single')}({x.numbers}[i]); if (isinf({numbers}[i])) return 1; }}"
        )
    y = added(source, step, numbers, "double")
    if step.node.choice("mean", (True, False)):
        source.each(step.width, f"{y}[i] = {y}[i] / {step.node.whole('divide', 1, 1_000_000)}.0;")
    return y


def added(source: Source, step: Step, x: str, ctype: str) -> str:
    """Write the walk of all trees, and return the array of their sums; each sum is rounded to `ctype`."""
    node = step.node
    feature = node.array("feature", "I16 I32", (None,))
    arrays = {"feature": source.array(feature.values.tolist(), "whole")}
    threshold = node.array("threshold", "F32 F64", feature.shape)
    arrays["threshold"] = source.array(threshold.values.tolist(), "float" if threshold.dtype == "F32" else "double")
    over = node.array("over", "U16 U32", feature.shape)
    arrays["over"] = source.array(over.values.tolist(), "uint16_t" if over.dtype == "U16" else "uint32_t")
    roots = node.indices("roots", len(feature.values), None)
    leaves = node.array("leaves", "F64", (None, None))
    values = np.asarray(leaves.values)
    table = source.array((values.astype(np.float32) if ctype == "float" else values).tolist(), ctype)
    base = source.array(node.floats("base", None), "double")
    y, width = source.numbers(step.width), leaves.shape[1]
    kept = source.use("single") if ctype == "float" else ""
    source.each(step.width, f"{y}[i] = {kept}({base}[i]);")
    source.line(f"for (int t = 0; t < {len(roots)}; t++) {{")
    source.line(f"    uint32_t i = {source.array(roots, 'uint32_t')}[t];")
    source.line(f"    while ({arrays['feature']}[i] >= 0) {{")
    source.line(f"        double v = {x}[{arrays['feature']}[i]];")
    source.line(f"        i += 1u + ({_goes_left(source, step, arrays)} ? 0u : {arrays['over']}[i]);")
    source.line("    }")
    if width == 1:
        targets = node.has("targets") and step.width > 1
        to = f"{source.array(node.indices('targets', step.width, len(roots)), 'whole')}[t]" if targets else "0"
        source.line(f"    {y}[{to}] = {kept}({y}[{to}] + {table}[~{arrays['feature']}[i]]);")
    else:
        own = f"{table}[~{arrays['feature']}[i] * {width} + o]"
        source.line(f"    for (int o = 0; o < {width}; o++) {y}[o] = {kept}({y}[o] + {own});")
    source.line("}")
    return y


def _goes_left(source: Source, step: Step, arrays: dict[str, str]) -> str:
    """Return the condition under which the value `v` goes left at the node `i`."""
    node = step.node
    missing = (
        f"{source.array(node.array('missing', 'U8', (None,)).values.tolist(), 'uint8_t')}[i]" if node.has("missing") else "0"
    )
    below = f"v <= {arrays['threshold']}[i]"
    if missing != "0":
        below = f"({below} || (v != v && {missing}))"
    if not node.has("split"):
        return below
    flags = node.array("goes_left", "U8", (None, None))
    table, count = source.array(flags.values.tolist(), "uint8_t"), flags.shape[1]
    split = f"{source.array(node.array('split', 'I16 I32', (None,)).values.tolist(), 'whole')}[i]"
    known = f"v >= 0.0 && v < {count}.0"
    return f"({split} < 0 ? {below} : {known} ? {table}[{split} * {count} + (int)v] : {missing})"


NODES = {"sum": sum_}
