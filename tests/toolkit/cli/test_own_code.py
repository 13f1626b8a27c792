"""`--steps` and `--import` stand before a verb or after it, and a folder that holds steps needs neither."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import joblib
import numpy as np
import pytest
from click.testing import Result
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from flyweight.toolkit.cli import main

Run = Callable[..., Result]
STEPS = 'def ratio(row):\n    a, b = row\n    return [a / (b + 1)]\n\n\nSTEPS = {"ratio": (ratio, "n")}\n'
TRAINING = "def ratio(X):\n    return X[:, [0]] / (X[:, [1]] + 1)\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an estimator that calls a function of one's own, and a step for it."""
    monkeypatch.chdir(tmp_path)
    before = [*sys.path]
    (tmp_path / "own_shop.py").write_text(TRAINING)
    (tmp_path / "own_steps.py").write_text(STEPS)
    monkeypatch.syspath_prepend(str(tmp_path))
    from own_shop import ratio  # type: ignore[import-not-found]

    rows = np.random.default_rng(0).integers(0, 9, (60, 2)).astype(float)
    estimator = make_pipeline(FunctionTransformer(ratio), LinearRegression()).fit(rows, rows[:, 0])
    joblib.dump(estimator, tmp_path / "shop.joblib")
    sys.path[:] = before
    yield tmp_path
    for name in ("own_shop", "flyweight_steps"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_step_is_packed_and_a_folder_that_holds_it_is_invoked_without_it(place: str, shop: Path, run: Run) -> None:
    own = ["--steps", "own_steps.py", "--import", "own_shop"]

    def verb(*words: str) -> Result:
        sys.modules.pop("flyweight_steps", None)
        return run(*own, *words) if place == "before" else run(*words, *own)

    packed = verb("pack", "shop.joblib", "--rows", "20")
    assert packed.exit_code == 0, packed.output
    assert "flyweight serve shop.safetensors --steps own_steps.py" in packed.stdout
    assert verb("build", "aws", "--model", "shop.safetensors", "-o", "built", "--no-bytecode").exit_code == 0
    sys.modules.pop("flyweight_steps", None)
    answered = run("invoke", "aws", "--folder", "built", "--json")
    assert answered.exit_code == 0, answered.output
    assert json.loads(answered.stdout)["answer"]["status"] == 200
    assert run("inspect", "shop.safetensors").exit_code == 1
    assert run("inspect", "shop.safetensors", "--steps", "own_steps.py").exit_code == 0


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--import", "no_such_module"], "--import no_such_module: ModuleNotFoundError"),
        (["--import", "broken"], "--import broken: ZeroDivisionError"),
        (["--steps", "none.py"], "none.py: No such file or directory"),
        (["--steps", "empty.py"], "empty.py has no table STEPS"),
    ],
)
def test_code_that_can_not_be_used_is_one_message(
    place: str, option: list[str], said: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    words = ["inspect", "model.safetensors"]
    result = run(*option, *words) if place == "before" else run(*words, *option)
    assert result.exit_code == 1 and said in result.stderr and "\nnext: " in result.stderr


@pytest.mark.parametrize("verb", ["pack", "inspect", "predict", "build", "invoke", "serve", "new", "deploy", "push", "sign"])
def test_each_verb_that_loads_a_model_shows_both_options(verb: str) -> None:
    command = main.get_command(click.Context(main), verb)  # type: ignore[attr-defined]
    shown = {name for option in command.params for name in option.opts}
    assert {"--steps", "--import"} <= shown
