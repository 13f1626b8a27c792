"""The program of each engine's page runs and counts every bird."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import flyweight
from tests import fitted
from tests.batch.conftest import environment
from tests.conftest import ROOT

PAGES = sorted((ROOT / "docs" / "batch").glob("*.md"))


def python_of(engine: str) -> Path:
    """The Python of an engine's environment; for what the tests themselves have, theirs."""
    return Path(sys.executable) if importlib.util.find_spec(engine) else environment(engine)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_program_counts_every_bird(page: Path, page_program: Callable[[Path, str], str], penguins: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    printed = page_program(python_of(page.stem), program)
    counts = {name: int(count) for name, count in re.findall(r"(Adelie|Chinstrap|Gentoo)\D+(\d+)", printed)}
    assert counts == Counter(flyweight.load(str(penguins)).predict(fitted.penguins()[1]).predictions), printed
