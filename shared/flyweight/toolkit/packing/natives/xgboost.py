"""Native boosters of XGBoost."""

from __future__ import annotations

from typing import Any

from flyweight.toolkit.packing.natives import NativeModel


class XGBoost(NativeModel):
    """`xgboost.Booster`: sums under the objective's link, of all its trees."""

    __module__, __qualname__ = "xgboost", "Booster"

    def __init__(self, booster: Any) -> None:
        self.booster_ = booster
        super().__init__(booster.num_features(), booster.feature_names)

    def get_booster(self) -> Any:
        """Get the booster, under the name that XGBoost's estimators have for it."""
        return self.booster_

    def predict(self, X: Any) -> Any:
        """Answer through `inplace_predict`, as XGBoost's own estimators do: it takes tables as they are."""
        return self.booster_.inplace_predict(X)


def adopted(model: Any) -> Any:
    """Wrap a booster; return anything else as it is."""
    return XGBoost(model) if type(model).__qualname__ == "Booster" else model
