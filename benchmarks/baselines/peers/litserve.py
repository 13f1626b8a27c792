"""scikit-learn behind LitServe: https://lightning.ai/docs/litserve/get-started."""

import sys

import joblib
import litserve
import numpy as np


class Classifier(litserve.LitAPI):
    """The steps of one request."""

    def setup(self, device):
        """Load the model."""
        self.estimator = joblib.load("model.joblib")

    def decode_request(self, request):
        """Read rows from JSON."""
        return np.array(request["instances"])

    def predict(self, rows):
        """Compute the probabilities."""
        return self.estimator.predict_proba(rows)

    def encode_response(self, probabilities):
        """Make the answer."""
        labels = self.estimator.classes_[probabilities.argmax(axis=1)]
        return {"predictions": labels.tolist(), "probabilities": probabilities.tolist()}


if __name__ == "__main__":
    litserve.LitServer(Classifier(), accelerator="cpu").run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
