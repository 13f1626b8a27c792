"""imbalanced-learn: pipelines with samplers, which do nothing to new rows, and its ensembles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from imblearn import FunctionSampler
from imblearn.combine import SMOTEENN
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from tests.parity.cases import Case, of
from tests.parity.tables import Table, binary, holes, mixed, three

FEW: dict[str, Any] = {"n_estimators": 4, "random_state": 0}


def rare() -> Table:
    """Three classes, of 50, 30 and 20 rows."""
    X, y = three()
    kept = np.r_[0:50, 50:80, 100:120]
    return X[kept], np.array(["often", "seldom", "rarely"])[y[kept]]


def penguins() -> Callable[[], Case]:
    """Samplers first, in the middle and beside each other, before and after columns are encoded."""
    encoded = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["island", "sex"]), remainder=SimpleImputer()
    )
    samplers = (RandomUnderSampler(random_state=0), SMOTE(random_state=0), FunctionSampler())
    return of(make_pipeline(samplers[0], encoded, *samplers[1:], LogisticRegression(max_iter=2000)), mixed)


FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "imblearn": {
        "pipeline": of(make_pipeline(StandardScaler(), SMOTE(random_state=0), LogisticRegression(max_iter=500)), binary),
        "pipeline-penguins": penguins(),
        "pipeline-of-transformers": of(make_pipeline(RandomOverSampler(random_state=0), StandardScaler()), rare),
        "pipeline-forest": of(make_pipeline(SMOTEENN(random_state=0), RandomForestClassifier(**FEW)), rare),
        "pipeline-in-a-calibration": of(
            CalibratedClassifierCV(make_pipeline(RandomUnderSampler(random_state=0), LogisticRegression(max_iter=500)), cv=2),
            rare,
        ),
        "balanced-forest": of(BalancedRandomForestClassifier(**FEW), rare),
        "balanced-forest-missing": of(BalancedRandomForestClassifier(**FEW), holes),
        "balanced-bagging": of(BalancedBaggingClassifier(**FEW), rare),
        "balanced-bagging-votes": of(BalancedBaggingClassifier(LinearSVC(), max_features=3, **FEW), rare),
        "balanced-bagging-sampler": of(BalancedBaggingClassifier(sampler=SMOTE(random_state=0), **FEW), binary),
        "easy-ensemble": of(EasyEnsembleClassifier(2, random_state=0), rare),
        "boosted-undersampling": of(RUSBoostClassifier(**FEW), binary),
        "boosted-undersampling-three": of(RUSBoostClassifier(**FEW), rare),
    }
}
