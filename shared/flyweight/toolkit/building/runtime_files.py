"""A model's document to the modules of the core that its function can use: all but other models' ops and engines."""

import ast
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import flyweight

PACKAGE = Path(flyweight.__file__).parent
FAMILIES = ("ops", "engines")  # the folders of which a model names what it needs
# Left out of every copy: what never runs in a function, bytecode of any Python that has run here, what an
# upgrade of a project wrote beside a changed file.
LEFT_OUT = shutil.ignore_patterns("toolkit", "__pycache__", "*.pyc", ".*_cache", "*.md", "*.new")


def copy(folder: Path, document: dict[str, Any] | None) -> None:
    """Copy the core to `folder`, with the ops and engines that this model needs; with all of them if `document` is None."""
    shutil.copytree(PACKAGE, folder, ignore=LEFT_OUT)
    if document is None:
        return
    kept = needed(document)
    for path in [path for name in FAMILIES for path in (folder / name).glob("*.py")]:
        if path.relative_to(folder) not in kept:
            path.unlink()


def needed(document: dict[str, Any]) -> set[Path]:
    """The files of `ops/` and `engines/` that answer for a model, as paths in the package: those named, and their imports."""
    waiting = [path for path in PACKAGE.glob("*.py")] + [PACKAGE / name / "__init__.py" for name in FAMILIES]
    waiting += [PACKAGE / "ops" / f"{family}.py" for family in _families(document)]
    waiting += [PACKAGE / "engines" / f"{name}.py" for name in document.get("engines", ())]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found and path.is_file():
            found.add(path)
            waiting += [_file(name) for name in _imported(path)]
    return {path.relative_to(PACKAGE) for path in found}


def _families(value: Any) -> Iterator[str]:
    """The families of the ops that a plan names, wherever in it they stand."""
    if isinstance(value, dict):
        if isinstance(value.get("op"), str):
            yield value["op"].partition(".")[0]
        for item in value.values():
            yield from _families(item)
    elif isinstance(value, list):
        for item in value:
            yield from _families(item)


@cache
def _imported(path: Path) -> list[str]:
    return [*_imports(ast.parse(path.read_text()))]


def _file(module: str) -> Path:
    path = PACKAGE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _imports(node: ast.AST) -> Iterator[str]:
    """The modules of ours that are imported here, but for the type checker's eyes only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names if alias.name.startswith("flyweight."))
        elif isinstance(child, ast.ImportFrom) and (child.module or "").partition(".")[0] == "flyweight":
            yield child.module or ""
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from _imports(child)
