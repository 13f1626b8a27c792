"""Plain words: every public thing has a docstring, errors are documented where they are raised, house words are gone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.architecture.sources import CORE, HANDLER_FILES, SHARED, each, nodes, text, tree
from tests.conftest import ROOT

SOURCES = [*SHARED, *HANDLER_FILES]
DOCUMENTED = 0.9  # of the functions that raise on purpose
MEDIAN_MODULE = 150  # lines of the core's
# Words that a stranger reads twice, or that only this house used.
HOUSE_WORDS = re.compile(
    r"\b([Ww]hoever|(?<!there )(is|are) none|(is|are) told(?! apart)|[Ss]o many|[Pp]assed over|[Pp]roves? itself|[Mm]eant by"
    r"|[Tt]hree rings|spoken here|stands? twice)\b"
)
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / "handlers").glob("*.md")]),
]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def public(path: Path) -> Iterator[ast.ClassDef | Function]:
    """The public classes and functions of a module, and the public methods of public classes."""
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, (ast.If, ast.Try)):
                waiting.append(node)
            elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
                yield node
                if isinstance(node, ast.ClassDef):
                    waiting.append(node)


@each(SOURCES)
def test_every_public_thing_has_a_docstring_that_opens_with_a_sentence(path: Path) -> None:
    for node in public(path):
        if any("overload" in ast.unparse(d) or ".setter" in ast.unparse(d) for d in node.decorator_list):
            continue
        said = (ast.get_docstring(node) or "").strip()
        assert said, f"{node.name}, line {node.lineno}, has none"
        if not said.startswith(":raises"):
            assert said[0].isupper() or said[0] in "`\"'{/" or not said[0].isalpha(), f"{node.name}: {said[:40]!r}"


def raising(path: Path) -> Iterator[tuple[Function, bool]]:
    """The functions with a `raise` of their own that names an error, and whether their docstring, or their class's, says so."""
    for owner in nodes(path):
        if not isinstance(owner, (ast.Module, ast.ClassDef)):
            continue
        class_says = isinstance(owner, ast.ClassDef) and ":raises" in (ast.get_docstring(owner) or "")
        for function in owner.body:
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(map(_on_purpose, _own(function))):
                yield function, ":raises" in (ast.get_docstring(function) or "") or (class_says and function.name == "__init__")


def _own(function: Function) -> Iterator[ast.Raise]:
    """The raises of a function, but for those in functions inside it and in blocks that handle them there."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, ast.Raise):
            yield node
        waiting.extend(ast.iter_child_nodes(node))


def _on_purpose(node: ast.Raise) -> bool:
    return node.exc is not None and not re.match(
        r"(AttributeError|NotImplementedError|SystemExit|TypeError)\b", ast.unparse(node.exc)
    )


def test_functions_that_raise_on_purpose_say_so() -> None:
    found = [(path, *one) for path in SOURCES for one in raising(path)]
    silent = [f"{path.relative_to(ROOT)}:{function.lineno} {function.name}" for path, function, says in found if not says]
    assert len(silent) <= (1 - DOCUMENTED) * len(found), "\n".join([f"{len(silent)} of {len(found)} do not:", *silent])


@each([*SOURCES, *PAGES])
def test_house_words_are_gone(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if HOUSE_WORDS.search(line)]
    assert not lines


def test_modules_of_the_core_are_short() -> None:
    assert median([len(text(path).splitlines()) for path in CORE]) < MEDIAN_MODULE
