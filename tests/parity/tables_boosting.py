"""Tables for boosted trees: targets of every kind, categories as numbers, strings and frames, queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tests.parity.tables import Table, holes, regression, words


def counts() -> Table:
    """A target above zero."""
    X, y = regression()
    return X, y / 100.0


def shares() -> Table:
    """A target from 0 to 1."""
    X, y = regression()
    return X, (y - y.min()) / (y.max() - y.min())


def zeros() -> Table:
    """Numbers, a fifth of them missing, another fifth zero."""
    X, y = holes()
    X = X.copy()
    X[np.random.default_rng(3).random(X.shape) < 0.2] = 0.0
    return X, y


def shop() -> Table:
    """Categories as whole numbers, few and small, many and large, beside a number; some missing."""
    rng = np.random.default_rng(2)
    X = np.column_stack([rng.integers(0, 6, 500), rng.integers(0, 40, 500) * 997 + 3, rng.normal(size=500)]).astype(float)
    y = np.isin(X[:, 0], (1, 4)) * 3.0 + (X[:, 1] % 7) + X[:, 2] + rng.normal(0, 0.1, 500)
    X[rng.random(X.shape) < 0.05] = np.nan
    return X, y


def frame_of_categories() -> Table:
    """A frame of strings, numbers and truth values as pandas' categories, with missing ones."""
    X, y = words()
    return X.assign(**{name: X[name].astype("category") for name in ("color", "size", "kind")}), y


def numeric_categories() -> Table:
    """A frame of a category of whole numbers, and numbers."""
    X, y = frame_of_categories()
    return X.drop(columns=["color", "kind"]).assign(x=np.random.default_rng(4).normal(size=len(X))), y


def queries() -> tuple[Any, Any, list[int]]:
    """Rows, relevance, and the number of rows of each query."""
    X, y = regression()
    return X[:400], np.digitize(y[:400], [80, 140, 220]), [20] * 20


def classified(table: Callable[[], Table]) -> Callable[[], Table]:
    """A table whose target is cut into three classes."""

    def made() -> Table:
        X, y = table()
        return X, np.array(["low", "mid", "top"])[np.digitize(y, np.quantile(y, [0.3, 0.7]))]

    return made


def censored() -> Table:
    """Times of events; a censored time is below zero."""
    X, y = regression()
    return X, np.where(y > 150, -y, y)


def goods() -> Table:
    """Strings and whole numbers as categories, beside numbers of which some are missing."""
    rng = np.random.default_rng(5)
    words = ["", "red", "green", "Ünïcode", "a rather long name of a category, longer than any block of the hash"]
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=400),
            "word": pd.Series(rng.choice(words, 400), dtype=object),
            "size": rng.choice([1, 2, 3, -40, 1000], 400),
            "z": rng.normal(size=400),
        }
    )
    frame.loc[::9, "z"] = np.nan
    y = (frame["word"] == "red") * 2.0 + (frame["size"] == 3) * frame["x"] + frame["x"] + rng.normal(0, 0.2, 400)
    return frame, y.to_numpy()


def crossed() -> Table:
    """A target that depends on categories and a number together."""
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"a": rng.choice(list("pqrst"), 600), "b": rng.choice([7, 8, 9], 600), "x": rng.normal(size=600)})
    frame["z"] = rng.normal(size=600)
    y = ((frame["a"] == "p") ^ (frame["b"] == 8) ^ (frame["x"] > 0.2)) * 3.0 + (frame["a"] == "q") * frame["z"]
    return frame, (y + rng.normal(0, 0.1, 600)).to_numpy()
