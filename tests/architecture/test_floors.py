"""The floors of the house: a room imports rooms below it only, and there are no circles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import CORE, PACKAGE, SHARED, TOOLKIT, each, graph, imports, module_name, named

# From the ground up. Rooms of one floor do not import each other, but for the ground, whose rooms stand in this order.
FLOORS = (
    ("values", "errors", "settings", "strict_json"),
    ("models", "stores"),
    ("formats", "ops"),
    ("engines",),
    ("predictor",),
    ("protocols", "registry"),
    ("serving",),
    ("records",),
    ("files", "handler", "arrow"),
    ("jobs",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
GROUND = FLOORS[0]
ROOMS_FLAT = 8  # files that may lie flat in the package, and in the toolkit


def room(module: str) -> str:
    """The room of a module, "" for the package itself."""
    return module.split(".")[1] if "." in module else ""


@each(CORE)
def test_a_room_imports_rooms_below_it_only(path: Path) -> None:
    here = room(module_name(path))
    for other in {room(name) for name in imports(path) if name.split(".")[0] == "flyweight"} - {here, ""}:
        assert other != "toolkit", "the core never imports the toolkit"
        if here in GROUND and other in GROUND:
            assert GROUND.index(other) < GROUND.index(here) or here == "strict_json", f"{here} imports {other}"
        else:
            assert FLOOR_OF[other] < FLOOR_OF[here], f"{here}, on floor {FLOOR_OF[here]}, imports {other}, on {FLOOR_OF[other]}"


def test_every_room_has_a_floor() -> None:
    rooms = {room(module_name(path)) for path in CORE} - {""}
    assert rooms == {*FLOOR_OF}


@pytest.mark.parametrize("paths", [CORE, SHARED], ids=["core", "with the toolkit"])
def test_there_are_no_circles(paths: list[Path]) -> None:
    assert [*circles(graph(paths))] == []


@pytest.mark.parametrize("folder", [PACKAGE, PACKAGE / "toolkit"], ids=named)
def test_few_files_lie_flat(folder: Path) -> None:
    assert len([*folder.glob("*.py")]) <= ROOMS_FLAT


@each(TOOLKIT)
def test_the_toolkit_is_under_the_benchmarks_and_the_tests(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & {"benchmarks", "tests"}


def circles(modules: dict[str, set[str]]) -> Iterator[list[str]]:
    """The strongly connected groups of more than one module (Tarjan, SIAM J. Comput. 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []

    def visit(module: str) -> Iterator[list[str]]:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in sorted(modules[module]):
            if other not in number:
                yield from visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                yield sorted(group)

    for module in sorted(modules):
        if module not in number:
            yield from visit(module)
