"""Native boosters as scikit-learn's estimators look: what packing asks of an estimator, and no more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator


class Native(BaseEstimator):  # type: ignore[misc]
    """A fitted native booster: a regressor whose values are what its own `predict` gives, probabilities for classes included."""

    def __init__(self, booster: Any) -> None:
        self.booster_ = booster
        count, names = self._features()
        self.n_features_in_ = count
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """None: all that could be set has been."""
        return {}

    def fit(self, X: Any, y: Any) -> Any:
        """A booster is fitted already.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError("a native booster is fitted by its own library")

    if TYPE_CHECKING:  # each library has its own

        def predict(self, X: Any) -> Any:
            """The booster's own answer, one row each."""
            ...

        def _features(self) -> tuple[int, list[str] | None]:
            """How many features there are, and their names where the library did not make them up."""
            ...


class LightGBM(Native):
    """`lightgbm.Booster`: sums under the objective's link."""

    # the class for which it stands, by whose name its converter is found and reports speak
    __module__, __qualname__ = "lightgbm", "Booster"

    def predict(self, X: Any) -> Any:
        """On one thread, as forked ones hang."""
        return self.booster_.predict(X, num_threads=1)

    def _features(self) -> tuple[int, list[str] | None]:
        names = self.booster_.feature_name()
        made_up = names == [f"Column_{position}" for position in range(len(names))]
        return len(names), None if made_up else names


class XGBoost(Native):
    """`xgboost.Booster`: sums under the objective's link, of all its trees."""

    __module__, __qualname__ = "xgboost", "Booster"

    def get_booster(self) -> Any:
        """The booster, as XGBoost's estimators call it."""
        return self.booster_

    def predict(self, X: Any) -> Any:
        """Through `inplace_predict`, as XGBoost's own estimators ask: it takes tables as they are."""
        return self.booster_.inplace_predict(X)

    def _features(self) -> tuple[int, list[str] | None]:
        return self.booster_.num_features(), self.booster_.feature_names


class CatBoost(Native):
    """`catboost.CatBoost`: raw sums. Loaded from a file, it does not say how many features it has, where packing looks."""

    __module__, __qualname__ = "catboost", "CatBoost"

    def save_model(self, path: str, format: str) -> None:
        """As CatBoost's own."""
        self.booster_.save_model(path, format=format)

    def predict(self, X: Any) -> Any:
        """On one thread, as forked ones hang."""
        return self.booster_.predict(X, thread_count=1)

    def _features(self) -> tuple[int, list[str] | None]:
        names = self.booster_.feature_names_
        made_up = names == [str(position) for position in range(len(names))]
        return len(names), None if made_up else names


# class of a native booster -> what adopts it
ADOPTED: dict[str, type[Native]] = {"lightgbm.Booster": LightGBM, "xgboost.Booster": XGBoost, "catboost.CatBoost": CatBoost}


def adopt(model: Any) -> Any:
    """A native booster in its wrapper; anything else as it is."""
    cls = type(model)
    wrapper = ADOPTED.get(f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}")
    return model if wrapper is None or isinstance(model, Native) else wrapper(model)


def is_saved(path: str | Path) -> bool:
    """Whether a file is a booster as its own library saved it."""
    with Path(path).open("rb") as file:
        return _library(file.read(HEAD)) is not None


def load(path: str | Path) -> Any:
    """A booster from the file in which its own library saved it, adopted.

    LightGBM's text, XGBoost's UBJSON or JSON, CatBoost's binary (`cbm`) or JSON: the file's first bytes tell which, whatever it
    is called.

    :raises ValueError: it is none of these.
    """
    path = Path(path)
    with path.open("rb") as file:
        library = _library(file.read(HEAD))
    if library is None:
        raise ValueError(f"{path.name} is neither a model of LightGBM, nor of XGBoost, nor of CatBoost")
    return adopt(LOADERS[library](path))


HEAD = 100  # bytes that tell one format from the others


def _library(data: bytes) -> str | None:
    """XGBoost's documents are objects with a `learner`, CatBoost's JSON has `features_info` or `model_info` at its top."""
    start = data.lstrip()[:HEAD]
    if start.startswith(b"tree\nversion="):
        return "lightgbm"
    if data.startswith(b"CBM1"):
        return "catboost"
    if not start.startswith(b"{"):
        return None
    if b"learner" in start[:100]:
        return "xgboost"
    top = (b'"features_info"', b'"model_info"', b'"ctr_data"', b'"oblivious_trees"')
    return "catboost.json" if start[1:].lstrip().startswith(top) else None


def _lightgbm(path: Path) -> Any:
    import lightgbm

    return lightgbm.Booster(model_file=str(path))


def _xgboost(path: Path) -> Any:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(path.read_bytes()))  # of bytes it tells the form itself, of a path by the suffix
    return booster


def _catboost(form: str) -> Callable[[Path], Any]:
    def load_model(path: Path) -> Any:
        from catboost import CatBoost  # type: ignore[import-untyped]

        return CatBoost().load_model(str(path), format=form)

    return load_model


LOADERS: dict[str, Callable[[Path], Any]] = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost("cbm"),
    "catboost.json": _catboost("json"),
}
