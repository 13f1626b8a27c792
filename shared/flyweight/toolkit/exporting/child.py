"""Answer rows by an exported file: `python -m flyweight.toolkit.exporting.child FORM FILE`, with the rows as JSON on stdin.

A form's module `running` has a function `opened(path, asked)`, which returns the runtime's name and version, the outputs, and a
function from rows to one dict of outputs a row. That function raises `Refused` for a call with a row that the export refuses.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

from flyweight.toolkit.exporting.answering import CHUNK, answered


def main(form: str, path: str) -> None:
    """Print the answers to the rows on stdin, as one line of JSON."""
    asked = json.load(sys.stdin)
    running = import_module(f"flyweight.toolkit.exporting.{form}.running")
    runtime, outputs, answer = running.opened(path, asked)
    rows = asked["rows"]
    answers = [own for start in range(0, len(rows), CHUNK) for own in answered(answer, rows[start : start + CHUNK])]
    print(json.dumps({"runtime": runtime, "outputs": outputs, "answers": answers}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
