"""The laws of `shared/README.md` and `handlers/README.md`, read from the sources."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import (
    CORE,
    HANDLER_FILES,
    HANDLERS,
    PACKAGE,
    SHARED,
    each,
    imported,
    imports,
    nodes,
    text,
    tree,
)
from tests.conftest import ROOT

# what may know clouds and libraries by name
OUTSIDE = ("stores", "engines", "arrow")
STRICT = [path for path in CORE if path.relative_to(PACKAGE).parts[0] not in OUTSIDE or path.stem in ("__init__", "pure")]
ENTRIES = [
    path for path in HANDLER_FILES if re.search(r"(?<!def )\bbind\(", text(path)) and "from flyweight.handler" in text(path)
]
ADAPTERS = [path for path in HANDLER_FILES if re.search(r"^def decode\(", text(path), re.MULTILINE)]

CLOUD_WORDS = re.compile(
    r"aws|amazon|azure|gcp|google|flask|werkzeug|fastapi|django|powertools|boto|lambda_handler|requestContext|functions_framework",
    re.IGNORECASE,
)
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "process", "handle", "more"}
STATUSES = {400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 500, 502, 503, 504}
LONGEST_MODULE, LONGEST_FUNCTION = 600, 40


def docstrings(path: Path) -> set[ast.AST]:
    """The constants that are docstrings: words there explain, and do not act."""
    owners = [n for n in nodes(path) if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))]
    return {o.body[0].value for o in owners if o.body and isinstance(o.body[0], ast.Expr)}


def words(path: Path) -> Iterator[str]:
    """Every name and every text of a module but its docstrings and comments."""
    explained = docstrings(path)
    for node in nodes(path):
        for field in ("id", "attr", "name", "arg", "module"):
            if isinstance(getattr(node, field, None), str):
                yield getattr(node, field)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in explained:
            yield node.value


@each(STRICT)
def test_the_core_knows_no_provider(path: Path) -> None:
    assert not [word for word in words(path) if CLOUD_WORDS.search(word)]


@each(STRICT)
def test_the_core_imports_the_standard_library_and_itself_only(path: Path) -> None:
    """But for NumPy in the batch forms, and what a module declares by a line `# imports late: NAMES`: inside functions only."""
    roots = {module.partition(".")[0] for module in imports(path)}
    declared = re.search(r"^# imports late: (.+)$", text(path), re.MULTILINE)
    late = {"numpy"} if path.parent.name == "ops" else {*declared[1].split(", ")} if declared else set()
    assert roots <= {*sys.stdlib_module_names, "flyweight", *late}
    assert declared is None or late <= roots, "it declares what it does not import"
    at_once = [node for node in tree(path).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert not late & {module.partition(".")[0] for node in at_once for module in imported(ast.Module([node], []))}


# A client of Lambda's Runtime API is the platform's side: it reads the platform's variables, and sets the trace of each event.
CLIENTS = [path for path in HANDLER_FILES if path.stem.startswith("aws_client")]


@each([path for path in [*CORE, *HANDLER_FILES] if path.parent != PACKAGE / "settings" and path not in CLIENTS])
def test_the_environment_is_read_in_settings_alone(path: Path) -> None:
    assert not {"environ", "getenv", "putenv", "environb"} & {*words(path)}


PROTOCOLS = [path for path in CORE if path.parent == PACKAGE / "protocols" and path.stem not in ("__init__", "native")]


@each([path for path in [*CORE, *HANDLER_FILES] if path.parent != PACKAGE / "errors" and path not in PROTOCOLS])
def test_status_numbers_stand_in_errors_and_in_protocols_of_their_own(path: Path) -> None:
    """But for AT_ONCE, how many entries a call of a service takes, where 500 is 500 records; and bounds of the log's levels."""
    module = tree(path)
    constants = [n for n in module.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) in ("AT_ONCE", "LEVELS")]
    excepted = {id(node) for constant in constants for node in ast.walk(constant)}
    numbers = {n.value for n in nodes(path) if isinstance(n, ast.Constant) and type(n.value) is int and id(n) not in excepted}
    assert not numbers & STATUSES


@each([*SHARED, *HANDLER_FILES, *sorted((ROOT / "tests").rglob("*.py"))])
def test_no_module_or_folder_has_a_vague_name(path: Path) -> None:
    assert not VAGUE & {*path.relative_to(ROOT).with_suffix("").parts}
    assert not re.search(r"(^|_)more$", path.stem)


