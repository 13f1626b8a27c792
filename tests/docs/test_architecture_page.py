"""The target that docs/architecture.md shows is built as it stands there, and answers in its provider's own local server."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flyweight.toolkit import targets
from flyweight.toolkit.building import build
from flyweight.toolkit.cli import main
from flyweight.toolkit.costs.advice import all_options
from flyweight.toolkit.running import runtime
from tests.conftest import PYTHON
from tests.contract.cases import HTTP, Case
from tests.contract.protocols import native
from tests.targets.handler import ROOT

SECTION = re.compile(r"^## A target in six files\n(.*?)^## ", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"^\*\*([\w/.]+)\*\*.*?^```(?:toml|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMANDS = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
MOST_LINES = 80
NAME = "scaleway"


def section() -> str:
    found = SECTION.search((ROOT / "docs" / "architecture.md").read_text())
    assert found
    return found[1]


def files() -> dict[str, str]:
    return dict(FILE.findall(section()))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder on the path, into which the example is installed."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    assert uv
    project, folder = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("site")
    for name, text in files().items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    alone = ("--no-deps", "--no-build-isolation", "--offline", "--python", sys.executable)
    done = subprocess.run([uv, "pip", "install", "-q", "--target", folder, *alone, project], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield folder
    for name in [name for name in sys.modules if name.startswith("flyweight_scaleway")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def folder(site: Path, penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(NAME, penguins, tmp_path_factory.mktemp("built") / "one", python=PYTHON).folder


@pytest.fixture(scope="module")
def process(folder: Path) -> Iterator[Any]:
    pytest.importorskip("scaleway_functions_python", reason="Scaleway publishes its local server for Python below 3.14")
    with runtime(NAME)(folder) as started:
        yield started


def is_text(case: Case) -> bool:
    """Tell whether a body reaches the function as it was sent, which the page says of texts alone."""
    return "body_base64" not in (case.request or {})


ASKED = [case for case in HTTP if is_text(case) and native.request(case) is not None]


def test_the_example_is_short_and_there_is_nothing_else_to_write() -> None:
    assert len(files()) == 6
    assert sum(len(text.splitlines()) for text in files().values()) < MOST_LINES


def test_two_builds_have_the_same_bytes(folder: Path, penguins: Path, tmp_path: Path) -> None:
    again = build(NAME, penguins, tmp_path / "one", python=PYTHON).folder
    first, second = ({p.relative_to(of): p.read_bytes() for p in of.rglob("*") if p.is_file()} for of in (folder, again))
    assert len(first) > 20 and first == second


@pytest.mark.parametrize("case", ASKED, ids=lambda case: case.name)
def test_a_case_of_the_contract_is_answered_as_it_should_be(case: Case, process: Any) -> None:
    assert len(ASKED) > 50
    answer = process.invoke(runtime(NAME).event(native.request(case)))
    assert not [*native.differences(case, answer)]


def test_the_commands_of_the_page_run(
    site: Path, penguins: Path, process: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(penguins, "penguins.safetensors")
    (block,) = COMMANDS.findall(section())
    install, *lines = block.splitlines()
    assert install == "python -m pip install ." and len(lines) == 3
    for line in lines:
        done = CliRunner().invoke(main, shlex.split(line)[1:], catch_exceptions=False)
        assert done.exit_code == 0, f"{line}\n{done.output}"
    assert "Adelie" in CliRunner().invoke(main, shlex.split(lines[1])[1:]).output


def test_what_the_example_leaves_out_is_said_in_words(site: Path) -> None:
    done = CliRunner().invoke(main, ["deploy", NAME, "--dry-run"])
    assert done.exit_code == 1 and "the target scaleway can't be deployed: it has no deployment" in done.output
    assert NAME in targets.names() and NAME not in {option.target for option in all_options()}
