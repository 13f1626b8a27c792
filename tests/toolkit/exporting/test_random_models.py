"""Random models of random tables: each export answers as its model does, or says why not."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, Normalizer, PolynomialFeatures, RobustScaler
from sklearn.preprocessing import StandardScaler as Standard
from sklearn.tree import DecisionTreeClassifier

import flyweight
from flyweight.toolkit.exporting.export import export

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
STEPS = [Standard, MinMaxScaler, MaxAbsScaler, RobustScaler, Normalizer, lambda: PolynomialFeatures(2)]
STEPS.append(lambda: KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf"))
CLASSIFIERS = [
    LogisticRegression,
    lambda: SGDClassifier(loss="log_loss"),
    DecisionTreeClassifier,
    lambda: ExtraTreesClassifier(7),
]
REGRESSORS = [Ridge, lambda: RandomForestRegressor(7), lambda: HistGradientBoostingRegressor(max_iter=7)]


def random_model(seed: int) -> tuple[Any, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(120, rng.integers(1, 6))) * 10.0 ** rng.integers(-3, 4)
    X[rng.random(X.shape) < 0.05 * rng.integers(0, 2)] = np.nan
    y = np.nan_to_num(X).sum(axis=1) + rng.normal(size=len(X)) * X[np.isfinite(X)].std()
    classes = rng.integers(0, 3)
    target = np.digitize(y, np.quantile(y, np.linspace(0, 1, classes + 2)[1:-1])) if classes else y
    steps = [SimpleImputer(), *[STEPS[place]() for place in rng.choice(len(STEPS), rng.integers(0, 3))]]
    final = CLASSIFIERS[rng.integers(len(CLASSIFIERS))]() if classes else REGRESSORS[rng.integers(len(REGRESSORS))]()
    seeds = {"random_state": seed} if "random_state" in final.get_params() else {}
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_pipeline(*steps, final.set_params(**seeds)).fit(table, target), table


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_random_model_is_exported_to_onnx_and_c(seed: int, tmp_path: Path) -> None:
    estimator, X = random_model(seed)
    flyweight.pack(estimator, tmp_path / "m.safetensors", sample=X, engine="pure", edge_count=200)
    for form, suffix in (("onnx", ".onnx"), *([("c", ".h")] if shutil.which("cc") else [])):
        exported = export(tmp_path / "m.safetensors", form, tmp_path / f"m{suffix}", rows=200)
        assert all(own.beyond == 0 and own.rows > 100 for own in exported.proof.outputs.values())
        assert exported.proof.answered == 0