@each([*SHARED, *HANDLER_FILES, *sorted((ROOT / "tests" / "contract").glob("*.py"))])
def test_no_code_asks_which_target_it_serves(path: Path) -> None:
    for node in nodes(path):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Name) and side.id in ("provider", "target") for side in sides):
                assert not any(map(_is_name_of_a_target, sides)), f"line {node.lineno}"
        assert not (isinstance(node, ast.Match) and ast.unparse(node.subject) in ("provider", "target"))


def _is_name_of_a_target(side: ast.expr) -> bool:
    """Whether one side of a comparison is a text, or lists texts."""
    parts = side.elts if isinstance(side, (ast.Tuple, ast.List, ast.Set)) else [side]
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value for part in parts)


@each([*SHARED, *HANDLER_FILES])
def test_a_file_says_what_it_is_for_and_is_not_too_long(path: Path) -> None:
    assert ast.get_docstring(tree(path)), "it opens with no docstring"
    assert len(text(path).splitlines()) <= LONGEST_MODULE


@each([*SHARED, *HANDLER_FILES])
def test_functions_fit_a_screen(path: Path) -> None:
    functions = [n for n in nodes(path) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    # a signature of many options is a list, not a story: the body is what must fit
    long = [f.name for f in functions if (f.end_lineno or 0) - f.body[0].lineno + 1 > LONGEST_FUNCTION]
    assert not long


@each(ADAPTERS)
def test_an_adapter_is_decode_and_encode_and_no_more(path: Path) -> None:
    public = [node.name for node in tree(path).body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    assert public == ["decode", "encode"]
    assert len(text(path).splitlines()) <= 120


@each(ADAPTERS)
def test_an_adapter_catches_only_to_call_a_request_malformed_or_too_large(path: Path) -> None:
    for caught in [node for node in nodes(path) if isinstance(node, ast.ExceptHandler)]:
        (only,) = caught.body
        assert isinstance(only, ast.Raise) and isinstance(only.exc, ast.Call) and isinstance(only.exc.func, ast.Name)
        assert only.exc.func.id in ("MalformedRequest", "TooLarge")


@each(ENTRIES)
def test_an_entry_is_a_few_lines(path: Path) -> None:
    lines = [line for line in text(path).splitlines() if line.strip() and not line.strip().startswith("#")]
    assert 5 <= len(lines) <= 40


def test_each_handler_of_requests_has_one_entry_and_one_adapter() -> None:
    """The others are jobs, which read rows and know nothing of requests."""
    asked = {path.parent.name for path in HANDLER_FILES if re.search(r"flyweight\.(handler|values)\b", text(path))}
    folders = {path.name for path in HANDLERS.iterdir() if path.is_dir() and path.name in asked}
    entries = "|".join(path.stem for path in ENTRIES)
    starting = {path.parent.name for path in HANDLER_FILES if re.search(rf"^from ({entries}) import", text(path), re.MULTILINE)}
    own = {path.parent.name for path in ENTRIES}
    handlers = sorted(folders - (starting - own))  # a folder may start the entry of another, as vm does with the server's
    assert sorted(path.parent.name for path in ENTRIES) == handlers
    adapters = "|".join(path.stem for path in ADAPTERS)
    borrowing = {
        path.parent.name for path in ENTRIES if re.search(rf"^from ({adapters}) import decode", text(path), re.MULTILINE)
    }
    adapted = [path.parent.name for path in ADAPTERS]
    assert len(adapted) == len({*adapted}) and {*adapted, *borrowing} == {*handlers}


def test_importing_the_package_imports_none_of_its_modules() -> None:
    path = PACKAGE / "__init__.py"
    assert not [module for module in imports(path) if module.startswith("flyweight")]


def test_every_file_is_a_file_that_an_archive_keeps() -> None:
    """A link becomes a text where an archive, or Windows, has none; a script that pages name as a command must run as one."""
    folders = ("handlers", "shared", "infra", "tests", "events", "docs", "benchmarks", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_symlink() or path.is_file()]
    assert len(files) > 1000
    assert [str(path) for path in files if path.is_symlink()] == []
    scripts = [path for path in files if path.suffix != ".py" and "tests" not in path.parts and path.read_bytes()[:2] == b"#!"]
    assert scripts
    assert [str(path) for path in scripts if not os.access(path, os.X_OK)] == []
