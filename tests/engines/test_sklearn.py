"""Estimators are refused when they are loaded if they do not fit their file; else they answer, or refuse a row in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scipy.special import j0
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from flyweight.engines._estimator import one_job
from flyweight.errors import InvalidInput, ModelRefused
from flyweight.models import file as model_file
from flyweight.models.file import ModelFile
from flyweight.predictor import Predictor
from flyweight.toolkit.packing.pack import pack
from tests.engines.engine_files import LABELS, X, changed, estimator_pipeline, packed, y


@pytest.fixture(scope="module")
def estimator_file() -> ModelFile:
    return estimator_pipeline()


ESTIMATOR: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another release": (
        lambda d: d["estimator"].update({"scikit-learn": "1.2.0"}),
        "is of scikit-learn '1.2.0', and .* is installed",
    ),
    "no release": (lambda d: d["estimator"].pop("scikit-learn"), "is of scikit-learn null"),
    "types that are not a list": (lambda d: d["estimator"].update(types="all"), "does not list the types"),
    "no input": (lambda d: d["estimator"].pop("input"), "in which form the estimator takes its input"),
    "an unknown form": (lambda d: d["estimator"]["input"].update(form="cube"), "in which form the estimator takes its input"),
    "a form of one text": (lambda d: d["estimator"]["input"].update(form="texts"), "takes one string"),
    "a type too few": (lambda d: d["estimator"]["input"]["types"].pop(), "in which form the estimator takes its input"),
    "an unknown type": (lambda d: d["estimator"]["input"]["types"].__setitem__(0, "complex"), "which is not known here"),
    "categories that are not a list": (
        lambda d: d["estimator"]["input"]["types"].__setitem__(0, {"categories": 3}),
        "not a list",
    ),
    "equal categories": (
        lambda d: d["estimator"]["input"]["types"].__setitem__(0, {"categories": [1, 1]}),
        "categories are not valid",
    ),
    "an output that it lacks": (lambda d: d["estimator"]["outputs"].update(transformed=3), "has no transform"),
    "another main output": (lambda d: d["estimator"]["outputs"].update(values=1), "not what the signature promises"),
    "a width that it does not give": (
        lambda d: d["estimator"]["outputs"].update(probabilities=5),
        r"shape \(3, 2\), not \(3, 5\)",
    ),
    "other classes": (lambda d: d["signature"].update(classes=[["no", "maybe"]]), "answers .* which the file does not list"),
    "a class too many": (lambda d: d["signature"].update(classes=[["no", "yes", "maybe"]]), "not what the signature promises"),
    "a feature too many": (
        lambda d: d["signature"]["features"].append({"name": "z", "kind": "number", "nullable": False}),
        "input",
    ),
}


@pytest.mark.parametrize(("change", "words"), ESTIMATOR.values(), ids=ESTIMATOR.keys())
def test_an_estimator_that_is_not_what_the_file_says_is_refused(
    change: Callable[[dict[str, Any]], object], words: str, estimator_file: ModelFile
) -> None:
    assert Predictor(estimator_file).passes_self_test()
    with pytest.raises(ModelRefused, match=words):
        Predictor(changed(estimator_file, change))


def test_an_estimator_refuses_by_the_row_in_its_own_words() -> None:
    import pandas as pd

    frame = pd.DataFrame({"color": ["red", "blue"] * 40})
    made = pack(make_pipeline(OneHotEncoder(), Ridge()).fit(frame, y), sample=frame, edge_count=20, engine="sklearn")
    predictor = Predictor(model_file.parse(made.data))
    with pytest.raises(InvalidInput, match=r"instance 2: expected a row that the model takes.*Found unknown categories"):
        predictor.predict([["red"], ["blue"], ["pink"], ["red"]])


def test_an_estimator_works_on_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    forest = make_pipeline(FunctionTransformer(j0), RandomForestClassifier(3, n_jobs=2, random_state=0)).fit(X, LABELS)
    predictor: Any = Predictor(packed(forest, "sklearn"))
    assert predictor.engine._methods["index"].__self__[-1].n_jobs == 1
    assert forest[-1].n_jobs == 2


@pytest.mark.slow
def test_every_member_works_on_one_job() -> None:
    """At any depth, even if a list made on the way has the address of an earlier one."""
    bag = BaggingClassifier(RandomForestClassifier(2, n_jobs=2), 2, n_jobs=2)
    voting = VotingClassifier([(f"m{n}", make_pipeline(OneHotEncoder(), bag)) for n in range(5)]).fit(X.round(), LABELS)
    one_job(voting, set())
    jobs = {est.n_jobs for whole in voting.estimators_ for est in (whole[-1], *whole[-1].estimators_)}
    fitted = {est.n_jobs for _, whole in voting.estimators for est in (whole[-1], whole[-1].estimator)}
    assert jobs == fitted == {1}


@pytest.mark.parametrize(("pattern", "taken"), [(r"(?u)\b\w\w+\b", True), (r"\w+!", False), (r"(a+)+$", False)])
def test_a_token_pattern_that_could_take_for_ever_is_refused(pattern: str, taken: bool) -> None:
    import skops.io
    from sklearn.feature_extraction.text import TfidfVectorizer

    from flyweight.engines.sklearn import restore, types_of

    data = skops.io.dumps(make_pipeline(TfidfVectorizer(token_pattern=pattern).fit(["bb! aaa", "aaa! bb!"])))
    if taken:
        restore(data, types_of(data))
        return
    with pytest.raises(ModelRefused, match=r"the token_pattern .* of TfidfVectorizer .* take very long"):
        restore(data, types_of(data))
