"""The wrapper starts our Runtime API client where it can, and the platform's own client in every other case."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import folders
from flyweight.toolkit.building import archive, build, bytecode
from flyweight.toolkit.cli import main
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.running import runtime
from tests.conftest import PYTHON, ROOT
from tests.targets.aws.runtime_api import OWN, PLATFORM, WRAPPER, Session, event
from tests.targets.aws.test_client import SITUATIONS

HANDLERS = WRAPPER.parent
# What Python starts with, and what our client adds: every module beyond these takes time of each cold start.
CLIENT = {
    "__main__",
    "_json",
    "_socket",
    "aws_client",
    "aws_client_api",
    "aws_client_context",
    "aws_client_environment",
    "aws_client_json",
    "aws_client_output",
}
NEVER = {"re", "enum", "functools", "collections", "threading", "logging", "typing", "warnings", "json", "traceback", "importlib"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the client and a function."""
    for path in [WRAPPER, *HANDLERS.glob("aws_client*.py"), SITUATIONS / "app.py"]:
        shutil.copy(path, tmp_path)
    return tmp_path


def run(place: Path, *command: str, **environ: str) -> str:
    """What the wrapper runs: the first words of its output."""
    variables = {"PATH": os.environ["PATH"], **environ}
    done = subprocess.run([str(place / WRAPPER.name), *command], env=variables, capture_output=True, text=True, cwd=place)
    return done.stdout + done.stderr


def test_a_function_starts_with_these_modules_only(place: Path) -> None:
    with Session(OWN, place, wrapper=place / WRAPPER.name) as session:
        (posted,) = session.ask(event({"run": "result = STARTED"}))
    bare = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, cwd=place)
    started, python = {*eval(posted.body)}, {*bare.stdout.split()}
    assert started - python == CLIENT - {"__main__"} | {"app"}
    assert not NEVER & (started - python)


