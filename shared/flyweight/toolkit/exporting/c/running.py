"""Answer rows by a C header: a program around it is compiled, and reads rows and writes answers in bytes."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.exporting.answering import Answer, Refused
from flyweight.toolkit.exporting.c.source import identifier

FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-Wno-unused-const-variable")
PROGRAM = """#include <stdio.h>
#include <stdlib.h>
#include "{header}"

static void *read_or_end(void *to, size_t size) {{
    if (size && fread(to, size, 1, stdin) != 1) exit(0);
    return to;
}}

int main(void) {{
    static double x[{width}];
    static char *s[{width}];
    for (;;) {{
        for (int i = 0; i < {width}; i++) {{
            int32_t length;
            read_or_end(&x[i], sizeof x[i]);
            read_or_end(&length, sizeof length);
            free(s[i]);
            s[i] = NULL;
            if (length >= 0) {{
                s[i] = calloc((size_t)length + 1, 1);
                if (s[i] == NULL) return 2;
                read_or_end(s[i], (size_t)length);
            }}
        }}
        {prefix}_output y;
        memset(&y, 0, sizeof y);
        double status = {prefix}_predict(x, (const char *const *)s, &y);
        fwrite(&status, sizeof status, 1, stdout);
{writes}
    }}
}}
"""


def opened(
    path: str, asked: dict[str, Any], compiler: Sequence[str] = ("cc",), runner: Sequence[str] = ()
) -> tuple[str, list[str], Answer]:
    """Compile a program around the header.

    :param compiler: the compiler, with flags beside `FLAGS`.
    :param runner: what runs the program, as an emulator of another processor does.
    :raises RuntimeFailed: the compiler refuses the header.
    """
    widths: dict[str, int] = asked["widths"]
    folder = tempfile.mkdtemp(dir=Path(path).parent)
    program = Path(folder) / "program"
    fields = [f"y.{name}[{place}]" for name, width in widths.items() for place in range(width)]
    writes = "\n".join(f"        {{ double v = {field}; fwrite(&v, sizeof v, 1, stdout); }}" for field in fields)
    code = PROGRAM.format(header=Path(path).resolve(), width=len(asked["kinds"]), prefix=identifier(asked["name"]), writes=writes)
    program.with_suffix(".c").write_text(code)
    words = [*compiler, *FLAGS, "-o", str(program), f"{program}.c", "-lm"]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeFailed(f"{compiler[0]} refuses the header: {done.stderr.strip()[:400]}", "please report this")

    def answer(rows: list[list[Any]]) -> list[dict[str, list[Any]]]:
        sent = b"".join([_sent(row) for row in rows])
        received = subprocess.run([*runner, str(program)], input=sent, capture_output=True, check=True).stdout
        answers = []
        for status, *values in struct.iter_unpack(f"={1 + len(fields)}d", received):
            if status:
                raise Refused
            own = iter(values)
            answers.append({name: [next(own) for _ in range(width)] for name, width in widths.items()})
        return answers

    version = subprocess.run([*compiler, "--version"], capture_output=True, text=True).stdout.partition("\n")[0]
    return version, [*widths], answer


def _sent(row: list[Any]) -> bytes:
    """Write a row: for each feature a number, and the length of a text, -1 for none, with its bytes."""
    parts = []
    for value in row:
        if isinstance(value, str):
            content = value.encode()
            parts.append(struct.pack("=di", 0.0, len(content)) + content)
        else:
            parts.append(struct.pack("=di", float("nan") if value is None else float(value), -1))
    return b"".join(parts)
