"""The steps of this project are in use in every test, as they are in its functions."""

from pathlib import Path

from flyweight.toolkit.packing import custom_steps

custom_steps.use(Path(__file__).resolve().parents[1] / "shared" / "flyweight_steps.py")
