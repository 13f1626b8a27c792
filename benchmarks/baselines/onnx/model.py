"""The model as an ONNX graph in onnxruntime."""

import os
from functools import cache
from typing import Any

import numpy as np
import onnxruntime


@cache
def session() -> Any:
    """Make the session in the first request: functions-framework forks after the import, and a session made before would hang."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one row: a pool of threads costs more than it gives
    return onnxruntime.InferenceSession(os.path.join(os.path.dirname(__file__), "model.onnx"), options)


def answer(document: dict[str, Any]) -> dict[str, Any]:
    """Predict labels or numbers, and for classifiers probabilities."""
    outputs = session().run(None, {"X": np.array(document["instances"], dtype=np.float32)})
    if len(outputs) == 1:
        return {"predictions": outputs[0].ravel().tolist()}
    return {"predictions": outputs[0].tolist(), "probabilities": outputs[1].tolist()}
