"""The agent under Debian's Python for aarch64, which qemu runs: the bits of x86_64, and nothing lost by kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import flyweight
from flyweight.toolkit.building import build
from tests.conftest import ROOT, TOOLS, missing
from tests.services.web import exchange, free_port, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.needs("aarch64", "qemu-aarch64")]
MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "trees": lambda: RandomForestClassifier(10, max_depth=6, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=5, random_state=0),
}
X, Y = make_classification(200, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0)


@pytest.fixture(scope="module")
def python() -> str:
    """The name of the Python that qemu runs, such as python3.11; this machine's processor runs the same one for comparison."""
    name = (ROOT / TOOLS["aarch64"]).read_text().strip()
    if words := missing(name):
        pytest.skip(f"{words}, so that nothing runs here to compare qemu's answers with")
    return name


def words_of(python: str, *more: str) -> list[str]:
    """The command line of the agent under qemu."""
    root = (ROOT / TOOLS["aarch64"]).with_name("root")
    return ["qemu-aarch64", "-L", str(root), str(root / "usr/bin" / python), "-E", "-S", "edge_main.py", *more]


def environment(state: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "FLYWEIGHT_EDGE_STATE": str(state), "FLYWEIGHT_EDGE_DEVICE": "pi", **more}


def built(name: str, python: str, place: Path) -> Path:
    flyweight.pack(MODELS[name]().fit(X, Y), place / "m.safetensors", sample=X, name="m", engine="pure", edge_count=50)
    return build("edge", place / "m.safetensors", place / "built", python=python.removeprefix("python")).folder


@pytest.mark.parametrize("name", MODELS)
def test_an_agent_on_another_processor_answers_with_the_same_bits(name: str, python: str, tmp_path: Path) -> None:
    folder = built(name, python, tmp_path)
    sent = b"".join(json.dumps([row]).encode() + b"\n" for row in X.tolist())
    answers = []
    for words in ([python, "-E", "-S", "edge_main.py", "--stdin"], words_of(python, "--stdin")):
        environ = environment(tmp_path / f"state{len(answers)}")
        out = subprocess.run(words, cwd=folder, env=environ, input=sent, capture_output=True, timeout=300, check=True).stdout
        answers.append([json.loads(line) for line in out.splitlines()])
        assert [own["sequence"] for own in answers[-1]] == [*range(1, len(X) + 1)]
    here, there = ([{part: own[part] for part in ("predictions", "probabilities")} for own in each] for each in answers)
    assert there == here


def test_killed_on_another_processor_it_forwards_each_answer_once(python: str, tmp_path: Path) -> None:
    folder, port, told = built("trees", python, tmp_path), free_port(), []
    environ = environment(tmp_path / "state", FLYWEIGHT_PORT=str(port), FLYWEIGHT_EDGE_FORWARD=f"file://{tmp_path}/cloud")
    offline = {**environ, "FLYWEIGHT_EDGE_FORWARD": "http://127.0.0.1:9/nowhere"}
    for _ in range(2):
        process = subprocess.Popen(
            words_of(python), cwd=folder, env=offline, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until(lambda: is_ready(port), "the agent is ready", pause=0.1)
            for row in X[:5].tolist():
                status, headers, _ = exchange(
                    port, "POST", "/predict", json.dumps([row]).encode(), {"content-type": "application/json"}
                )
                assert status == 200
                told.append(int(headers["x-flyweight-sequence"]))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    subprocess.run(words_of(python, "--sync"), cwd=folder, env=environ, capture_output=True, timeout=300, check=True)
    lines = [
        json.loads(line) for path in sorted((tmp_path / "cloud/pi").rglob("*.jsonl")) for line in path.read_text().splitlines()
    ]
    assert [line["sequence"] for line in lines] == told == [*range(1, 11)]


def is_ready(port: int) -> bool:
    try:
        return exchange(port, "GET", "/ready")[0] == 200
    except OSError:
        return False
