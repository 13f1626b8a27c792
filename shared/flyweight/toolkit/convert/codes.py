"""Dictionaries and topics: rows as a few atoms, or as shares of topics."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value


@converts("sklearn.DictionaryLearning", "sklearn.MiniBatchDictionaryLearning", "sklearn.SparseCoder")
def sparse_code(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Products with the atoms, then pursuit or a threshold (`_BaseSparseCoding._transform`)."""
    cls, way = type(estimator).__name__, estimator.transform_algorithm
    atoms = np.asarray(estimator.dictionary if cls == "SparseCoder" else estimator.components_)
    if way == "lasso_cd" or atoms.dtype != np.float64:
        helps = "transform_algorithm='lasso_cd' stops by a duality gap; use 'lasso_lars', 'omp' or 'threshold', on float64"
        raise ConversionRefused(draft.path, cls, helps)
    count = len(atoms)
    products = draft.add("linear.affine", x, columns=count, arrays={"weights": atoms, "intercept": np.zeros(count)})
    if way == "omp":
        most = estimator.transform_n_nonzero_coefs or min(max(atoms.shape[1] // 10, 1), count)
        arrays = {"gram": atoms @ atoms.T}
        code = draft.add("codes.pursuit", products, columns=count, arrays=arrays, atoms=int(min(most, count)))
    elif way in ("lars", "lasso_lars"):
        code = draft.add("angles.path", products, columns=count, **_path(estimator, atoms))
    else:
        code = draft.add("codes.shrink", products, columns=count, arrays={"by": [_alpha(estimator)]})
        if estimator.positive_code and not estimator.split_sign:
            code = draft.add("codes.halves", code, columns=count, both=False)
    if estimator.split_sign:
        code = draft.add("codes.halves", code, columns=2 * count, both=True)
    return {"transform": code}


def _alpha(estimator: Any) -> float:
    alpha = estimator.transform_alpha
    alpha = getattr(estimator, "alpha", None) if alpha is None else alpha
    return 1.0 if alpha is None else float(alpha)


def _path(estimator: Any, atoms: np.ndarray[Any, Any]) -> dict[str, Any]:
    """The arrays and parameters of a path by least angles."""
    lasso, width = estimator.transform_algorithm == "lasso_lars", atoms.shape[1]
    most = estimator.transform_n_nonzero_coefs or min(max(width // 10, 1), len(atoms))
    rounds = estimator.transform_max_iter if lasso else most
    limit = _alpha(estimator) / width if lasso else 0.0
    return {
        "arrays": {"gram": atoms @ atoms.T, "limits": [limit, float(width)]},
        "rounds": int(rounds),
        "lasso": lasso,
        "positive": bool(estimator.positive_code),
    }


@converts("sklearn.LatentDirichletAllocation")
def topics(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The topics' shares, found as in training with the topics held."""
    weights = np.asarray(estimator.exp_dirichlet_component_)
    if weights.dtype != np.float64:
        raise ConversionRefused(draft.path, "LatentDirichletAllocation", "it was fitted on float32; fit it on float64")
    arrays = {"weights": weights, "parameters": [float(estimator.doc_topic_prior_), float(estimator.mean_change_tol)]}
    rounds = int(estimator.max_doc_update_iter)
    return {"transform": draft.add("topics.allocate", x, columns=len(weights), arrays=arrays, rounds=rounds)}
