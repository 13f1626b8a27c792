"""One model file answers with the same bits in a process, in a function, in node and in Chromium.

WebAssembly multiplies and adds in two steps. The C library of Linux takes one step where the processor has it, and then the last
digit of `exp` differs now and then: here it is told to take two.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import flyweight
from flyweight.toolkit.building import build
from flyweight.toolkit.running import runtime
from flyweight.toolkit.targets.browser.job import JSON, Job
from tests.conftest import PYTHON, ROOT
from tests.services.browser import Browser
from tests.targets.browser.host import Host

OLDER = "up to Python 3.11 products are rounded before they are added (docs/decisions/0007), and the browser's Python is newer"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("pyodide", "chromium"),
    pytest.mark.skipif(sys.version_info < (3, 12), reason=OLDER),
]
TWO_STEPS = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2"
}  # https://sourceware.org/glibc/manual/latest/html_node/Hardware-Capability-Tunables.html
ULPS = 4  # between exp in one step and in two, and the quotients made of it
ROWS, PART = 2000, 500  # of each model: 10,000 of all; and in a request
PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
from flyweight.predictor import load
model = load(sys.argv[2])
for line in sys.stdin:
    found = model.predict(json.loads(line))
    print(json.dumps([list(found.predictions), found.probabilities]))
"""
Answers = list[Any]  # of each part: the predictions, and the probabilities or None


def classified(features: int, classes: int) -> tuple[Any, Any]:
    return make_classification(
        ROWS, features, n_informative=features, n_redundant=0, n_classes=classes, n_clusters_per_class=1, random_state=3
    )


FITTED: dict[str, Callable[[], tuple[Any, Any]]] = {
    "linear": lambda: (lambda x, y: (make_pipeline(StandardScaler(), LinearRegression()).fit(x, y), x))(
        *make_regression(ROWS, 20, noise=3, random_state=3)
    ),
    "two_classes": lambda: (lambda x, y: (make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y), x))(*classified(8, 2)),
    "three_classes": lambda: (lambda x, y: (make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y), x))(
        *classified(9, 3)
    ),
    "forest": lambda: (lambda x, y: (RandomForestClassifier(30, max_depth=8, random_state=3).fit(x, y), x))(*classified(8, 3)),
    "boosting": lambda: (lambda x, y: (HistGradientBoostingClassifier(max_iter=30, random_state=3).fit(x, y), x))(
        *classified(8, 3)
    ),
}


@pytest.fixture(scope="module", params=FITTED)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], Answers]:
    """A model file, bodies of rows some of which lie far outside, and the answers of a process without other packages."""
    estimator, table = FITTED[request.param]()
    path = tmp_path_factory.mktemp(request.param) / "model.safetensors"
    flyweight.pack(estimator, path, sample=table[:50], name=request.param, version="1")
    rows = table * np.where(np.arange(ROWS) % 10, 1, 1e3)[:, None]
    parts = [json.dumps(rows[start : start + PART].tolist()) for start in range(0, ROWS, PART)]
    return path, parts, alone(path, parts, TWO_STEPS)


def alone(path: Path, parts: list[str], environ: dict[str, str]) -> Answers:
    """The answers of a Python without other packages."""
    words = [sys.executable, "-I", "-S", "-c", PROGRAM, str(ROOT / "shared"), str(path)]
    done = subprocess.run(
        words, input="\n".join(parts), capture_output=True, text=True, check=True, env={**os.environ, **environ}
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def numbers(answers: Answers) -> Any:
    return np.array([row for _, probabilities in answers for row in probabilities or ()])


def read(bodies: list[str | bytes]) -> Answers:
    documents = [json.loads(body) for body in bodies]
    return [[document["predictions"], document.get("probabilities")] for document in documents]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as made:
        yield made


def test_a_model_answers_alike_everywhere(case: tuple[Path, list[str], Answers], browser: Browser, tmp_path: Path) -> None:
    path, parts, expected = case
    assert sum(len(predictions) for predictions, _ in expected) == ROWS
    function = build("aws", path, tmp_path / "aws", python=PYTHON).folder
    device = build("edge", path, tmp_path / "edge", python=PYTHON).folder
    for folder in (function, device):
        (folder / "numpy.py").write_text("raise ImportError('there is Python alone')\n")
    with runtime("aws")(function, environ=TWO_STEPS) as process:
        event = runtime("aws").event
        request = {"method": "POST", "path": "/predict", "headers": JSON}
        answers = [process.invoke(event({**request, "body": part})) for part in parts]
    assert read([answer.body for answer in answers]) == expected
    with runtime("edge")(device, environ=TWO_STEPS) as agent:
        assert read([agent.invoke({**request, "body": part}).body for part in parts]) == expected
    page = build("browser", path, tmp_path / "page").folder
    assert read([body for _, _, body in Job(page).exchange([("POST", "/predict", JSON, part) for part in parts])]) == expected
    with Host(page) as url:
        browser.open(url)
        asked = [f"flyweightSend({json.dumps(part)}).then((answer) => answer.text())" for part in parts]
        assert read([browser.evaluate(expression) for expression in asked]) == expected


def test_in_one_step_labels_are_the_same_and_probabilities_differ_in_the_last_digits(
    case: tuple[Path, list[str], Answers],
) -> None:
    path, parts, expected = case
    usual = alone(path, parts, {})
    assert [predictions for predictions, _ in usual] == [predictions for predictions, _ in expected]
    one, two = numbers(usual), numbers(expected)
    assert np.all(np.abs(one - two) <= ULPS * np.spacing(np.maximum(one, two)))
