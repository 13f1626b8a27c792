"""scikit-learn behind KServe's SDK, as KServe's own server of scikit-learn models has it: protocols v1 and v2.

Its answer is the labels, or the probabilities where PREDICT_PROBA is set, as in that server.
"""

import os
import sys

import joblib
from kserve import Model, ModelServer
from kserve.utils.utils import get_predict_input, get_predict_response


class Classifier(Model):
    """The model and its method."""

    def load(self):
        """Load the model."""
        self.estimator = joblib.load("model.joblib")
        self.ready = True
        return self.ready

    def predict(self, payload, headers=None):
        """Predict labels or probabilities."""
        rows = get_predict_input(payload)
        result = self.estimator.predict_proba(rows) if os.environ.get("PREDICT_PROBA") else self.estimator.predict(rows)
        return get_predict_response(payload, result, self.name)


if __name__ == "__main__":
    model = Classifier("model")
    model.load()
    ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1).start([model])
