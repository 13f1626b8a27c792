"""Use the steps of this project in every test, as its functions do."""

from pathlib import Path

from flyweight.toolkit.packing import custom_steps

custom_steps.use(Path(__file__).resolve().parents[1] / "shared" / "flyweight_steps.py")
