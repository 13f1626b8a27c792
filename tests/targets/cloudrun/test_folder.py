"""What `flyweight build cloudrun` writes: the server and the triggers, nothing of a framework, and what starts it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from flyweight.toolkit.building import build
from flyweight.toolkit.events import samples
from flyweight.toolkit.running import runtime
from tests.conftest import PYTHON
from tests.server.test_start import LIBRARY


def test_modules_of_the_other_folders_are_there_if_they_are_used(built: Callable[[str], Path]) -> None:
    names = {path.stem for path in built("cloudrun").glob("*.py")}
    assert {"cloudrun_main", "server_http", "server_workers", "gcp_events", "gcp_sinks", "gcp_carriers"} <= names
    assert not names & {"asgi", "wsgi", "server_main", "main", "gcp_request", "gcp_message", "gcp_paths"}
    assert not (built("cloudrun") / "requirements.txt").exists()  # Google's build installs nothing


def test_every_module_imports_without_any_package(built: Callable[[str], Path]) -> None:
    folder = built("cloudrun")
    modules = ", ".join(path.stem for path in folder.glob("*.py"))
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import {modules}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_first_answer_imports_next_to_nothing_of_the_standard_library(built: Callable[[str], Path]) -> None:
    def imported(log: str) -> set[str]:
        return {line.rpartition("|")[2].strip() for line in log.splitlines() if line.startswith("import time:")}

    bare = subprocess.run([sys.executable, "-X", "importtime", "-c", "pass"], capture_output=True, text=True, check=True)
    with runtime("cloudrun")(built("cloudrun"), environ={"PYTHONPROFILEIMPORTTIME": "1"}) as process:
        process.invoke(samples.read("cloudrun", "predict"))
        seen = imported(process.log())
    ours = {path.stem for path in built("cloudrun").glob("*.py")}
    others = {name for name in seen - imported(bare.stderr) - ours if name.partition(".")[0] != "flyweight"}
    assert "flyweight.serving.service" in seen and others <= LIBRARY, others


def test_what_the_image_starts_is_what_the_procfile_says(penguins: Path, tmp_path: Path) -> None:
    folder = build("cloudrun", penguins, tmp_path / "image", python=PYTHON, form="image", with_bytecode=False).folder
    words = shlex.split((folder / "Procfile").read_text().removeprefix("web:"))
    assert f"ENTRYPOINT {['python3', *words[1:]]}".replace("'", '"') in (folder / "Dockerfile").read_text()
    assert "pip" not in (folder / "Dockerfile").read_text()


def test_a_function_gets_nothing_of_the_server(built: Callable[[str], Path]) -> None:
    folder = built("gcp")
    assert not [*folder.glob("server_*.py"), *folder.glob("cloudrun_*.py"), *folder.glob("Procfile")]
