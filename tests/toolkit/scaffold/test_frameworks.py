"""A scaffolded application passes its own tests, and its server answers as its README says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.toolkit.cli import main
from flyweight.toolkit.scaffold import ScaffoldFailed, create, frameworks, upgrade
from tests.services.web import exchange, free_port, wait_until


@pytest.fixture(scope="module", params=frameworks())
def project(request: pytest.FixtureRequest, penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects") / "My Penguins"
    arguments = ["new", str(folder), "--model", str(penguins), "--framework", request.param]
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 0, told.output
    return folder


def commands(project: Path) -> list[list[str]]:
    """The commands of the README, one a line, as words; Python and its programs are those of this environment."""
    text = "".join(re.findall(r"^```bash\n(.*?)^```", (project / "README.md").read_text(), re.DOTALL | re.MULTILINE))
    return [shlex.split(line) for line in text.splitlines()]


def test_there_is_one_for_each_framework_that_a_model_is_mounted_in() -> None:
    assert frameworks() == ["django", "fastapi", "flask"]


def test_it_passes_its_own_tests(project: Path) -> None:
    (tests,) = [words for words in commands(project) if words[0] == "python" and {"pytest", "test"} & {*words}]
    done = subprocess.run([sys.executable, "-W", "error", *tests[1:]], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0 and re.search(r"[2-9] passed|Ran [2-9] tests", done.stdout + done.stderr), (
        done.stdout + done.stderr
    )


def test_its_server_answers_the_command_of_its_readme(project: Path) -> None:
    (server,) = [words for words in commands(project) if words[0] in ("uvicorn", "gunicorn")]
    (curl,) = [words for words in commands(project) if words[0] == "curl"]
    port = free_port()
    words = [word.replace("8000", str(port)) for word in server]
    with subprocess.Popen(
        [sys.executable, "-m", *words], cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:

            def answers() -> bool:
                assert process.poll() is None, "it has ended"
                try:
                    return exchange(port, "GET", "/my-penguins/ready")[0] == 200
                except OSError:
                    return False

            wait_until(answers, "it is ready", pause=0.05)
            path, (header, value), sample = curl[1].partition(":8000")[2], curl[3].split(": "), curl[5].removeprefix("@")
            status, _, body = exchange(port, "POST", path, (project / sample).read_bytes(), {header: value})
        finally:
            process.terminate()
    assert status == 200 and json.loads(body)["predictions"] == ["Adelie"]


def test_no_placeholder_is_left(project: Path) -> None:
    texts = [path.read_text() for path in project.rglob("*") if path.suffix in (".py", ".md", ".txt", ".ini")]
    assert len(texts) > 4 and not [text for text in texts if re.search(r"@[A-Z]+@", text)]


def test_an_upgrade_keeps_what_its_owner_changed(project: Path) -> None:
    assert not upgrade(project).written
    (project / "requirements.txt").write_text("mine\n")
    assert upgrade(project).kept == ["requirements.txt"] and (project / "requirements.txt").read_text() == "mine\n"


def test_without_a_model_there_is_an_example(tmp_path: Path) -> None:
    create(tmp_path / "example", framework="flask")
    assert (tmp_path / "example" / "train.py").is_file() and (tmp_path / "example" / "models" / "iris.safetensors").is_file()
    assert "iris.safetensors" in (tmp_path / "example" / "app.py").read_text()


def test_a_framework_that_has_no_project_is_refused_in_words(tmp_path: Path, penguins: Path) -> None:
    with pytest.raises(ScaffoldFailed, match="no project for 'bottle'") as refused:
        create(tmp_path / "mine", penguins, framework="bottle")
    assert "django, fastapi, flask" in refused.value.next_step


def test_an_application_has_no_targets(tmp_path: Path, penguins: Path) -> None:
    arguments = ["new", str(tmp_path / "mine"), "--model", str(penguins), "--framework", "flask", "--target", "aws"]
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 2 and "has no targets" in told.output
