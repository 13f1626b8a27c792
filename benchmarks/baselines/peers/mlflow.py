"""Save a scikit-learn model as MLflow does; `mlflow models serve -m model` reads it.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/. It calls `predict`, or the method of the first argument.
"""

import sys

import joblib
import mlflow.sklearn

# MLflow's usual format, skops, refuses forests: it does not trust their arrays.
method = sys.argv[1] if len(sys.argv) > 1 else "predict"
mlflow.sklearn.save_model(joblib.load("model.joblib"), "model", serialization_format="cloudpickle", pyfunc_predict_fn=method)
