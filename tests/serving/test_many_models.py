"""Many models in one function: right answers in any order, memory within the budget, and only the names of the setting."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flyweight.serving.service import Service
from flyweight.settings import Settings
from flyweight.values import Request
from tests.conftest import ROOT
from tests.ops.hostile import document, raw

COUNT, WIDTH = 100, 200


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a hundred models of 400 kB, each of which answers a row of ones with its number times its width."""
    folder = tmp_path_factory.mktemp("hundred")
    for number in range(COUNT):
        arrays = {"weights": np.full((250, WIDTH), float(number)), "intercept": np.zeros(250)}
        affine = {"op": "linear.affine", "inputs": ["input"], "output": "a", "arrays": {name: name for name in arrays}}
        first = {"op": "columns.take", "inputs": ["a"], "output": "y", "positions": [0]}
        features = [{"name": f"f{position}", "kind": "number", "nullable": False} for position in range(WIDTH)]
        made = document([affine, first], "y")
        made["signature"]["features"] = features
        (folder / f"{number}.safetensors").write_bytes(raw(made, arrays))
    return folder


PROGRAM = """
import json, random, sys
sys.path.insert(0, {shared!r})
from flyweight.values import Request
from flyweight.serving.service import Service
from flyweight.settings import Caching, Settings
models = {{str(number): {folder!r} + f"/{{number}}.safetensors" for number in range({count})}}
service = Service(Settings(models["0"], caching=Caching(cache_bytes={budget}), models=models), lambda entry: None)
body = json.dumps([[1.0] * {width}]).encode()
def anonymous():
    return int(open("/proc/self/status").read().partition("RssAnon:")[2].split()[0]) * 1024
def ask(number):
    answer = json.loads(service.answer(Request("POST", f"/models/{{number}}/predict", {{}}, body)).body)
    assert answer["predictions"] == [{width}.0 * number], (number, answer)
ask(0)
before, peak = anonymous(), 0
draw = random.Random(0)
for turn in range(600):
    ask(draw.randrange({count}))
    peak = max(peak, anonymous())
print(json.dumps({{"grown": peak - before, "loaded": len(service.models.entries())}}))
"""


@pytest.mark.slow
def test_a_hundred_models_in_64_megabytes_answer_rightly_in_any_order(hundred: Path) -> None:
    budget = 64 << 20
    program = PROGRAM.format(shared=str(ROOT / "shared"), folder=str(hundred), count=COUNT, budget=budget, width=WIDTH)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert 5 <= result["loaded"] < COUNT and result["grown"] < budget, result


@pytest.fixture
def service(hundred: Path) -> Service:
    models = {"seven": str(hundred / "7.safetensors"), "eight": str(hundred / "8.safetensors")}
    return Service(Settings(str(hundred / "1.safetensors"), models=models, preload=("eight",)), lambda entry: None)


def get(service: Service, path: str) -> tuple[int, dict[str, object]]:
    response = service.answer(Request("GET", path, {}, b""))
    return response.status, json.loads(response.body)


def test_each_model_has_the_paths_of_the_default_one(service: Service) -> None:
    body = json.dumps([[1.0] * WIDTH]).encode()
    for path, answer in {"/models/seven/predict": 1400.0, "/models/eight/predict/": 1600.0, "/predict": 200.0}.items():
        assert json.loads(service.answer(Request("POST", path, {}, body)).body)["predictions"] == [answer]
    assert get(service, "/models/seven/openapi.json")[0] == 200
    assert get(service, "/models/seven")[1]["bytes"] == get(service, "/models/seven/model")[1]["bytes"]
    assert get(service, "/models/seven/ready") == (200, {"status": "ready"})
    assert get(service, "/models") == (200, {"models": ["seven", "eight"]})


@pytest.mark.parametrize(
    "path", ["/models/nine", "/models/../1", "/models/seven/health", "/models/seven/models", "/models/seven/x/y"]
)
def test_a_name_that_is_not_listed_or_a_path_that_no_model_has_is_404(service: Service, path: str) -> None:
    assert get(service, path)[0] == 404


def test_the_models_of_the_setting_are_loaded_ahead(service: Service) -> None:
    service.preload()
    assert len(service.models.entries()) == 2
