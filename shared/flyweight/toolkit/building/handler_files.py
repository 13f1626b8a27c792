"""Copy a handler's files, and the modules of other folders of `handlers/` that they use."""

import ast
import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from flyweight.toolkit.building import runtime_files


def copy(handler: Path, beside: Sequence[Path], goal: Path, *, own: bool) -> None:
    """Copy a handler to a folder that exists.

    Of the folders beside it, those modules are copied that a copied file imports, or names in a text, as `bind` takes names; a
    file of the handler's own stands for a module of the same name.

    :param beside: folders of flyweight's other handlers, the first of which counts if two have a module of one name.
    :param own: whether the handler is flyweight's own; docstrings and comments of a user's files are kept.
    """
    shutil.copytree(handler, goal, ignore=shutil.ignore_patterns(*runtime_files.LEFT_OUT), dirs_exist_ok=True)
    waiting = sorted(goal.glob("*.py"))
    if own:
        for path in waiting:
            _write_bare(path, path)
    there = {path.stem: path for folder in reversed(beside) for path in folder.glob("*.py")}
    while waiting:
        for name in _named_in(waiting.pop().read_text(encoding="utf-8")):
            place = goal / f"{name}.py"
            if name in there and not place.exists():
                _write_bare(there[name], place)
                waiting.append(place)


def _write_bare(source: Path, goal: Path) -> None:
    """Write a source without its docstrings and comments."""
    goal.write_text(runtime_files.bare(source.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


@cache
def _named_in(source: str) -> list[str]:
    return [*_named(ast.parse(source))]


def _named(node: ast.AST) -> Iterator[str]:
    """List the modules that a source imports, and its texts; what stands under TYPE_CHECKING does not count."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.module or ""
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        else:
            yield from _named(child)
