"""What differs between the releases of scikit-learn that are supported, from 1.3 on."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

_STATELESS = ("AdditiveChi2Sampler", "Binarizer", "FeatureHasher", "HashingVectorizer", "Normalizer", "SparseCoder")

RELEASE = tuple(int(number) for number in sklearn.__version__.split(".")[:2])


def allows_nan(estimator: Any) -> bool:
    """Tell whether an estimator takes missing values; before 1.6 tags were a dict, which others' estimators could lack."""
    if RELEASE < (1, 6):
        return bool(hasattr(estimator, "_get_tags") and estimator._get_tags()["allow_nan"])
    from sklearn.utils import get_tags

    return bool(get_tags(estimator).input_tags.allow_nan)


def is_fitted(estimator: Any) -> bool:
    """Tell whether an estimator is fitted, or needs no fitting.

    scikit-learn 1.3 takes some that need none for not fitted, and asks the last step of a pipeline, which may be a word.
    """
    try:
        check_is_fitted(estimator)
    except TypeError:
        return True
    except NotFittedError:
        return RELEASE < (1, 6) and type(estimator).__name__ in _STATELESS
    return True


def class_shares(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Get what a classification tree answers from the values of its nodes; before 1.4 these are weights, not shares.

    :param value: one row a node, one column a class.
    """
    if RELEASE >= (1, 4):
        return value
    totals = value.sum(axis=1, keepdims=True)
    return np.asarray(value / np.where(totals == 0.0, 1.0, totals))
