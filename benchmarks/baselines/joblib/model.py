"""The estimator itself, as it is usually deployed: loaded when the function is imported, called with NumPy or pandas."""

import os
from typing import Any

import joblib
import numpy as np

estimator = joblib.load(os.path.join(os.path.dirname(__file__), "model.joblib"))
if hasattr(estimator, "feature_names_in_"):  # fitted on a table, and asked with one; the others are spared pandas
    import pandas as pd

    table: Any = pd.DataFrame
else:
    table = np.array


def answer(document: dict[str, Any]) -> dict[str, Any]:
    """Predict labels or numbers, and for classifiers probabilities."""
    rows = table(document["instances"])
    if not hasattr(estimator, "predict_proba"):
        return {"predictions": estimator.predict(rows).tolist()}
    probabilities = estimator.predict_proba(rows)  # the labels come from these: `predict` would compute them again
    labels = estimator.classes_[probabilities.argmax(axis=1)]
    return {"predictions": labels.tolist(), "probabilities": probabilities.tolist()}
