"""The example of `docs/your-own-step.md` runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "your-own-step.md"


def test_the_example_packs_builds_and_answers(tmp_path: Path) -> None:
    blocks = re.findall(r"```(\w*)\n(.*?)```", PAGE.read_text(), re.S)
    for language, text in blocks:
        if language == "python":
            (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text)
    commands = next(text for language, text in blocks if not language).strip().splitlines()
    for command in commands:
        outcome = _run(shlex.split(command), tmp_path)
        assert outcome.returncode == 0, outcome.stderr
    built = tmp_path / "build" / "shop"
    assert (built / "flyweight_steps.py").read_text() == (tmp_path / "flyweight_steps.py").read_text()
    model = "flyweight.load('model.safetensors').predict([[2.0, 1.0], [0.0, 0.0]])"
    ask = f"import flyweight, json; print(json.dumps({model}.predictions))"
    assert json.loads(_run(["python", "-c", ask], built).stdout) == [True, False]
    (built / "flyweight_steps.py").unlink()
    assert "it needs a step of your own" in _run(["python", "-B", "-c", ask], built).stderr


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    bins = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": bins + os.pathsep + os.environ["PATH"]}
    command[0] = str(Path(bins) / command[0])
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
