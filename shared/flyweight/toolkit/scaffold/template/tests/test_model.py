"""Compare the model's answers to its own sample with those at packing."""

from pathlib import Path

from flyweight.predictor import load

ROOT = Path(__file__).resolve().parents[1]


def test_each_model_answers_as_it_did_when_it_was_packed() -> None:
    """The sample is part of the model file."""
    models = sorted((ROOT / "models").glob("*.safetensors"))
    assert models
    for path in models:
        assert load(str(path)).passes_self_test(), path.name
