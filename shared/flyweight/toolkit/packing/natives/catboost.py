"""Native models of CatBoost."""

from __future__ import annotations

from typing import Any

from flyweight.toolkit.packing.natives import NativeModel


class CatBoost(NativeModel):
    """`catboost.CatBoost`: raw sums. One that is loaded from a file has no `n_features_in_`, which packing reads."""

    __module__, __qualname__ = "catboost", "CatBoost"

    def __init__(self, booster: Any) -> None:
        self.booster_ = booster
        names = booster.feature_names_
        made_up = names == [str(position) for position in range(len(names))]
        super().__init__(len(names), None if made_up else names)

    def save_model(self, path: str, format: str) -> None:
        """Save the booster, like CatBoost's own method."""
        self.booster_.save_model(path, format=format)

    def predict(self, X: Any) -> Any:
        """Answer on one thread, since threads hang in forked processes."""
        return self.booster_.predict(X, thread_count=1)


def adopted(model: Any) -> Any:
    """Wrap a `CatBoost`; its subclasses are estimators already."""
    return CatBoost(model) if type(model).__qualname__ == "CatBoost" else model
