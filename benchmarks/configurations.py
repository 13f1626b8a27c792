"""Fit every class of scikit-learn that answers on new data, in its defaults and with one parameter changed, to small tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from numbers import Integral, Real
from typing import Any
from unittest import SkipTest

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.discovery import all_estimators

try:
    from sklearn.frozen import FrozenEstimator
    from sklearn.utils._test_common.instance_generator import _construct_instances
except ModuleNotFoundError:  # before scikit-learn 1.6
    from sklearn.utils.estimator_checks import _construct_instance, _set_checking_parameters

    class FrozenEstimator:  # type: ignore[no-redef]
        """Stands for the class that this version does not have."""

    def _construct_instances(cls: Any) -> Iterator[Any]:
        """Make the one configuration of scikit-learn's own tests."""
        estimator = _construct_instance(cls)
        _set_checking_parameters(estimator)
        yield estimator


# of classes for which the tests of older versions have none, as the newest have them
PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "ColumnTransformer": lambda: {"transformers": [("trans1", StandardScaler(), [0, 1])]},
    "FeatureUnion": lambda: {"transformer_list": [("trans1", StandardScaler())]},
    "Pipeline": lambda: {"steps": [("scaler", StandardScaler()), ("final_estimator", LogisticRegression())]},
    **{
        f"{kind}SearchCV": lambda name=name: {"estimator": LogisticRegression(), name: {"C": [0.1, 1.0]}}
        for kind, name in (
            *(("Grid", "param_grid"), ("HalvingGrid", "param_grid")),
            *(("Randomized", "param_distributions"), ("HalvingRandom", "param_distributions")),
        )
    },
    "SparseCoder": lambda: {"dictionary": np.random.RandomState(0).normal(size=(5, 3))},
}
NO_ROWS = {"LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer", "PatchExtractor"}  # these transform labels or images
# These change the output, the number of cores or the repetitions of a fit, not its result.
SILENT = {
    "verbose",
    "copy",
    "copy_X",
    "n_jobs",
    "random_state",
    "warm_start",
    "cache_size",
    "memory",
    "max_iter",
    "n_init",
    "tol",
}
TEXTS = ["a cat sat", "the dog ran", "a dog sat", "the cat ran far", "birds fly", "a bird sat on the dog"] * 5
DICTS = [{"a": float(n), "b": float(n % 3), **({"c": "x"} if n % 2 else {})} for n in range(30)]


def classes() -> dict[str, Any]:
    """List the classes by name."""
    found = dict(all_estimators())
    return {n: c for n, c in found.items() if n not in NO_ROWS and (hasattr(c, "predict") or hasattr(c, "transform"))}


@cache
def tables() -> dict[str, tuple[Any, Any]]:
    """Make the tables, named by what is particular in them; the first that an estimator can be fitted to is its own."""
    X, y = load_iris(return_X_y=True)
    D, t = load_diabetes(return_X_y=True, scaled=False)
    D, t = D[:200], t[:200]
    rng = np.random.default_rng(0)
    holes = X.copy()
    holes[rng.random(X.shape) < 0.1] = np.nan
    counts = rng.poisson(0.4, size=(120, 12)).astype(float)
    mixed = pd.DataFrame({"kind": rng.choice(["a", "b", "c"], 120), "size": rng.normal(size=120), "many": counts[:, 0]})
    return {
        "numbers": (X, y),
        "a numeric target": (D, t),
        "several numeric targets": (D, np.column_stack([t, D[:, 2]])),
        "several labels": (X, np.column_stack([y, y[::-1]])),
        "labels as strings": (X, np.array(["setosa", "versicolor", "virginica"])[y]),
        "two classes": (X[:100], y[:100]),
        "missing values": (holes, y),
        "counts, most of them zero": (counts, (counts[:, 0] > 0).astype(int)),
        "strings and numbers": (mixed, (mixed["size"] > 0).astype(int).to_numpy()),
        "one column": (X[:, :1], y.astype(float)),
        "texts": (TEXTS, np.arange(len(TEXTS)) % 2),
        "dictionaries": (DICTS, np.arange(len(DICTS)) % 2),
    }


def tables_for(cls: Any) -> list[str]:
    """List the tables' names in the order in which a class tries them: classes for texts or gaps try such tables first."""
    made_for = {"feature_extraction": ("texts", "dictionaries"), "impute": ("missing values",)}
    first = made_for.get(cls.__module__.split(".")[1], ())
    return sorted(tables(), key=lambda table: table not in first)


def defaults(cls: Any) -> Any:
    """Make the first configuration of scikit-learn's own tests: the defaults, with small parts for an estimator of parts."""
    if cls is FrozenEstimator:
        return FrozenEstimator(LogisticRegression(max_iter=1000).fit(*tables()["numbers"]))
    try:
        estimator = next(iter(_construct_instances(cls)))
    except SkipTest:
        estimator = cls(**PARTS[cls.__name__]())
    # the same fit each time, so that the results do not change by chance
    if cls is LocalOutlierFactor:
        estimator.set_params(novelty=True)  # without it, it does not answer new rows
    seeds = [key for key in estimator.get_params() if key.rpartition("__")[2] == "random_state"]
    return estimator.set_params(**dict.fromkeys(seeds, 0))


def others(cls: Any) -> Iterator[tuple[str, Any]]:
    """Make configurations that differ in one parameter, by the values that the class itself declares as valid."""
    estimator = defaults(cls)
    values = estimator.get_params(deep=False)
    for name, constraints in getattr(cls, "_parameter_constraints", {}).items():
        if name in SILENT or name not in values or not isinstance(constraints, list):
            continue
        for value in _others(values[name], constraints):
            try:
                yield f"{name}={value!r}", clone(estimator).set_params(**{name: value})
            except Exception:  # some values exclude each other
                continue


def _others(value: Any, constraints: list[Any]) -> list[Any]:
    """List other values of a parameter: each other word, the other boolean, and a nearby number."""
    found: list[Any] = []
    for constraint in constraints:
        if isinstance(constraint, (StrOptions, Options)):
            words = constraint.options - constraint.deprecated - {value, "precomputed", "precomputed_nearest_neighbors"}
            found += sorted(word for word in words if isinstance(word, str))
        elif constraint == "boolean" and isinstance(value, (bool, np.bool_)):
            found.append(not value)
        elif type(value) in (int, float) and (constraint is Real or isinstance(constraint, Interval)):
            beside = value * 0.5 if value else 0.5
            if isinstance(constraint, Interval) and issubclass(constraint.type, Integral):
                beside = value + 1
            found += [beside] if (constraint is Real or beside in constraint) and beside not in found else []
    return found


def fitted(estimator: Any, table: str) -> Any:
    """Fit the estimator to a table, and ask it once, so that the returned one can answer.

    :raises Exception: it can't be fitted to that table.
    """
    X, y = tables()[table]
    estimator = estimator if isinstance(estimator, FrozenEstimator) else clone(estimator).fit(X, y)
    (getattr(estimator, "predict", None) or estimator.transform)(X[:2])
    return estimator
