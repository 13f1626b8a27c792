"""Convert a fitted estimator by skl2onnx and by m2cgen, and check whether the result loads and answers as the estimator does."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

# The allowed difference, relative to the largest answer: a thousand times the resolution of float32, which skl2onnx's graphs use.
GENEROUS = 1e-4


def skl2onnx(estimator: Any, X: Any) -> str:
    """Convert by skl2onnx.

    :returns: "" if the graph answers as the estimator does within `GENEROUS`, else the reason.
    """
    import onnxruntime
    from skl2onnx import to_onnx

    onnxruntime.set_default_logger_severity(4)  # its messages about a graph are not needed here

    classifies = hasattr(estimator, "classes_") and hasattr(estimator, "predict")

    def answer(inputs: Any) -> list[Any]:
        graph = to_onnx(estimator, inputs[:1], options={"zipmap": False} if classifies else None)
        session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
        return list(session.run(None, {session.get_inputs()[0].name: inputs})[0])

    return _judged(estimator, X, np.float32, answer)


def m2cgen(estimator: Any, X: Any) -> str:
    """Convert by m2cgen.

    :returns: "" if the generated Python answers as the estimator does within `GENEROUS`, else the reason.
    """
    import m2cgen as generator

    def answer(inputs: Any) -> list[Any]:
        scope: dict[str, Any] = {}
        exec(generator.export_to_python(estimator), scope)
        given = [scope["score"](row) for row in inputs.tolist()]
        if not hasattr(estimator, "classes_"):
            return given
        # scores: one for each class, or one for two classes
        places = [int(np.argmax(g)) if isinstance(g, list) else int(g > 0) for g in given]
        return [estimator.classes_[place] for place in places]

    return _judged(estimator, X, np.float64, answer)


def _judged(estimator: Any, X: Any, dtype: Any, answer: Callable[[Any], list[Any]]) -> str:
    try:
        inputs = np.asarray(X, dtype=dtype)
        given = np.asarray(answer(inputs))
        truth = (getattr(estimator, "predict", None) or estimator.transform)(inputs.astype(float))
        truth = np.asarray(truth.toarray() if hasattr(truth, "toarray") else truth)
        if truth.dtype.kind not in "fc":
            same = given.reshape(truth.shape).astype(truth.dtype) == truth
            return "" if same.all() else f"{int((~same).sum())} labels differ"
        apart = float(np.abs(given.reshape(truth.shape).astype(float) - truth).max())
        scale = max(1.0, float(np.abs(truth).max()))
        return "" if apart <= GENEROUS * scale else f"differs by {apart:.2g}" if math.isfinite(apart) else "differs without bound"
    except Exception as error:
        return type(error).__name__
