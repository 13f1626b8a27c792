"""One estimator to an ONNX graph, in the environment that has skl2onnx; run as a file, never imported."""

import sys
import warnings
from pathlib import Path
from typing import Any

import joblib
from skl2onnx import to_onnx  # type: ignore[import-not-found]
from skl2onnx.common.data_types import FloatTensorType, StringTensorType  # type: ignore[import-not-found]


def convert(estimator: Any, sample: Any) -> bytes:
    """The graph, serialised; it takes an array `X`, or one column a feature if the estimator was fitted on a table.

    :raises Exception: skl2onnx has no words for it.
    """
    if hasattr(estimator, "feature_names_in_"):
        inputs = [(name, _kind(sample[name])([None, 1])) for name in estimator.feature_names_in_]
    else:
        inputs = [("X", FloatTensorType([None, estimator.n_features_in_]))]
    options = {"zipmap": False} if hasattr(estimator, "predict_proba") else None
    graph: bytes = to_onnx(estimator, initial_types=inputs, options=options).SerializeToString()
    return graph


def _kind(column: Any) -> Any:
    return FloatTensorType if column.dtype.kind in "biuf" else StringTensorType


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        Path(sys.argv[2]).write_bytes(convert(*joblib.load(sys.argv[1])))
    except Exception as error:  # whatever a converter raises is the answer
        sys.exit(f"{type(error).__name__}: {error}".partition("\n")[0])
