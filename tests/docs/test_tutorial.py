"""The tutorial's programs and commands run in their order, and print what the page shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.services.web import free_port, wait_until

PAGE = ROOT / "docs" / "tutorial.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def pattern(shown: str) -> str:
    """Turn a shown line into a pattern: spaces are of any width, and … is anything."""
    return r"\s+".join(".*" if word == "…" else ".*".join(map(re.escape, word.split("…"))) for word in shown.split())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    port = str(free_port())
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "300"}
    said, served, ran = "", tmp_path / "served.txt", []
    servers: list[subprocess.Popen[str]] = []
    try:
        for language, text in BLOCKS:
            text = text.replace("8080", port)
            if language == "python":
                (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text, encoding="utf-8")
            elif language == "console":
                for line in text.splitlines():
                    assert re.search(pattern(line), said), f"not printed: {line}\n{said}"
            else:
                said = ""
                for line in text.splitlines():
                    ran.append(line.split()[1])
                    if line.startswith("flyweight serve"):
                        with served.open("w") as file:
                            servers.append(subprocess.Popen(line.split(), cwd=tmp_path, env=environ, stdout=file, text=True))
                        wait_until(lambda: "try it" in served.read_text(), "the server tells where it is")
                        said += served.read_text()
                        continue
                    done = subprocess.run(line, shell=True, cwd=tmp_path, env=environ, capture_output=True, text=True)
                    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
                    said += done.stdout + done.stderr
    finally:
        for server in servers:
            server.terminate()
            server.wait()
    assert {"pack", "inspect", "predict", "build", "invoke", "serve", "call", "deploy"} <= {*ran}
    assert (tmp_path / "called.csv").read_text() == (tmp_path / "answers.csv").read_text()


def test_readme_names_the_tutorial_before_any_other_page() -> None:
    listed = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Where to find what")[2]
    assert re.findall(r"\]\((docs/[\w/-]+\.md)", listed)[0] == "docs/tutorial.md"
