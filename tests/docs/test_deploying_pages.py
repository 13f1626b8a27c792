"""Every command of the pages on deploying and on advice runs, with stand-ins for the providers' tools and a real endpoint."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.toolkit.building import build
from flyweight.toolkit.cli import main
from tests import fitted
from tests.targets.handler import ROOT
from tests.toolkit.deploying.fixtures import served
from tests.toolkit.deploying.provider_tools import ProviderTools

DOCS = ROOT / "docs"
PAGES = ("deploying.md", "advise.md")
FENCE = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
QUICK = {"plan": ["--runs", "1", "--repeat", "2"], "advise": ["--runs", "1", "--repeat", "2"], "destroy": ["--yes"]}


def commands(page: str) -> list[str]:
    return [line for block in FENCE.findall((DOCS / page).read_text()) for line in block.splitlines() if line.strip()]


@pytest.fixture
def endpoint(penguins: Path) -> Iterator[str]:
    with served(penguins) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def place(tmp_path: Path, penguins: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with the files that the pages name, and put the stand-ins first on PATH."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
    tools = ProviderTools(tmp_path / "tools")
    tools.state(url=endpoint)
    monkeypatch.setenv("PATH", f"{tools.folder}{os.pathsep}{os.environ['PATH']}")
    shutil.copy(penguins, tmp_path / "penguins.safetensors")
    fitted.penguins()[1].to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "function.key").write_text("k\n")
    for provider in ("gcp", "azure"):
        build(provider, penguins, tmp_path / "build" / provider, with_bytecode=False)
    return tmp_path


def test_each_page_has_commands_of_ours_alone() -> None:
    for page in PAGES:
        lines = commands(page)
        assert len(lines) >= 3 and all(line.startswith("flyweight ") for line in lines)


# no command of advise needs another one
@pytest.mark.usefixtures("measured_once")
@pytest.mark.parametrize(
    "lines", [commands("deploying.md"), *([line] for line in commands("advise.md"))], ids=lambda lines: lines[0]
)
def test_the_commands_run_in_order(lines: list[str], place: Path, endpoint: str) -> None:
    for line in lines:
        words = shlex.split(line)[1:]
        if words[0] == "call":
            words = [*words, "--auth", "none"]
            words[1] = endpoint
        if words[:2] == ["rollback", "aws"]:  # a rollback needs a second release
            assert CliRunner().invoke(main, ["deploy", "aws"], catch_exceptions=False).exit_code == 0
        result = CliRunner().invoke(main, [*words, *QUICK.get(words[0], [])], catch_exceptions=False)
        assert result.exit_code == 0, f"{line}\n{result.output}"


@pytest.mark.parametrize("verb", ["deploy", "call", "plan", "advise", "logs", "status", "rollback", "destroy"])
def test_the_pages_show_every_verb(verb: str) -> None:
    assert any(line.startswith(f"flyweight {verb} ") for page in PAGES for line in commands(page))


@pytest.mark.parametrize("page", [*PAGES, "verified.md"])
def test_options_and_files_that_a_page_names_exist(page: str) -> None:
    text = (DOCS / page).read_text()
    named = set(re.findall(r"(?<![\w/.])(?:infra|tests|docs|shared)/[\w./-]*\w", text))
    assert [name for name in named if not re.search("TARGET|NAME", name) and not (ROOT / name).exists()] == []
    helps = "".join(
        CliRunner().invoke(main, [verb, "--help"]).output for verb in ("deploy", "call", "plan", "advise", "rollback")
    )
    options = set(re.findall(r"`(--[a-z-]+)`", text))
    assert [option for option in options if option not in helps] == []


def test_the_picture_is_as_the_command_draws_it() -> None:
    """The curves have the names of all options."""
    from flyweight.toolkit.costs.advice import all_options
    from flyweight.toolkit.costs.options import HARDWARE, PAGE

    text = (DOCS / "images" / "advice.svg").read_text()
    for option in all_options():
        if option.family not in (HARDWARE, PAGE, "batch"):
            assert f">{option.name}</text>" in text


def test_each_line_of_verified_names_what_runs() -> None:
    rows = [line for line in (DOCS / "verified.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 5
    for row in rows:
        assert row.count("|") == 4, row
        where: Callable[[str], list[str]] = re.compile(r"`(tests/[\w./]+|python -m [\w.]+|.ci/[\w-]+)`").findall
        assert where(row), row
