"""Convert dictionaries and topic models: rows as a few atoms, or as shares of topics."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value


@converts("sklearn.DictionaryLearning", "sklearn.MiniBatchDictionaryLearning", "sklearn.SparseCoder")
def sparse_code(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to products with the atoms, then pursuit or a threshold (`_BaseSparseCoding._transform`).

    :raises ConversionRefused: its algorithm can't be followed, or it was fitted on float32.
    """
    cls, way = type(estimator).__name__, estimator.transform_algorithm
    atoms = np.asarray(estimator.dictionary if cls == "SparseCoder" else estimator.components_)
    if way == "lasso_cd" or atoms.dtype != np.float64:
        helps = "transform_algorithm='lasso_cd' stops by a duality gap; use 'lasso_lars', 'omp' or 'threshold', on float64"
        raise ConversionRefused(draft.path, cls, helps)
    count = len(atoms)
    products = draft.affine(x, atoms)
    if way == "omp":
        arrays = {"gram": atoms @ atoms.T}
        code = draft.add("codes.pursuit", products, columns=count, arrays=arrays, atoms=min(_nonzero(estimator, atoms), count))
    elif way in ("lars", "lasso_lars"):
        code = draft.add("angles.path", products, columns=count, **_path(estimator, atoms))
    else:
        code = draft.add("codes.shrink", products, columns=count, arrays={"by": [_alpha(estimator)]})
        if estimator.positive_code and not estimator.split_sign:
            code = draft.add("codes.halves", code, columns=count, both=False)
    if estimator.split_sign:
        code = draft.add("codes.halves", code, columns=2 * count, both=True)
    return {"transform": code}


def _nonzero(estimator: Any, atoms: np.ndarray[Any, Any]) -> int:
    """Return the number of coefficients that are not zero."""
    return int(estimator.transform_n_nonzero_coefs or min(max(atoms.shape[1] // 10, 1), len(atoms)))


def _alpha(estimator: Any) -> float:
    """Return the penalty."""
    alpha = estimator.transform_alpha
    alpha = getattr(estimator, "alpha", None) if alpha is None else alpha
    return 1.0 if alpha is None else float(alpha)


def _path(estimator: Any, atoms: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return the arrays and parameters of a path by least angles."""
    lasso, width = estimator.transform_algorithm == "lasso_lars", atoms.shape[1]
    rounds = estimator.transform_max_iter if lasso else _nonzero(estimator, atoms)
    limit = _alpha(estimator) / width if lasso else 0.0
    return {
        "arrays": {"gram": atoms @ atoms.T, "limits": [limit, float(width)]},
        "rounds": int(rounds),
        "lasso": lasso,
        "positive": bool(estimator.positive_code),
    }


@converts("sklearn.LatentDirichletAllocation")
def topics(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the topics' shares, found as in training while the topics are held.

    :raises ConversionRefused: it was fitted on float32.
    """
    weights = np.asarray(estimator.exp_dirichlet_component_)
    draft.expect_double(estimator, weights)
    arrays = {"weights": weights, "parameters": [float(estimator.doc_topic_prior_), float(estimator.mean_change_tol)]}
    rounds = int(estimator.max_doc_update_iter)
    return {"transform": draft.add("topics.allocate", x, columns=len(weights), arrays=arrays, rounds=rounds)}
