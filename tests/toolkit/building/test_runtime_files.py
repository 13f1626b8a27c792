"""The sources in a built folder: without docstrings and comments, and otherwise the core's own, line by line."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.building.runtime_files import PACKAGE, bare, copy

ROOT = PACKAGE.parents[1]
CORE = [path for path in PACKAGE.rglob("*.py") if "toolkit" not in path.parts]
SOURCES = sorted([*CORE, *(ROOT / "handlers").rglob("*.py")])


def without_docstrings(source: str) -> list[tuple[int, str]]:
    """The statements of a source but for docstrings, each with its line."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        elif isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and _is_empty_text(node.body[:1]):
            node.body = node.body[1:]
    return [(node.lineno, ast.dump(node)) for node in ast.walk(tree) if isinstance(node, ast.stmt)]


def _is_empty_text(body: list[ast.stmt]) -> bool:
    return [ast.unparse(part) for part in body] == ["''"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_bare_source_has_the_same_statements_on_the_same_lines_and_no_comment(path: Path) -> None:
    source = path.read_text()
    stripped = bare(source)
    assert without_docstrings(stripped) == without_docstrings(source)
    assert stripped.count("\n") == source.count("\n") and len(stripped) < len(source)
    assert not [token for token in tokenize.generate_tokens(io.StringIO(stripped).readline) if token.type == tokenize.COMMENT]


@pytest.mark.parametrize("document", [None, {}], ids=["every op", "one model"])
def test_a_folder_has_no_command_line(document: dict[str, Any] | None, tmp_path: Path) -> None:
    copy(tmp_path / "flyweight", document, ("native",))
    assert not [name for name in ("__main__.py", "toolkit") if (tmp_path / "flyweight" / name).exists()]


def test_text_that_looks_like_a_comment_or_a_docstring_stays() -> None:
    source = '''def f():  # why
    """What it does."""
    text = """# not a comment"""  # gone
    "not a docstring"
    return "#" + text
'''
    assert (
        bare(source)
        == '''def f():
    ""
    text = """# not a comment"""
    "not a docstring"
    return "#" + text
'''
    )
