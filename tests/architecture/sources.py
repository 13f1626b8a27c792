"""The sources as the laws read them: each file parsed once, and what it imports."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

PACKAGE = ROOT / "shared" / "flyweight"
HANDLERS = ROOT / "handlers"
SHARED = sorted(path for path in PACKAGE.rglob("*.py") if "data" not in path.parts)
STARTS = PACKAGE / "__main__.py"  # the toolkit's command line, and ships as little as that
TOOLKIT = [path for path in SHARED if path.is_relative_to(PACKAGE / "toolkit") or path == STARTS]
CORE = [path for path in SHARED if path not in TOOLKIT]
HANDLER_FILES = sorted(HANDLERS.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def each(paths: list[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Make one test of a check of a file; it names every file that fails. Thousands of tests would take half a minute longer."""

    def over(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            assert paths
            faults = [fault for path in paths if (fault := _fault(check, path))]
            assert not faults, "\n".join(faults)

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return over


def _fault(check: Callable[[Path], None], path: Path) -> str:
    try:
        check(path)
    except AssertionError as error:
        return f"{named(path)}: {error}"
    return ""


@cache
def text(path: Path) -> str:
    return path.read_text()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree(path)))


def module_name(path: Path) -> str:
    """The dotted name of a file of the package; of a package's `__init__`, the package's."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in SHARED}


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules that a file imports, at once or inside a function, but for what only the type checker sees."""
    return frozenset(imported(tree(path)))


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that the code under a node imports: of `from package import name` the module `package.name`, if it is one."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            for other in child.orelse:
                yield from imported(other)
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                full = f"{child.module}.{alias.name}"
                yield full if full in MODULES else child.module or ""
        else:
            yield from imported(child)


def graph(paths: list[Path]) -> dict[str, set[str]]:
    """Of each module the modules among `paths` that it imports."""
    names = {module_name(path) for path in paths}
    return {module_name(path): {name for name in imports(path) if name in names} - {module_name(path)} for path in paths}
