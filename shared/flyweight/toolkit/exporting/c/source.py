"""Write C99: constant arrays with hexadecimal floats, and the lines of a function's body."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

INTEGERS = (("int16_t", -(1 << 15), 1 << 15), ("int32_t", -(1 << 31), 1 << 31))


def identifier(name: str) -> str:
    """Return a model's name as C has it."""
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    return word if not word[:1].isdigit() else f"m_{word}"


def number(v: float, is_single: bool = False) -> str:
    """Write a float exactly."""
    if math.isnan(v):
        return "NAN"
    if math.isinf(v):
        return "INFINITY" if v > 0 else "-INFINITY"
    return f"{float(v).hex()}{'f' if is_single else ''}"


def text(value: str) -> str:
    """Write a string as UTF-8, with escapes of three octal digits, which no digit after them can prolong."""
    return '"' + "".join([chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in value.encode()]) + '"'


class Source:
    """The constants and the body of one function; `prefix` begins every name outside of it."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.constants: list[str] = []
        self.body: list[str] = []
        self._uses: dict[str, None] = {}
        self._values = 0

    def array(self, values: Sequence[Any], ctype: str = "double") -> str:
        """Add a constant array and return its name.

        :param ctype: double, float, text, or whole for the smallest integer type that holds all of them.
        """
        name = f"{self.prefix}_c{len(self.constants)}"
        if ctype == "whole":
            low, high = min(values, default=0), max(values, default=0)
            ctype = next(kind for kind, least, beyond in INTEGERS if least <= low and high < beyond)
            shown = [str(int(v)) for v in values]
        elif ctype == "text":
            ctype, shown = "char *const", [text(v) for v in values]
        else:
            shown = [str(int(v)) if ctype.startswith("u") else number(v, ctype == "float") for v in values]
        lines, line = [], ""
        for item in shown or ['""' if "char" in ctype else "0"]:
            if len(line) + len(item) > 110:
                lines.append(line)
                line = ""
            line += item + ", "
        content = "\n    ".join([*lines, line]).rstrip().rstrip(",")
        self.constants.append(f"static const {ctype} {name}[{max(1, len(shown))}] = {{\n    {content}}};")
        return name

    def numbers(self, width: int) -> str:
        """Declare an array of numbers in the body and return its name."""
        self._values += 1
        self.line(f"double v{self._values}[{max(1, width)}];")
        return f"v{self._values}"

    def strings(self, width: int) -> str:
        """Declare an array of strings in the body and return its name; NULL is a missing one."""
        self._values += 1
        self.line(f"const char *v{self._values}[{max(1, width)}];")
        return f"v{self._values}"

    def line(self, line: str) -> None:
        """Add a line to the body."""
        self.body.append(line)

    def each(self, width: int, statement: str) -> None:
        """Add a loop of `i` below `width`."""
        if width:
            self.line(f"for (int i = 0; i < {width}; i++) {statement}")

    def use(self, function: str) -> str:
        """Return the name of a function of `functions.c`, which the header then has."""
        self._uses[function] = None
        return f"{self.prefix}_{function}"

    def functions(self) -> str:
        """Return the functions in use, with those that they call, in the order of their file."""
        parts = re.split(r"^(?=/\* )", files(__package__).joinpath("functions.c").read_text(), flags=re.MULTILINE)
        named = {found.group(1): part for part in parts if (found := re.search(r"FW_(\w+)\(", part))}
        needed, waiting = set[str](), [*self._uses]
        while waiting:
            word = waiting.pop()
            if word not in needed:
                needed.add(word)
                waiting += [other for other in named if f"FW_{other}(" in named[word]]
        return "".join([part for word, part in named.items() if word in needed]).replace("FW_", f"{self.prefix}_")
