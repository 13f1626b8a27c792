"""Export a model's plan to a file for another runtime, with the proof that it answers as the model does.

A form is a package here with a value `FORM`; it is found by listing this folder. What it makes of each op stands in its package
`nodes`, one module a family of ops. An export is run in its runtime, in a process of its own, and compared with the model before
it is written: `proof.py`.
"""

from __future__ import annotations

from functools import cache
from pkgutil import iter_modules


@cache
def forms() -> tuple[str, ...]:
    """List the names of the forms."""
    return tuple(sorted(module.name for module in iter_modules(__path__) if module.ispkg))
