"""Fitted models that are no estimators of scikit-learn, behind the part of its interface that packing uses.

One module a library, named after its top-level package and found by that name; a new library is a new module. Such a module has
a function `adopted(model)`, which wraps a model of the library, or returns anything else as it is.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator


class NativeModel(BaseEstimator):  # type: ignore[misc]
    """A fitted model as a regressor: its values are what its own `predict` gives, also where those are probabilities.

    Converters find it by `__module__` and `__qualname__`, which each subclass sets to the class that it stands for.

    :param count: the number of its features.
    :param names: their names; None if its library made them up.
    """

    def __init__(self, count: int, names: list[str] | None) -> None:
        self.n_features_in_ = count
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return no parameters: a fitted model can't be changed."""
        return {}

    def fit(self, X: Any, y: Any) -> Any:
        """Refuse to fit; scikit-learn takes only what has this method for an estimator.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError("a native model is fitted by its own library")

    if TYPE_CHECKING:  # each library has its own

        def predict(self, X: Any) -> Any:
            """Answer as the model itself does; each row gets one value, or one a class."""
            ...


def adopt(model: Any) -> Any:
    """Wrap a fitted model of a library that has a module here; return anything else as it is."""
    package = type(model).__module__.partition(".")[0]
    if isinstance(model, NativeModel) or package not in {module.name for module in iter_modules(__path__)}:
        return model
    return import_module(f"{__name__}.{package}").adopted(model)
