"""Write which file imports each module first, a line each, when Python starts with this folder on its path.

It runs in the one process of `flyweight doctor` whose imports are listed, and never in a function that is deployed.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

seen: "set[str]" = set()
lines = open(os.environ["IMPORT_PROBE_FILE"], "a", buffering=1, encoding="utf-8")


def note(event: str, arguments: "tuple[Any, ...]") -> None:
    """Write the importer of a module that is imported for the first time (PEP 578's event `import`)."""
    if event != "import" or arguments[0] in seen:
        return
    seen.add(arguments[0])
    frame = sys._getframe().f_back  # None if the interpreter itself imports
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    if frame is None:
        return
    lines.write(f"{arguments[0]}\t{frame.f_code.co_filename}:{frame.f_lineno}\n")


sys.addaudithook(note)
