"""`predict_proba`, `decision_function`, `score_samples` and `transform` answer as the estimator's own methods, in its shapes."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, OneClassSVM

import flyweight
from flyweight.models.answers import METHODS
from flyweight.predictor import Predictor
from tests.conftest import ROOT

X, y = load_iris(return_X_y=True)
BINARY, PAIRS = (y > 0).astype(int), np.c_[y, (y > 0).astype(int)]
LABELS = np.c_[y > 0, X[:, 0] > 5.5, X[:, 1] > 3].astype(int)
FITTED = {
    "binary": LogisticRegression(max_iter=500).fit(X, BINARY),
    "multiclass": LogisticRegression(max_iter=500).fit(X, y),
    "pipeline": make_pipeline(StandardScaler(), GaussianNB()).fit(X, y),
    "scores alone": RidgeClassifier().fit(X, BINARY),
    "support vectors": SVC().fit(X, y),
    "several outputs": RandomForestClassifier(3, random_state=0).fit(X, PAIRS),
    "several outputs of neighbors": KNeighborsClassifier().fit(X, PAIRS),
    "several labels": MLPClassifier(4, max_iter=5000, random_state=0).fit(X, LABELS),
    "several labels one by one": OneVsRestClassifier(LogisticRegression(max_iter=500)).fit(X, LABELS),
    "clusters": KMeans(3, n_init=1, random_state=0).fit(X),
    "mixture": GaussianMixture(2, random_state=0).fit(X),
    "outliers": IsolationForest(n_estimators=5, random_state=0).fit(X),
    "one class": OneClassSVM().fit(X),
    "transformer": make_pipeline(StandardScaler(), PCA(2)).fit(X),
    "one column": PCA(1).fit(X),
    "regression": LinearRegression().fit(X, y),
    "several numbers": RandomForestRegressor(3, random_state=0).fit(X, PAIRS),
    "isotonic": IsotonicRegression(out_of_bounds="clip").fit(X[:, :1], y),
}

# methods of the estimator that its model file does not have
LEFT_OUT = {
    "several labels one by one": {"decision_function"},  # a signature has a score for each class, or one
    "transformer": {"score_samples"},
    "one column": {"score_samples"},
}


@cache
def packed(name: str) -> Predictor:
    estimator: Any = FITTED[name]
    sample = X[:, :1] if name == "isotonic" else X
    from flyweight.models import file

    return Predictor(file.parse(flyweight.pack(estimator, sample=sample[::10], edge_count=20).data))


def parts(answer: Any) -> list[Any]:
    """List the arrays of an answer: one for each output, or one alone."""
    return answer if isinstance(answer, list) else [answer]


@pytest.mark.parametrize("name", FITTED)
def test_each_method_answers_as_the_estimators(name: str) -> None:
    estimator, model = FITTED[name], packed(name)
    width = 1 if name == "isotonic" else 4
    answered = {method for method in METHODS.values() if hasattr(model, method)}
    assert {method for method in METHODS.values() if hasattr(estimator, method)} - answered == LEFT_OUT.get(name, set())
    for method in answered:
        for rows in (X[:40, :width], X[:1, :width]):
            own, ours = getattr(estimator, method)(rows), getattr(model, method)(rows)
            assert isinstance(ours, list) == isinstance(own, list), method
            for theirs, mine in zip(parts(own), parts(ours), strict=True):
                assert mine.shape == theirs.shape and mine.dtype == float, method
                np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9, err_msg=method)


def test_words_are_transformed_too() -> None:
    frame = pd.DataFrame({"color": ["red", "blue", "red"]})
    encoder = OneHotEncoder().fit(frame)
    model = load(flyweight.pack(encoder, sample=frame))
    assert model.transform(frame).tolist() == encoder.transform(frame).toarray().tolist()
    texts = ["a fine day", "a day off", "off we go"]
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [0, 1, 1])
    np.testing.assert_allclose(load(flyweight.pack(pipeline, sample=texts)).predict_proba(texts), pipeline.predict_proba(texts))


def load(packed: Any) -> Predictor:
    from flyweight.models import file

    return Predictor(file.parse(packed.data))


def test_a_sparse_matrix_is_answered_in_pieces_that_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    import scipy.sparse

    monkeypatch.setattr("flyweight.models.tables.BLOCK_CELLS", 4 * 50)
    model = packed("multiclass")
    whole, pieces = model.predict(X), model.predict(scipy.sparse.csr_array(X))
    assert pieces.predictions == whole.predictions and pieces.classes == whole.classes
    np.testing.assert_allclose(model.predict_proba(scipy.sparse.csc_matrix(X)), whole.probabilities, rtol=1e-12)


def test_a_method_that_the_model_does_not_have_is_refused_in_words() -> None:
    model = packed("regression")
    assert not hasattr(model, "predict_proba")
    with pytest.raises(flyweight.NoSuchOutput, match="this regression model has no predict_proba; it has predict") as caught:
        model.predict_proba(X)
    assert isinstance(caught.value, AttributeError)
    with pytest.raises(flyweight.NoSuchOutput, match="it has predict, predict_proba, decision_function"):
        packed("binary").transform(X)
    assert "probability of each class" in str(Predictor.predict_proba.__doc__)


def test_without_numpy_the_answers_are_lists(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    flyweight.pack(FITTED["several outputs"], path, sample=X[::10], edge_count=20)
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'shared')!r}); import flyweight; "
        f"print(flyweight.load({str(path)!r}).predict_proba([[5.1, 3.5, 1.4, 0.2]])); assert 'numpy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"{[part.tolist() for part in FITTED['several outputs'].predict_proba(X[:1])]}\n"
