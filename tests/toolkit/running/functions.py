"""The smallest function of each target, `tests/targets/NAME/empty`, in copies with another body or with lines before it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from flyweight.toolkit import targets
from flyweight.toolkit.events import samples
from tests.conftest import ROOT


def event(provider: str, name: str = "predict") -> Any:
    return samples.read(provider, name)


def function(place: Path, provider: str, body: str = "", before: str = "") -> Path:
    """A folder with the provider's empty function, its last line after `body`, its first after `before`.

    The function of a target that shares another one's events is that one's.
    """
    known = [ROOT / "tests" / "targets" / name / "empty" for name in (provider, targets.find(provider).shares)]
    for source in (path for path in next(folder for folder in known if folder.is_dir()).iterdir() if path.is_file()):
        text = source.read_text()
        if source.suffix == ".py":
            text = before + re.sub(r"^    (return .*  # the body)", rf"    {body}\n    \1", text, flags=re.MULTILINE)
        (place / source.name).write_text(text)
    return place
