"""Copy the modules of the core that a function can use: all except ops and engines of other models, and other protocols."""

import ast
import re
import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import flyweight

PACKAGE = Path(flyweight.__file__).parent
FAMILIES = ("ops", "engines")  # the folders whose modules are selected by the model
# Omitted from every copy: files that never run in a function, bytecode of any Python that has run here, and the FILE.new that an
# upgrade of a project wrote; and from all but those for batches, the scorer of record batches and the jobs.
LEFT_OUT = ("toolkit", "__main__.py", "__pycache__", "*.pyc", ".*_cache", "*.md", "*.new", "py.typed")
BATCHES = ("arrow", "jobs")
# a string, which stays, or a comment with the spaces before it; an f-string within the quotes of another is not understood
STRING_OR_COMMENT = re.compile(
    r"""(\"{3}(?:[^\\]|\\.)*?\"{3} | '{3}(?:[^\\]|\\.)*?'{3} | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*') | [^\S\n]*\#[^\n]*""",
    re.DOTALL | re.VERBOSE,
)


def copy(
    folder: Path,
    document: dict[str, Any] | None,
    protocols: Sequence[str],
    accelerated: bool = False,
    batches: bool = False,
) -> None:
    """Copy the core to a folder.

    :param document: of the model whose ops and engines are copied; None to copy all of them.
    :param protocols: the protocols to copy, by name.
    :param accelerated: whether to copy what runs batches in array namespaces, for places that may have an accelerator.
    :param batches: whether to copy the scorer of record batches.
    """
    left_out = LEFT_OUT if batches else (*LEFT_OUT, *BATCHES)
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns(*left_out))
    kept = _with_imports([PACKAGE / "protocols" / f"{name}.py" for name in ("__init__", *protocols)])
    left = ("protocols",) if document is None else (*FAMILIES, "protocols")
    kept |= set() if document is None else needed(document, accelerated)
    for path in folder.rglob("*.py"):
        inside = path.relative_to(folder)
        if inside.parts[0] in left and inside not in kept:
            path.unlink()
        else:
            path.write_text(bare(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


@cache
def bare(source: str) -> str:
    """Take docstrings and comments out of a source; each line stays where it is, for tracebacks."""
    lines = STRING_OR_COMMENT.sub(r"\1", source).splitlines()
    tree = ast.parse(source)
    for node in (tree, *_statements(tree.body)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            end = text.end_lineno or text.lineno
            lines[text.lineno - 1 : end] = [" " * text.col_offset + '""'] + [""] * (end - text.lineno)
    return "\n".join(lines) + "\n"


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """List statements and those within them; without expressions, which are most of a source."""
    for statement in body:
        yield statement
        for part in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            for inner in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(part, inner, []))


def needed(document: dict[str, Any], accelerated: bool = False) -> set[Path]:
    """List the files of `ops/` and `engines/` that a model uses, with their imports, as paths in the package."""
    waiting = [path for path in PACKAGE.glob("*.py")] + [PACKAGE / name / "__init__.py" for name in FAMILIES]
    waiting += [PACKAGE / "ops" / f"{family}.py" for family in _families(document)]
    engines = [*document.get("engines", ())]
    engines += ["_arrays"] if accelerated and "numpy" in engines else []
    waiting += [PACKAGE / "engines" / f"{name}.py" for name in engines]
    return _with_imports(waiting)


def _with_imports(waiting: list[Path]) -> set[Path]:
    """List files of the package and all that they import from it, as paths in the package."""
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found and path.is_file():
            found.add(path)
            waiting += [_file(name) for name in _imported(path)]
    return {path.relative_to(PACKAGE) for path in found}


def _families(value: Any) -> Iterator[str]:
    """Collect the families of the ops in a plan, at any depth."""
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
    return [*_imports(ast.parse(path.read_text(encoding="utf-8")))]


def _file(module: str) -> Path:
    path = PACKAGE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _imports(node: ast.AST) -> Iterator[str]:
    """List flyweight's modules that a source imports, except under TYPE_CHECKING."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names if alias.name.startswith("flyweight."))
        elif isinstance(child, ast.ImportFrom) and (child.module or "").partition(".")[0] == "flyweight":
            yield child.module or ""
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield from _imports(child)
