"""Train a classifier of irises and pack it as a model file; replace it with your own model (`python train.py [MODEL]`)."""

import sys
from pathlib import Path

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flyweight.toolkit.packing.pack import pack

X, y = load_iris(return_X_y=True, as_frame=True)
estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, load_iris().target_names[y])
path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "models" / "iris.safetensors"
pack(estimator, path, sample=X, name="iris", version="1.0.0")
