"""Names that no provider takes are refused by name, and a line of a dry run that is pasted runs its own programs and no other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyweight.toolkit import targets
from flyweight.toolkit.targets.commands import Expanded, Runner, command
from flyweight.toolkit.targets.naming import of_model
from tests.toolkit.deploying.provider_tools import TOOLS, ProviderTools
from tests.toolkit.deploying.stand_in import deployed, stand_in

Run = Callable[..., Result]
Put = Callable[[str, int], None]
each = pytest.mark.parametrize("provider", deployed())
HOSTILE = [
    "-x", "--yes", "a b", "a;touch pwned", "$(touch pwned)", "`touch pwned`", "a|b", "a&b", "a>b", "a\ntouch pwned", "a'b", 'a"b',
    "..", ".", "a/b", "../x", "a\\b", "a*", "~", "#a", "{a,b}", "a\tb", "a\0b", "ä", "$HOME", "!a",
]  # fmt: skip
ECHO = "#!{python} -IS\nimport json, sys\nopen({file!r}, 'a').write(json.dumps(sys.argv) + '\\n')\n"
QUOTED = "a 'b' \"c\" $(touch pwned) `touch pwned`;touch pwned & | > pwned #"


@each
@pytest.mark.parametrize("option", ["--name", "--region", "--group"])
@pytest.mark.parametrize("verb", ["deploy", "rollback", "status", "logs", "destroy"])
def test_a_name_with_what_a_shell_or_a_tool_reads_is_refused_with_the_rule(
    verb: str, option: str, provider: str, run: Run, put: Put, tools: ProviderTools
) -> None:
    put(provider, 1)
    for value in HOSTILE:
        done = run(verb, provider, f"{option}={value}", "--dry-run")
        assert done.exit_code == 1, (value, done.output)
        told = " ".join(done.stderr.split())
        assert "is not a valid name of a" in told and "next: begin with a " in told, value
        assert done.stdout == "" and tools.calls() == []


def test_a_label_to_go_back_to_is_a_name_too(run: Run, tools: ProviderTools) -> None:
    done = run("rollback", "aws", "--name", "birds", "--to", "--yes")
    assert done.exit_code == 1 and "'--yes' is not a valid name of a version" in done.stderr


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("penguins", "penguins"),
        ("House prices_v2", "house-prices-v2"),
        ("2fast", "model-2fast"),
        ("ünï", "n-model"),
        ("--", "model"),
    ],
)
def test_a_deployment_is_called_like_its_model(model: str, name: str) -> None:
    assert of_model(model) == name


@given(st.text(max_size=80))
def test_every_model_has_a_name_that_every_provider_takes(model: str) -> None:
    for target in targets.all_targets():
        if target.has("deployment"):
            target.deployer.name_rule.check(of_model(model))


@each
def test_without_a_name_and_a_folder_the_name_is_asked_for(provider: str, run: Run, tools: ProviderTools) -> None:
    done = run("status", provider)
    assert done.exit_code == 2 and "add --name" in done.stderr


def pasted(text: str, place: Path) -> list[list[str]]:
    """What a shell runs when the lines are pasted, by stand-ins that write down their arguments."""
    folder, file = place / "stand-ins", place / "ran.jsonl"
    folder.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    for tool in TOOLS:
        (folder / tool).write_text(ECHO.format(python=sys.executable, file=str(file)))
        (folder / tool).chmod(0o755)
    environ = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash"], input=text, text=True, cwd=place, env=environ, capture_output=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in file.read_text().splitlines()]


@each
def test_a_pasted_dry_run_runs_nothing_else(provider: str, run: Run, folders: Callable[[str, int], Path], here: Path) -> None:
    parameter = stand_in(provider).free
    if not parameter:
        pytest.skip("none of its parameters takes any text")
    folder = shutil.copytree(folders(provider, 1), here / f"it's a {'$(touch pwned);touch pwned'} `touch pwned`")
    shown = run("deploy", provider, "--folder", folder.name, "--set", f"{parameter}={QUOTED}", "--dry-run")
    assert shown.exit_code == 0, shown.output
    ran = pasted(shown.stdout, here)
    assert not (here / "pwned").exists()
    assert {Path(words[0]).name for words in ran} <= {*TOOLS}
    assert len(ran) == shown.stdout.count("\n")
    plain = [word.replace('\\"', '"') for words in ran for word in words]
    assert any(QUOTED in word for word in plain)


@each
def test_a_folder_that_looks_like_an_option_is_a_folder(
    provider: str, run: Run, folders: Callable[[str, int], Path], here: Path
) -> None:
    shutil.copytree(folders(provider, 1), here / "-P")
    shown = run("deploy", provider, "--folder=-P", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert pasted(shown.stdout, here)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r")), min_size=1, max_size=4))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_words_are_what_a_shell_reads(tmp_path: Path, words: list[str]) -> None:
    assert pasted(str(command("az", *words)), tmp_path)[0][1:] == words


def test_only_words_of_ours_are_expanded() -> None:
    said: list[str] = []
    runner = Runner(said.append, variables={"VERSION": "7; touch pwned"})
    line = command(sys.executable, "-c", "import sys; print(sys.argv[1:])", "$VERSION", Expanded("v='$VERSION'"))
    assert runner.output(line) == str(["$VERSION", "v='7; touch pwned'"])
    assert str(line).endswith("""'$VERSION' "v='$VERSION'\"""")
