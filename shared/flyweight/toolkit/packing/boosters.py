"""Native boosters behind the part of scikit-learn's estimator interface that packing uses, and their own file formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from flyweight.toolkit.errors import ToolkitError


class BoosterRefused(ToolkitError, ValueError):
    """A file that is not a saved booster of a known library."""


class NativeBooster(BaseEstimator):  # type: ignore[misc]
    """A fitted native booster as a regressor: its values are what its own `predict` gives, also where those are probabilities."""

    def __init__(self, booster: Any) -> None:
        self.booster_ = booster
        count, names = self._features()
        self.n_features_in_ = count
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return no parameters: a fitted booster can't be changed."""
        return {}

    def fit(self, X: Any, y: Any) -> Any:
        """Refuse to fit; scikit-learn takes only what has this method for an estimator.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError("a native booster is fitted by its own library")

    if TYPE_CHECKING:  # each library has its own

        def predict(self, X: Any) -> Any:
            """Answer as the booster itself does; each row gets one value, or one a class."""
            ...

        def _features(self) -> tuple[int, list[str] | None]:
            """Get the number of features, and their names; None if the library made the names up."""
            ...


class LightGBM(NativeBooster):
    """`lightgbm.Booster`: sums under the objective's link."""

    # the class that it stands for: converters are found by its name, and reports show it
    __module__, __qualname__ = "lightgbm", "Booster"

    def predict(self, X: Any) -> Any:
        """Answer on one thread, since threads hang in forked processes."""
        return self.booster_.predict(X, num_threads=1)

    def _features(self) -> tuple[int, list[str] | None]:
        names = self.booster_.feature_name()
        made_up = names == [f"Column_{position}" for position in range(len(names))]
        return len(names), None if made_up else names


class XGBoost(NativeBooster):
    """`xgboost.Booster`: sums under the objective's link, of all its trees."""

    __module__, __qualname__ = "xgboost", "Booster"

    def get_booster(self) -> Any:
        """Get the booster, under the name that XGBoost's estimators have for it."""
        return self.booster_

    def predict(self, X: Any) -> Any:
        """Answer through `inplace_predict`, as XGBoost's own estimators do: it takes tables as they are."""
        return self.booster_.inplace_predict(X)

    def _features(self) -> tuple[int, list[str] | None]:
        return self.booster_.num_features(), self.booster_.feature_names


class CatBoost(NativeBooster):
    """`catboost.CatBoost`: raw sums. One that is loaded from a file has no `n_features_in_`, which packing reads."""

    __module__, __qualname__ = "catboost", "CatBoost"

    def save_model(self, path: str, format: str) -> None:
        """Save the booster, like CatBoost's own method."""
        self.booster_.save_model(path, format=format)

    def predict(self, X: Any) -> Any:
        """Answer on one thread, since threads hang in forked processes."""
        return self.booster_.predict(X, thread_count=1)

    def _features(self) -> tuple[int, list[str] | None]:
        names = self.booster_.feature_names_
        made_up = names == [str(position) for position in range(len(names))]
        return len(names), None if made_up else names


# class of a native booster -> its wrapper
ADOPTED: dict[str, type[NativeBooster]] = {
    "lightgbm.Booster": LightGBM,
    "xgboost.Booster": XGBoost,
    "catboost.CatBoost": CatBoost,
}


def adopt(model: Any) -> Any:
    """Wrap a native booster; return anything else as it is."""
    cls = type(model)
    wrapper = ADOPTED.get(f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}")
    return model if wrapper is None or isinstance(model, NativeBooster) else wrapper(model)


def is_saved(path: str | Path) -> bool:
    """Check by its first bytes whether a file is a booster that its own library saved.

    :raises OSError: the file can't be read.
    """
    with Path(path).open("rb") as file:
        return _library(file.read(HEAD)) is not None


def load(path: str | Path) -> Any:
    """Load a booster from a file that its own library saved, and wrap it.

    The format is found by the file's first bytes and not by its name: LightGBM's text, XGBoost's UBJSON or JSON, CatBoost's
    binary (`cbm`) or JSON.

    :raises BoosterRefused: the file has none of these formats.
    :raises OSError: the file can't be read.
    """
    path = Path(path)
    with path.open("rb") as file:
        library = _library(file.read(HEAD))
    if library is None:
        raise BoosterRefused(f"{path.name} is neither a model of LightGBM, nor of XGBoost, nor of CatBoost")
    return adopt(LOADERS[library](path))


HEAD = 100  # bytes by which the formats are told apart


def _library(data: bytes) -> str | None:
    """Find the library and form of a saved booster by its first bytes; None if there is none.

    XGBoost's documents are objects with a `learner`; CatBoost's JSON begins with `features_info` or `model_info`.
    """
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
    booster.load_model(bytearray(path.read_bytes()))  # in bytes it finds the form itself, of a path it looks at the suffix
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
