"""The files in which LightGBM, XGBoost and CatBoost save their boosters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing.natives import adopt


class BoosterRefused(ToolkitError, ValueError):
    """A file that is not a saved booster of a known library."""


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
    """Find the library and form of a saved booster by its first bytes; None if none exists.

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
