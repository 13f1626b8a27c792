"""The page of Hadoop: the first lines answer as shown, and the line that submits a job is the one that the script prints."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT
from tests.docs.answers import alike

PAGE = (ROOT / "docs" / "providers" / "hadoop.md").read_text()


def test_the_first_answer_is_as_shown(built: Callable[[str], Path]) -> None:
    [line] = re.findall(r"^echo '.*' \|\n.*$", PAGE, re.MULTILINE)
    [shown] = re.findall(r"^7\t\{.*\}$", PAGE, re.MULTILINE)
    mapper = shlex.quote(str(built("hadoop") / "mapper.pyz"))
    line = line.replace("python3 build/hadoop/mapper.pyz", f"{shlex.quote(sys.executable)} {mapper}")
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    (key, answer), (own_key, own_answer) = done.stdout.split("\t"), shown.split("\t")
    assert key == own_key and alike(json.loads(answer), json.loads(own_answer)), done.stdout + done.stderr


def test_the_submitted_line_is_as_shown(built: Callable[[str], Path]) -> None:
    [shown] = re.findall(r"^mapred streaming .*\\\n.*$", PAGE, re.MULTILINE)
    folder = built("hadoop")
    words = ["bash", str(folder / "submit.sh"), "--dry-run", "--key", "id"]
    environ = {"INPUT": "/birds", "OUTPUT": "/answers", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environ)
    assert shlex.split(done.stdout.replace(str(folder), "build/hadoop")) == shlex.split(shown.replace("\\\n", ""))


def test_each_option_of_the_mapper_is_explained(built: Callable[[str], Path]) -> None:
    words = [sys.executable, built("hadoop") / "mapper.pyz", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    options = {*re.findall(r"^  (--[a-z-]+)", done.stdout, re.MULTILINE)}
    assert len(options) > 6 and {option for option in options if f"| `{option}" not in PAGE} == set()
