"""Valid model files of engines that run no plan, for tests to damage."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import j0
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from flyweight.models import file as model_file
from flyweight.models.file import ModelFile
from flyweight.toolkit.packing import model_writer
from flyweight.toolkit.packing.pack import pack
from tests import graphs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
y = X @ [1.0, -2.0, 0.5]
LABELS = np.array(["no", "yes"])[(y > 0).astype(int)]


def file_of(document: dict[str, Any], **blobs: bytes) -> ModelFile:
    """Return a model file of three numbers with this document and these foreign models."""
    feature = {"kind": "number", "nullable": True}
    head = {
        "name": "m",
        "version": "1",
        "signature": {"task": "regression", "features": [{"name": name, **feature} for name in "abc"], "outputs": 1},
    }
    arrays = {name: np.frombuffer(data, np.uint8) for name, data in blobs.items()}
    return model_file.parse(model_writer.to_bytes({**head, **document}, arrays))


def onnx_file(data: bytes, **changed: Any) -> ModelFile:
    spec = {"inputs": {"x": [0, 1, 2]}, "outputs": {"values": {"name": "y", "width": 1}}, **changed}
    return file_of({"engines": ["onnx"], "onnx": spec}, onnx=data)


def packed(estimator: Any, engine: str, **options: Any) -> ModelFile:
    return model_file.parse(pack(estimator, sample=X, edge_count=60, engine=engine, **options).data)


def changed(file: ModelFile, change: Callable[[dict[str, Any]], object], **blobs: bytes) -> ModelFile:
    """Return a copy of the file with another document, and with other foreign models if there are any."""
    document = copy.deepcopy(file.document)
    change(document)
    arrays = {name: np.frombuffer(bytes(tensor.values), np.uint8) for name, tensor in file.tensors.items()}
    arrays.update({name: np.frombuffer(data, np.uint8) for name, data in blobs.items()})
    return model_file.parse(model_writer.to_bytes(document, arrays))


GOOD = graphs.onnx_affine([[1.0], [2.0], [3.0]])


def estimator_pipeline() -> ModelFile:
    """Return a pipeline with a step that no op can do."""
    return packed(make_pipeline(FunctionTransformer(j0), LogisticRegression()).fit(X, LABELS), "sklearn")