@pytest.mark.parametrize("suffix", ["-I", "-S"])
def test_the_client_needs_no_module_of_site_packages(suffix: str, place: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(place)!r}); import aws_client; print('re' in sys.modules, 'json' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", suffix, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False False\n", done.stderr


@pytest.mark.parametrize("name", ["predict", "predict.rest"])
def test_a_first_prediction_imports_none_of_the_slow_modules(name: str, built: Callable[[str], Path]) -> None:
    """Neither the client nor the core needs them: they would take longer than all the rest."""
    environ = {**runtime("aws").client("own"), "PYTHONPROFILEIMPORTTIME": "1"}
    with runtime("aws")(built("aws"), environ=environ) as process:
        assert process.invoke(json.loads((ROOT / "events" / "aws" / f"{name}.json").read_text())).status == 200
        lines = [line for line in process.log().splitlines() if line.startswith("import time:")]
    modules = [line.rpartition("|")[2].strip() for line in lines]
    assert not {"os", "site"} & {*modules}
    first = modules.index("flyweight")  # before it, Python starts; what is imported without Python's import system is not listed
    assert "app" in modules[first:]
    in_files = {"_json", "_socket"} - {*sys.builtin_module_names}  # modules in C that are part of the interpreter take no search
    assert not {*in_files, "flyweight.serving.service", "aws_client", "array", "operator", *NEVER} & {*modules[first:]}


OWN_MODULE = """
import builtins, os, sys
def handler(event, context):
    import aws_lambda_powertools
    return [sys.flags.no_site, hasattr(builtins, "exit"), sys.path, sys.prefix, sorted(os.environ)]
"""


def test_a_module_of_the_functions_own_finds_site_done(built: Callable[[str], Path], tmp_path: Path) -> None:
    """As without the file of bytecode, beside which Python starts without `site`."""
    folder = shutil.copytree(built("aws"), tmp_path / "built")
    (folder / "mine.py").write_text(OWN_MODULE)
    found = []
    for wrapped in (True, False):
        if not wrapped:
            shutil.rmtree(folder / "flyweight" / "__pycache__")
        environ = {"LAMBDA_RUNTIME_DIR": "/var/runtime"}
        with Session(OWN, folder, "mine.handler", wrapper=folder / WRAPPER.name, environ=environ) as session:
            (posted,) = session.ask(event({}))
            found.append(json.loads(posted.body))
    assert [one.pop(0) for one in found] == [1, 0]
    assert found[0] == found[1]
    assert found[0][0] is True
    assert found[0][1][0] == str(folder)
    assert found[0][1][-1] == "/var/runtime"


@pytest.mark.parametrize("content", [{"Records": [{"eventSource": "aws:nosuch"}]}, "no object", {"instances": [1, 2]}])
def test_an_error_in_a_built_folder_is_posted_alike(content: object, built: Callable[[str], Path]) -> None:
    """Its stack trace names the same files and lines, although the bytecode comes from another file."""
    found = []
    for client in (PLATFORM, OWN):
        with Session(client, built("aws"), "app.lambda_handler", wrapper=built("aws") / WRAPPER.name) as session:
            found += session.ask(event(content))
    assert found[0].path == found[1].path
    assert json.loads(found[0].body) == json.loads(found[1].body)


STEPS_ASIDE: dict[str, dict[str, str]] = {
    "a setting": {"FLYWEIGHT_CLIENT": "platform"},
    "another word in the setting": {"FLYWEIGHT_CLIENT": "off"},
    "Datadog": {"DD_LAMBDA_HANDLER": "app.handler"},
    "a handler that another wrapper moved": {"ORIG_HANDLER": "app.handler"},
}


@pytest.mark.parametrize("case", STEPS_ASIDE)
def test_the_wrapper_steps_aside_for(case: str, place: Path) -> None:
    assert run(place, sys.executable, "-c", "print('platform')", **STEPS_ASIDE[case]) == "platform\n"


@pytest.mark.parametrize("name", ["datadog_wrapper", "otel-handler", "otel-instrument"])
def test_the_wrapper_steps_aside_for_a_layer_with(name: str, place: Path) -> None:
    wrapper = place / WRAPPER.name
    (place / "opt").mkdir()
    wrapper.write_text(wrapper.read_text().replace("/opt/", f"{place}/opt/"))
    assert "KeyError: 'AWS_LAMBDA_RUNTIME_API'" in run(place, sys.executable, "-c", "print('platform')")
    (place / "opt" / name).touch()
    assert run(place, sys.executable, "-c", "print('platform')") == "platform\n"


def test_the_wrapper_runs_what_is_no_python_unchanged(place: Path) -> None:
    assert run(place, "/bin/echo", "two words", "x") == "two words x\n"


@pytest.mark.parametrize("gone", ["aws_client_start.py", "aws_client.py", "aws_client_api.py", "aws_client_json.py"])
def test_without_a_file_of_the_client_the_platforms_runs(gone: str, place: Path) -> None:
    (place / gone).unlink()
    assert run(place, sys.executable, "-c", "print('platform')") == "platform\n"


def test_a_client_that_fails_to_load_is_replaced_by_the_platforms(place: Path) -> None:
    (place / "aws_client_output.py").write_text("1 / 0")
    assert run(place, sys.executable, "-c", "import sys; print('platform', sys.argv)", "a b") == "platform ['-c', 'a b']\n"


def test_a_version_of_python_that_is_not_known_gets_the_platforms_client(place: Path) -> None:
    start = place / "aws_client_start.py"
    start.write_text(start.read_text().replace("(3, 14)", "(3, 10)"))
    assert run(place, sys.executable, "-c", "print('platform')") == "platform\n"


def test_the_client_starts_from_bytecode_or_without_it(place: Path) -> None:
    def client() -> str:
        with Session(OWN, place, wrapper=place / WRAPPER.name) as session:
            (posted,) = session.ask(event({"run": "import aws_client; result = [aws_client.__file__, aws_client.LARGEST]"}))
        return posted.body.decode()

    told = f'["{place}/aws_client.py", 6291556]'
    assert client() == told
    bytecode.compile_tree(place, sys.executable)
    for path in place.glob("aws_client*.py"):
        if path.stem != "aws_client_start":
            path.write_text("1 / 0  # the bytecode is read, and not this")
    assert client() == told


def test_modules_are_found_where_the_platforms_client_finds_them(place: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(place)!r}); import aws_client; aws_client._is_folder = lambda path: True; "
        "sys.argv = ['start', 'python', 'bootstrap.py', 'x']; aws_client._set_path(); "
        "print(sys.path[:4]); print(sys.path[-1], sys.argv)"
    )
    environ = {"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    first, last = done.stdout.splitlines()
    layers = [f"/opt/python/lib/python{PYTHON}/site-packages", "/opt/python"]
    assert eval(first) == ["/var/task", *layers, str(place)]
    assert last == "/var/runtime ['bootstrap.py', 'x']"


def test_python_path_and_site_packages_are_there_for_the_users_steps(
    place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "mine.py").write_text("VALUE = 5")
    code = "import mine, aws_lambda_powertools, sys; result = [mine.VALUE, sys.path[0], sys.argv[1:]]"
    with Session(OWN, place, environ={"PYTHONPATH": str(other)}) as session:
        (posted,) = session.ask(event({"run": code}))
    assert eval(posted.body) == [5, str(place), ["awslambdaric", "app.handler"]]


def test_every_built_folder_has_the_wrapper_and_its_zip_lets_it_run(penguins: Path, tmp_path: Path) -> None:
    folder = build("aws", penguins, tmp_path / "aws", python=PYTHON, form="zip").folder
    assert os.access(folder / WRAPPER.name, os.X_OK)
    with zipfile.ZipFile(tmp_path / "aws.zip") as made:
        assert made.getinfo(WRAPPER.name).external_attr >> 16 == 0o100755
    assert archive.rights(folder / WRAPPER.name) == 0o755


@pytest.mark.parametrize("name", ["predict", "predict.rest", "predict.direct", "sqs", "health.direct"])
def test_a_built_folder_answers_alike_under_both_clients(name: str, built: Callable[[str], Path]) -> None:
    content = json.loads((ROOT / "events" / "aws" / f"{name}.json").read_text())
    answers = []
    for client in ("platform", "own"):
        with runtime("aws")(built("aws"), environ=runtime("aws").client(client)) as process:
            answer = process.invoke(content)
            body = re.sub(rb'"uptime[a-z_]*": ?[0-9.]+', b"", answer.body)
            answers.append((answer.status, body, {*answer.headers}))
    assert answers[0] == answers[1]


def test_invoke_runs_either_client(built: Callable[[str], Path]) -> None:
    for client, words in (("own", "flyweight's client on Python"), ("platform", "awslambdaric")):
        done = CliRunner().invoke(main, ["invoke", "aws", "--folder", str(built("aws")), "--client", client])
        assert done.exit_code == 0, done.output
        assert words in done.output
    assert folders.own_target("aws") == "aws"


def test_a_wrapper_that_is_not_there_is_told(built: Callable[[str], Path]) -> None:
    process = runtime("aws")(built("aws"), environ={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/nosuch"})
    with process, pytest.raises(RuntimeFailed, match="names /var/task/nosuch, which is not an executable file"):
        process.invoke({})
    with pytest.raises(RuntimeFailed, match="no client 'own'"):
        runtime("gcp").client("own")
