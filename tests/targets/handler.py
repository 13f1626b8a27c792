"""What a template has to agree on with the handlers and with `flyweight build`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from flyweight.toolkit.building import build

ROOT = Path(__file__).resolve().parents[2]
PYTHON: str = inspect.signature(build).parameters["python"].default  # what bytecode is made for unless another is asked for


def defines(provider: str, file: str, name: str) -> bool:
    """Whether a handler's file assigns or defines a name at its top level."""
    text = (ROOT / "handlers" / provider / file).read_text()
    return re.search(rf"^(?:def )?{name}(?: = |\(|: )", text, re.MULTILINE) is not None
