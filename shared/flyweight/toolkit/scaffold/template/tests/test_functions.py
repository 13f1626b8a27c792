"""Build each target's function from this project's handler and model, and run its events in the target's real runtime."""

import json
import sys
from pathlib import Path

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.building import build

ROOT = Path(__file__).resolve().parents[1]
MODEL = sorted((ROOT / "models").glob("*.safetensors"))[0]
TARGETS = sorted(path.name for path in (ROOT / "events").iterdir() if path.is_dir() and not path.name.startswith("_"))
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize("name", TARGETS)
def test_the_function_answers_its_events(name: str, tmp_path: Path) -> None:
    """Every event in events/TARGET is answered with 200."""
    target = targets.find(name)
    folder = build(name, MODEL, tmp_path / "built", handler=ROOT / "handlers" / target.handler, python=PYTHON).folder
    events = sorted((ROOT / "events" / name).glob("*.json"))
    assert events
    with target.runtime(folder) as function:
        for path in events:
            assert function.invoke(json.loads(path.read_text())).status == 200, path.name
