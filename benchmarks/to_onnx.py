"""Convert one estimator to an ONNX graph, in the environment that has skl2onnx; run as a file, never imported."""

import sys
import warnings
from pathlib import Path
from typing import Any

import joblib
from skl2onnx import to_onnx  # type: ignore[import-not-found]
from skl2onnx.common.data_types import FloatTensorType, StringTensorType  # type: ignore[import-not-found]


def convert(estimator: Any, numbers: dict[str, bool]) -> bytes:
    """Make the serialised graph. Its input is an array `X`, or one column for each feature of an estimator fitted to a table.

    :param numbers: for each feature by name, True if it is a number, False if it is a string.
    :raises Exception: skl2onnx can't convert it.
    """
    if hasattr(estimator, "feature_names_in_"):
        inputs = [
            (name, (FloatTensorType if numbers[name] else StringTensorType)([None, 1])) for name in estimator.feature_names_in_
        ]
    else:
        inputs = [("X", FloatTensorType([None, estimator.n_features_in_]))]
    options = {"zipmap": False} if hasattr(estimator, "predict_proba") else None
    graph: bytes = to_onnx(estimator, initial_types=inputs, options=options).SerializeToString()
    return graph


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        Path(sys.argv[2]).write_bytes(convert(*joblib.load(sys.argv[1])))
    except Exception as error:  # any error of a converter is the result
        sys.exit(f"{type(error).__name__}: {error}".partition("\n")[0])
