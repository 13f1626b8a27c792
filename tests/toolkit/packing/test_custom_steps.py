"""The user's own steps: found by name and checked; a model reaches nothing outside of their table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import flyweight
from flyweight.toolkit.packing import custom_steps
from tests.ops.hostile import predictor

VALID = 'def twice(row):\n    return [2 * v for v in row]\n\nSTEPS = {"twice": (twice, "nn")}\n'
NODE = {"op": "own.step", "inputs": ["input"], "output": "y", "step": "twice"}


@pytest.fixture
def use(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    def write(text: str) -> None:
        (tmp_path / "mine.py").write_text(text)
        custom_steps.use(tmp_path / "mine.py")

    yield write
    sys.modules.pop("flyweight_steps", None)


def test_a_step_answers(use: Callable[[str], None]) -> None:
    use(VALID)
    assert predictor([NODE], "y", outputs=2).predict([[1, 2]]).predictions == [[2.0, 4.0]]
    assert custom_steps.kinds_of("twice") == "nn"
    assert custom_steps.kinds_of("thrice") is None


def test_a_model_reaches_nothing_outside_of_the_table(use: Callable[[str], None]) -> None:
    with pytest.raises(flyweight.ModelRefused, match="a step of your own: a module flyweight_steps"):
        predictor([NODE], "y", outputs=2)
    use("import os\n" + VALID)
    for name in ("os.system", "system", "__class__", 7, None, ["twice"]):
        with pytest.raises(flyweight.ModelRefused, match="expected one of"):
            predictor([{**NODE, "step": name}], "y", outputs=2)


@pytest.mark.parametrize("text", ["", "STEPS = 3", "STEPS = {'a': len}", "STEPS = {'a': (len, 'x')}", "STEPS = {'a': (1, 'n')}"])
def test_a_file_without_a_valid_table_is_refused(use: Callable[[str], None], text: str) -> None:
    with pytest.raises(custom_steps.StepsRefused, match="no table STEPS"):
        use(text)


def test_a_step_with_a_wrong_number_of_columns_is_an_error_of_the_deployment(use: Callable[[str], None]) -> None:
    use(VALID.replace("[2 * v for v in row]", "[1]"))
    with pytest.raises(TypeError, match=r"the step 'twice' gave \[1\], expected a list of 2"):
        predictor([NODE], "y", outputs=2).predict([[1, 2]])


def test_a_step_may_refuse_a_value(use: Callable[[str], None]) -> None:
    refusal = 'import flyweight\ndef twice(row):\n    raise flyweight.InvalidInput(flyweight.Fault("a plate", "none"))\n'
    use(refusal + 'STEPS = {"twice": (twice, "nn")}\n')
    with pytest.raises(flyweight.InvalidInput, match="instance 0: expected a plate"):
        predictor([NODE], "y", outputs=2).predict([[1, 2]])
