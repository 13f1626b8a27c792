"""Each provider's function, built of this project's own handler and model, answers its events in that provider's real runtime."""

import json
import sys
from pathlib import Path

import pytest

from flyweight.toolkit.building import build
from flyweight.toolkit.running import runtime

ROOT = Path(__file__).resolve().parents[1]
MODEL = sorted((ROOT / "models").glob("*.safetensors"))[0]
PROVIDERS = sorted(path.name for path in (ROOT / "handlers").iterdir() if path.is_dir() and not path.name.startswith("_"))
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_function_answers_its_events(provider: str, tmp_path: Path) -> None:
    """Every event in events/PROVIDER is answered with 200."""
    folder = build(provider, MODEL, tmp_path / "built", handler=ROOT / "handlers" / provider, python=PYTHON).folder
    events = sorted((ROOT / "events" / provider).glob("*.json"))
    assert events
    with runtime(provider)(folder) as function:
        for path in events:
            assert function.invoke(json.loads(path.read_text())).status == 200, path.name
