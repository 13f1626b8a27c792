"""The smallest function of each target, `tests/targets/NAME/empty`, in copies with another body or with lines before it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from flyweight.toolkit.events import samples
from tests.conftest import ROOT


def event(provider: str, name: str = "predict") -> Any:
    return samples.read(provider, name)


def function(place: Path, provider: str, body: str = "", before: str = "") -> Path:
    """A folder with the provider's empty function, its last line after `body`, its first after `before`."""
    for source in (ROOT / "tests" / "targets" / provider / "empty").glob("*.py"):
        text = re.sub(r"^    (return .*  # the body)", rf"    {body}\n    \1", source.read_text(), flags=re.MULTILINE)
        (place / source.name).write_text(before + text)
    return place
