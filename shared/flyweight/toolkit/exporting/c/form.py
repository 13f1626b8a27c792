"""Write a plan as one C99 header: constants, and a function from a row to the model's outputs.

It needs a `double` of 64 bits and `math.h`; it allocates nothing and writes to nothing but its output and its stack.
"""

from __future__ import annotations

import textwrap
from typing import Any

from flyweight import __version__
from flyweight.toolkit.exporting.c.nodes import value_of
from flyweight.toolkit.exporting.c.source import Source, identifier, text
from flyweight.toolkit.exporting.planned import NotExported, Planned, Value

HEADER = """/* {about}

   Compile with -ffp-contract=off, and never with -ffast-math: both change answers. */
#ifndef {guard}
#define {guard}

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if DBL_MANT_DIG != 53
#error "this model needs a double of 64 bits"
#endif

{names}
/* The answers to one row. */
typedef struct {{
{fields}
}} {prefix}_output;

{constants}

{functions}/* Answer one row.

   x: one number a feature, NaN where it is missing; s: one text a feature of texts, in UTF-8, NULL where it is missing, at the
   feature's own place, or NULL if no feature is a text.
   Returns 0, or 1 for a row that the model refuses. */
static inline int {prefix}_predict(const double *x, const char *const *s, {prefix}_output *out) {{
    {unused}
    {body}
    return 0;
}}

#endif
"""


class C:
    """The form of C headers."""

    title = "C"
    suffix = ".h"
    needs = ("cc",)
    install = "install a C compiler as cc: the package gcc or clang of your system"
    precise = True

    def write(self, planned: Planned) -> dict[str, bytes]:
        """Make the header.

        :raises NotExported: an op has no form in C.
        """
        source = Source(identifier(planned.name))
        values = {0: _first(source, planned)}
        for step in planned.steps:
            values[step.slot] = value_of(source, step, [values[slot] for slot in step.reads])
        fields = []
        for name, slot in planned.outputs.items():
            if "s" in values[slot].kinds:
                raise NotExported(f"the output {name} has texts", "export to ONNX, or deploy the model file itself")
            width = len(values[slot].kinds)
            fields.append(f"    {'int32_t' if name == 'index' else 'double'} {name}[{width}];")
            cast = "(int32_t)" if name == "index" else ""
            source.each(width, f"out->{name}[i] = {cast}{values[slot].numbers}[i];")
        content = HEADER.format(
            about=f"{planned.name}, exported by flyweight {__version__}",
            guard=f"{source.prefix.upper()}_H",
            prefix=source.prefix,
            names=_names(source, planned),
            fields="\n".join(fields),
            constants="\n".join(source.constants),
            functions=source.functions(),
            unused="(void)x; (void)s;",
            body="\n    ".join(source.body),
        )
        return {self.suffix: content.encode()}

    def annotate(self, files: dict[str, bytes], about: dict[str, str]) -> dict[str, bytes]:
        """Add the texts to the comment at the top."""
        lines = [f"   {key}: {value}".replace("*/", "* /").replace("??", "? ?") for key, value in about.items()]
        first, _, rest = files[self.suffix].decode().partition("\n")
        return {self.suffix: "\n".join([first, "", *lines, rest]).encode()}


def _first(source: Source, planned: Planned) -> Value:
    """Return the row as the plan's first value: the caller's arrays, or copies of the columns of each kind."""
    kinds = planned.kinds[0]
    if "s" not in kinds:
        return Value(kinds, "x")
    made = []
    for kind, caller in (("n", "x"), ("s", "s")):
        columns = [place for place, own in enumerate(kinds) if own == kind]
        name = source.strings(len(columns)) if kind == "s" else source.numbers(len(columns))
        for place, column in enumerate(columns):
            source.line(f"{name}[{place}] = {caller}[{column}];")
        made.append(name if columns else "")
    return Value(kinds, *made)


def _names(source: Source, planned: Planned) -> str:
    """Declare the number of features, and the labels of classes where they are texts or whole numbers."""
    features = [feature.name for feature in planned.signature.features]
    lines = textwrap.wrap(", ".join(features), 110)
    listed = "\n     ".join(line.replace("*/", "* /").replace("??", "? ?") for line in lines)
    made = [f"/* The features, in their order:\n     {listed} */\nenum {{ {source.prefix}_features = {len(features)} }};\n"]
    for output, labels in enumerate(planned.signature.classes or []):
        name = f"{source.prefix}_labels" + (f"_{output}" if len(planned.signature.classes or []) > 1 else "")
        made += _labels(name, labels)
    return "\n".join(made)


def _labels(name: str, labels: list[Any]) -> list[str]:
    about = "/* The labels of the classes, by index. */\n"
    if all(isinstance(label, str) for label in labels):
        return [f"{about}static const char *const {name}[{len(labels)}] = {{{', '.join(map(text, labels))}}};\n"]
    if all(type(label) is int and abs(label) < 2**31 for label in labels):
        return [f"{about}static const int32_t {name}[{len(labels)}] = {{{', '.join(map(str, labels))}}};\n"]
    return []


FORM = C()
