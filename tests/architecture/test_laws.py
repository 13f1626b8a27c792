"""The laws of `shared/README.md` and `handlers/README.md`, read from the sources."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "shared" / "flyweight"
HANDLERS = ROOT / "handlers"
SHARED = sorted(PACKAGE.rglob("*.py"))
TOOLKIT = [path for path in SHARED if path.is_relative_to(PACKAGE / "toolkit")]
CORE = [path for path in SHARED if path not in TOOLKIT]
# what may know clouds and libraries by name
OUTSIDE = ("stores", "engines")
STRICT = [path for path in CORE if path.relative_to(PACKAGE).parts[0] not in OUTSIDE or path.stem in ("__init__", "pure")]
HANDLER_FILES = sorted(HANDLERS.rglob("*.py"))
ENTRIES = [path for path in HANDLER_FILES if "service.bind(" in path.read_text()]
ADAPTERS = [path for path in HANDLER_FILES if re.search(r"^def decode\(", path.read_text(), re.MULTILINE)]

CLOUD_WORDS = re.compile(
    r"aws|amazon|azure|gcp|google|flask|werkzeug|fastapi|django|powertools|boto|lambda_handler|requestContext|functions_framework",
    re.IGNORECASE,
)
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "process", "handle"}
STATUSES = {400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 500, 502, 503, 504}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=named)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def docstrings(module: ast.Module) -> set[ast.AST]:
    """The constants that are docstrings: words there explain, and do not act."""
    owners = [n for n in ast.walk(module) if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))]
    return {o.body[0].value for o in owners if o.body and isinstance(o.body[0], ast.Expr)}


def words(path: Path) -> Iterator[str]:
    """Every name and every text of a module but its docstrings and comments."""
    module = tree(path)
    explained = docstrings(module)
    for node in ast.walk(module):
        for field in ("id", "attr", "name", "arg", "module"):
            if isinstance(getattr(node, field, None), str):
                yield getattr(node, field)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in explained:
            yield node.value


def imports(node: ast.AST) -> Iterator[str]:
    """The modules that the code under a node imports, whether at once or later, but for the type checker's eyes only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            for other in child.orelse:
                yield from imports(other)
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.module or ""
        else:
            yield from imports(child)


@each(STRICT)
def test_the_core_knows_no_provider(path: Path) -> None:
    assert not [word for word in words(path) if CLOUD_WORDS.search(word)]


LATE = {
    "tables.py": {"numpy"},
    "signatures.py": {"cryptography"},
    "file_numbers.py": {"numpy", "pyarrow"},
    "file_scoring.py": {"numpy"},
    "file_parquet.py": {"pyarrow"},
    "decompression.py": {"compression", "zstandard"},  # the first is of the standard library from Python 3.14 on
}


@each(STRICT)
def test_the_core_imports_the_standard_library_and_itself_only(path: Path) -> None:
    """But for NumPy in the batch forms, and what few others need: imported inside a function, when there is such a thing."""
    roots = {module.partition(".")[0] for module in imports(tree(path))}
    late = {"numpy"} if path.parent.name == "ops" else LATE.get(path.name, set())
    assert roots <= {*sys.stdlib_module_names, "flyweight", *late}
    at_once = [node for node in tree(path).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert not late & {module.partition(".")[0] for node in at_once for module in imports(ast.Module([node], []))}


@each(CORE)
def test_the_core_never_imports_the_toolkit(path: Path) -> None:
    assert not [module for module in imports(tree(path)) if module.startswith("flyweight.toolkit")]


@each([path for path in [*CORE, *HANDLER_FILES] if path != PACKAGE / "settings.py"])
def test_the_environment_is_read_in_settings_alone(path: Path) -> None:
    assert not {"environ", "getenv", "putenv", "environb"} & {*words(path)}


@each([path for path in [*CORE, *HANDLER_FILES] if path != PACKAGE / "service.py"])
def test_status_numbers_stand_in_one_table(path: Path) -> None:
    """But for AT_ONCE, how many entries a call of a service takes, where 500 is 500 records."""
    module = tree(path)
    module.body = [n for n in module.body if not (isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "AT_ONCE")]
    numbers = {node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and type(node.value) is int}
    assert not numbers & STATUSES


@each([*SHARED, *HANDLER_FILES])
def test_no_module_or_folder_has_a_vague_name(path: Path) -> None:
    assert not VAGUE & {*path.relative_to(ROOT).with_suffix("").parts}


@each([*SHARED, *HANDLER_FILES, *sorted((ROOT / "tests" / "contract").glob("*.py"))])
def test_no_code_asks_which_provider_it_serves(path: Path) -> None:
    for node in ast.walk(tree(path)):
        asked = isinstance(node, ast.Compare) and {"provider"} & {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        texts = [n for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        assert not (asked and texts), f"line {node.lineno}"
        assert not (isinstance(node, ast.Match) and isinstance(node.subject, ast.Name) and node.subject.id == "provider")


@each([*SHARED, *HANDLER_FILES])
def test_a_file_opens_with_what_it_is_for_and_is_short(path: Path) -> None:
    assert ast.get_docstring(tree(path)), "it opens with no docstring"
    assert len(path.read_text().splitlines()) <= 250


@each([*SHARED, *HANDLER_FILES])
def test_functions_fit_a_screen(path: Path) -> None:
    functions = [n for n in ast.walk(tree(path)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    # a signature of many options is a list, not a story: the body is what must fit
    long = [f.name for f in functions if (f.end_lineno or 0) - f.body[0].lineno + 1 > 40]
    assert not long


@each(ADAPTERS)
def test_an_adapter_is_decode_and_encode_and_no_more(path: Path) -> None:
    public = [node.name for node in tree(path).body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    assert public == ["decode", "encode"]
    assert len(path.read_text().splitlines()) <= 120


@each(ADAPTERS)
def test_an_adapter_catches_only_to_call_a_request_malformed_or_too_large(path: Path) -> None:
    for caught in [node for node in ast.walk(tree(path)) if isinstance(node, ast.ExceptHandler)]:
        (only,) = caught.body
        assert isinstance(only, ast.Raise) and isinstance(only.exc, ast.Call) and isinstance(only.exc.func, ast.Name)
        assert only.exc.func.id in ("MalformedRequest", "TooLarge")


@each(ENTRIES)
def test_an_entry_is_a_few_lines(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith("#")]
    assert 5 <= len(lines) <= 35


def test_each_provider_has_one_entry_and_one_adapter() -> None:
    providers = sorted(path.name for path in HANDLERS.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    assert sorted(path.parent.name for path in ENTRIES) == providers
    assert sorted(path.parent.name for path in ADAPTERS) == providers


def test_importing_the_package_imports_none_of_its_modules() -> None:
    text = (PACKAGE / "__init__.py").read_text()
    assert not [module for module in imports(ast.parse(text)) if module.startswith("flyweight")]
    assert len(text.splitlines()) <= 75  # the public names, and the finder of the bundle, which can stand in no other file
