"""Find the sparse forms of ops: the ops that a plan has in their place where the input is sparse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array  # type: ignore[import-untyped]

Parts = dict[str, Any]
Form = tuple[str, Parts, Parts] | None  # the op, its arrays and its parameters; None if zeros would not stay zeros

# ops that give a sparse value
GIVING = (
    {"graphs.edges"}
    | {f"text.{word}" for word in ("count", "hash", "pick", "hash_pick")}
    | {f"sparse.{word}" for word in ("gather", "take", "join", "stretch", "log", "normalize")}
)


def none(arrays: Parts, parameters: Parts) -> Form:
    """Return None, for an op without a sparse form."""
    return None


def _take(arrays: Parts, parameters: Parts) -> Form:
    """Return the form if no position repeats."""
    positions = parameters["positions"]
    distinct = positions and len(set(positions)) == len(positions)
    return ("sparse.take", {"positions": np.asarray(positions)}, {}) if distinct else None


def _join(arrays: Parts, parameters: Parts) -> Form:
    return "sparse.join", arrays, parameters


def _normalize(arrays: Parts, parameters: Parts) -> Form:
    return "sparse.normalize", arrays, parameters


def _stretch(arrays: Parts, parameters: Parts) -> Form:
    """Return the form if nothing is added and nothing is limited."""
    moves = np.any(arrays["add"]) or "limits" in arrays
    return None if moves else ("sparse.stretch", {"multiply": arrays["multiply"]}, parameters)


def _center(arrays: Parts, parameters: Parts) -> Form:
    """Return the form if nothing is subtracted.

    scikit-learn's scalers multiply a sparse table by one over the scale, and divide a dense table by it.
    """
    if "divide" not in arrays or np.any(arrays.get("subtract", 0.0)):
        return None
    return "sparse.stretch", {"multiply": 1.0 / np.asarray(arrays["divide"], dtype=float)}, parameters


def _affine(arrays: Parts, parameters: Parts) -> Form:
    return "sparse.affine", {**arrays, "weights": np.asarray(arrays["weights"]).T}, parameters


def _machine(arrays: Parts, parameters: Parts) -> Form:
    """Return the form with the vectors as three arrays of their entries."""
    vectors = csr_array(arrays["vectors"])
    entries = {"starts": vectors.indptr, "columns": vectors.indices, "numbers": np.asarray(vectors.data, dtype=float)}
    return "sparse_kernels.machine", {**{k: v for k, v in arrays.items() if k != "vectors"}, **entries}, parameters


FORMS: dict[str, Callable[[Parts, Parts], Form]] = {
    "columns.take": _take,
    "columns.join": _join,
    "scale.stretch": _stretch,
    "scale.center": _center,
    "scale.normalize": _normalize,
    "linear.affine": _affine,
    "kernels.machine": _machine,
}
