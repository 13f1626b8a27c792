"""Native boosters of LightGBM."""

from __future__ import annotations

from typing import Any

from flyweight.toolkit.packing.natives import NativeModel


class LightGBM(NativeModel):
    """`lightgbm.Booster`: sums under the objective's link."""

    __module__, __qualname__ = "lightgbm", "Booster"

    def __init__(self, booster: Any) -> None:
        self.booster_ = booster
        names = booster.feature_name()
        made_up = names == [f"Column_{position}" for position in range(len(names))]
        super().__init__(len(names), None if made_up else names)

    def predict(self, X: Any) -> Any:
        """Answer on one thread, since threads hang in forked processes."""
        return self.booster_.predict(X, num_threads=1)


def adopted(model: Any) -> Any:
    """Wrap a booster; return anything else as it is."""
    return LightGBM(model) if type(model).__qualname__ == "Booster" else model
