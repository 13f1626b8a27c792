"""scikit-learn behind BentoML, run by `bentoml serve service:Classifier`."""

import bentoml
import joblib
import numpy as np


@bentoml.service
class Classifier:
    """The model and its method."""

    def __init__(self) -> None:
        self.estimator = joblib.load("model.joblib")

    @bentoml.api
    def predict(self, instances: np.ndarray) -> dict[str, list]:
        """Predict labels and probabilities."""
        probabilities = self.estimator.predict_proba(instances)
        labels = self.estimator.classes_[probabilities.argmax(axis=1)]
        return {"predictions": labels.tolist(), "probabilities": probabilities.tolist()}
