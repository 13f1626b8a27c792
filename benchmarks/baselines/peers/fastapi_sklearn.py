"""scikit-learn behind FastAPI, run by `uvicorn service:app`."""

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel


class Rows(BaseModel):
    """What is asked."""

    instances: list[list[float]]


class Answer(BaseModel):
    """What is answered."""

    predictions: list[int]
    probabilities: list[list[float]]


estimator = joblib.load("model.joblib")
app = FastAPI()


@app.post("/predict")
def predict(rows: Rows) -> Answer:
    """Predict labels and probabilities."""
    probabilities = estimator.predict_proba(
        np.array(rows.instances)
    )  # the labels come from these: `predict` would compute them again
    labels = estimator.classes_[probabilities.argmax(axis=1)]
    return Answer(predictions=labels.tolist(), probabilities=probabilities.tolist())
