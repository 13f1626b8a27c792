"""What is not packed is refused with a sentence that says where to go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from flyweight.toolkit.convert._outside import OUTSIDE, where_to_go
from flyweight.toolkit.convert.draft import ConversionRefused
from flyweight.toolkit.packing.pack import pack

X = np.arange(20.0).reshape(10, 2)
Y = X[:, 0]


def of_package(package: str, *bases: type) -> Any:
    """Make an object of a class that says it is of this package."""
    return type("Model", bases, {"__module__": f"{package}.models"})()


@pytest.mark.parametrize("package", OUTSIDE)
def test_a_model_of_another_library_is_refused_by_its_sentence(package: str) -> None:
    with pytest.raises(ConversionRefused) as refused:
        pack(of_package(package))
    assert str(refused.value).endswith(OUTSIDE[package])


def test_a_class_of_the_users_own_upon_such_a_library_is_known_by_its_base() -> None:
    module = type(of_package("torch"))
    assert where_to_go(of_package("__main__", module)) == OUTSIDE["torch"]
    assert where_to_go(Ridge()) is None


NOT_ESTIMATORS: dict[str, tuple[Any, str]] = {
    "a dictionary with a model": ({"model": Ridge().fit(X, Y), "names": ["a"]}, "dictionary.*'model' are estimators: pack one"),
    "a dictionary of anything": ({"a": 1}, "dictionary.*no entry of it is one"),
    "a list of models": ([Ridge().fit(X, Y), Ridge()], "list.*2 of its 2 items are estimators"),
    "a function": (len, "a function.*step of your own"),
    "a class": (Ridge, r"the class Ridge, not a fitted estimator of it; pack Ridge\(\)\.fit"),
    "a table": (X, "a table.*as its sample"),
    "a number": (3, "has no get_params"),
    "a search without fit": (GridSearchCV(Ridge(), {"alpha": [1.0]}), "not fitted; call fit first"),
    "a search without refit": (
        GridSearchCV(Ridge(), {"alpha": [1.0]}, refit=False, cv=2).fit(X, Y),
        "refit=False.*refit the best",
    ),
}


@pytest.mark.parametrize(("thing", "says"), NOT_ESTIMATORS.values(), ids=NOT_ESTIMATORS.keys())
def test_what_is_no_estimator_is_refused_by_what_it_is(thing: Any, says: str) -> None:
    with pytest.raises(ConversionRefused, match=says):
        pack(thing)
