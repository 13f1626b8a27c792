"""What flyweight does not pack, and where to go with it: libraries by their top-level package, and things that are no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ONNX = "export it to ONNX, and pack the .onnx file"
SERIES = "it continues a series, and does not answer rows; run it where the series is, and store what it forecasts"
CONTAINER = "serve it in a container of its own, with its library"

# top-level package -> what its models are, and where to go
OUTSIDE: dict[str, str] = {
    "keras": f"a Keras model is a network: {ONNX} (model.export(path, format='onnx'))",
    "tensorflow": f"a TensorFlow model is a network: {ONNX} (tf2onnx)",
    "scikeras": f"SciKeras wraps a Keras network: {ONNX} (estimator.model_.export(path, format='onnx'))",
    "torch": f"a PyTorch module is a network: {ONNX} (torch.onnx.export)",
    "skorch": f"skorch wraps a PyTorch network: {ONNX} (torch.onnx.export of its module_)",
    "pytorch_lightning": f"a Lightning module is a PyTorch network: {ONNX} (module.to_onnx)",
    "lightning": f"a Lightning module is a PyTorch network: {ONNX} (module.to_onnx)",
    "fastai": f"fastai wraps a PyTorch network: {ONNX} (torch.onnx.export of learner.model)",
    "pytorch_tabnet": f"TabNet is a PyTorch network: {ONNX} (torch.onnx.export of its network)",
    "jax": f"JAX runs functions of arrays: {ONNX} (jax2tf, then tf2onnx)",
    "flax": f"a Flax module is a network: {ONNX} (jax2tf, then tf2onnx)",
    "transformers": f"a transformer is a network with a tokenizer: {CONTAINER}, or use a TfidfVectorizer before a linear model",
    "sentence_transformers": f"embeddings come from a network: {CONTAINER}, and pack the model that reads them",
    "spacy": f"a spaCy pipeline is a network with its vocabulary: {CONTAINER}, or use a TfidfVectorizer before a linear model",
    "gensim": f"gensim's vectors are larger than a function: {CONTAINER}, and pack the model that reads them",
    "lifelines": f"its answers are curves over time: {CONTAINER}, or pack an XGBoost model of survival:cox or survival:aft",
    "sksurv": f"its answers are curves over time: {CONTAINER}, or pack an XGBoost model of survival:cox or survival:aft",
    "prophet": SERIES,
    "neuralprophet": SERIES,
    "pmdarima": SERIES,
    "sktime": SERIES,
    "darts": SERIES,
    "statsforecast": SERIES,
    "pyspark": f"a Spark model answers tables of Spark: {CONTAINER}, or fit the same model by scikit-learn, LightGBM or XGBoost",
    "h2o": f"an H2O model lives in its server: {CONTAINER}, or fit the same model by scikit-learn, LightGBM or XGBoost",
    "surprise": "it recommends to users that it knows; store the recommendations in a table, and look them up",
    "implicit": "it recommends to users that it knows; store the recommendations in a table, and look them up",
    "lightfm": "it recommends to users that it knows; store the recommendations in a table, and look them up",
    "autogluon": f"AutoGluon keeps a folder of models: {CONTAINER}, or pack the best of them by itself",
    "pycaret": "PyCaret's experiment is no model; pack the pipeline inside it (finalize_model gives it)",
    "tpot": "pack the pipeline that was found: fitted_pipeline_",
    "flaml": "pack the model that was found: automl.model.estimator",
    "autosklearn": f"it votes over a list of models: {CONTAINER}, or pack the best of them by itself (show_models)",
    "river": f"river's models learn while they answer: {CONTAINER}",
    "cuml": "pack the same model of scikit-learn, which cuML gives by as_sklearn()",
}


def where_to_go(model: Any) -> str | None:
    """Return what a model of a library that flyweight does not pack is, and where to go; None if it is of another library."""
    packages = [cls.__module__.partition(".")[0] for cls in type(model).__mro__]
    return next((OUTSIDE[package] for package in packages if package in OUTSIDE), None)


def what_it_is(thing: Any) -> str:
    """Return what something that is not an estimator is, and what to pack instead."""
    if isinstance(thing, type):
        return f"this is the class {thing.__name__}, not a fitted estimator of it; pack {thing.__name__}().fit(X, y)"
    if isinstance(thing, Mapping):
        keys = [str(key) for key, value in thing.items() if hasattr(value, "predict") or hasattr(value, "transform")]
        found = (
            f"its entries {', '.join(map(repr, keys[:5]))} are estimators: pack one of them" if keys else "no entry of it is one"
        )
        return f"this is a dictionary, not a scikit-learn estimator; {found}"
    if isinstance(thing, (list, tuple, set)):
        models = sum(hasattr(part, "predict") or hasattr(part, "transform") for part in thing)
        found = f"{models} of its {len(thing)} items are estimators: pack one, or all in a Pipeline or a VotingClassifier"
        return f"this is a {type(thing).__name__}, not a scikit-learn estimator; {found}"
    if type(thing).__module__.partition(".")[0] in ("numpy", "pandas", "polars", "pyarrow"):
        return "this is a table, not a scikit-learn estimator; give the fitted estimator, and the table as its sample"
    if callable(thing) and not hasattr(thing, "predict"):
        return (
            "this is a function, not a scikit-learn estimator; make it a step of your own in a Pipeline (docs/your-own-step.md)"
        )
    return "this is not a scikit-learn estimator: it has no get_params; let its class inherit from sklearn.base.BaseEstimator"
