"""docs/architecture.md: its pictures are drawn from today's imports, and all that it names is there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture import drawing
from tests.architecture.sources import PACKAGE, nodes
from tests.architecture.test_floors import FLOOR_OF
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize(("name", "drawn"), [("floors", drawing.floors_svg), ("request", drawing.journey_svg)])
def test_the_pictures_are_drawn_from_todays_imports(name: str, drawn: object) -> None:
    assert callable(drawn)
    path = ROOT / "docs" / "images" / f"{name}.svg"
    assert path.read_text() == drawn(), "draw them anew: python -m tests.architecture.drawing"
    assert f"images/{name}.svg" in PAGE


@pytest.mark.parametrize(("place", "function"), [stop[2].split(":") for stop in drawing.JOURNEY])
def test_each_stop_of_the_request_is_a_function(place: str, function: str) -> None:
    named = [node.name for node in nodes(ROOT / place) if isinstance(node, ast.FunctionDef)]
    assert function in named


def test_the_page_names_every_room_and_only_files_that_are_there() -> None:
    assert not [room for room in FLOOR_OF if f"`{room}" not in PAGE]
    for name in re.findall(r"`((?:shared|handlers|tests|docs|events|infra|benchmarks)/[\w./-]+)`", PAGE):
        assert "NAME" in name or (ROOT / name).exists(), name
    for name in re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", PAGE):
        assert (PACKAGE / name).exists() or (PACKAGE / "toolkit" / name).exists() or (ROOT / name).exists(), name
