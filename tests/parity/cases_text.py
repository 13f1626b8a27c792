"""Vectorizers of texts and dictionaries in many configurations, alone and before models, fitted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import MaxAbsScaler, Normalizer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC

from tests.parity.cases import Case, of
from tests.parity.tables import Table

WORDS = "the a dog cat Bird sat ran flew on under over mat café naïve Straße ΟΔΟΣ".split()
WORDS += "istanbul don't x2 3d snake_case 日本語 e\u0301t\u00e9".split()


@cache
def texts() -> Table:
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(WORDS, rng.integers(1, 15))) + rng.choice(["", ".", "!", "\n"]) for _ in range(150)]
    return lines, np.array(["low", "mid", "high"])[np.arange(150) % 3]


@cache
def two() -> Table:
    lines, _ = texts()
    return pd.Series(lines, name="review"), np.array(["dog" in line for line in lines])


@cache
def frame() -> Table:
    """A text among other columns."""
    rng = np.random.default_rng(1)
    lines, y = texts()
    return pd.DataFrame({"price": rng.normal(size=150), "review": lines, "kind": rng.choice(["a", "b"], 150)}), y


@cache
def dicts() -> Table:
    rows = [{"age": float(n % 7), "city": "Dubai" if n % 2 else "Bern", "new": n % 3 == 0} for n in range(120)]
    return [row | ({"note": "x=y"} if n % 5 else {}) | ({"debt": n / 3} if n % 4 else {}) for n, row in enumerate(rows)], (
        np.arange(120) % 3
    )


def pairs() -> Table:
    rows, y = dicts()
    return [list(row.items()) for row in rows], y


def counts() -> Table:
    """Counts as numbers, as a TfidfTransformer takes them."""
    return np.random.default_rng(2).integers(0, 4, size=(100, 6)), np.arange(100) % 2


def over_columns() -> Any:
    parts = [("text", TfidfVectorizer(), "review"), ("numbers", StandardScaler(), ["price"]), ("kind", OneHotEncoder(), ["kind"])]
    return ColumnTransformer(parts)


def read(vectorizer: Any, *steps: Any, table: Callable[[], Table] = texts) -> Callable[[], Case]:
    """A linear model over the output of the vectorizer and the steps after it."""
    return of(make_pipeline(vectorizer, *steps, LogisticRegression()), table)


def words(**parameters: Any) -> Callable[[], Case]:
    return read(TfidfVectorizer(**parameters))


FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "text": {
        "tfidf": words(),
        "tfidf-series": read(TfidfVectorizer(), table=two),
        "tfidf-alone": of(TfidfVectorizer(), texts),
        "tfidf-sublinear": words(sublinear_tf=True, norm="l1"),
        "tfidf-plain": words(use_idf=False, norm=None),
        "tfidf-rough": words(smooth_idf=False, max_features=10, min_df=2, max_df=0.9),
        "tfidf-unicode": words(strip_accents="unicode", ngram_range=(1, 2)),
        "tfidf-ascii": words(strip_accents="ascii", lowercase=False, ngram_range=(2, 3)),
        "tfidf-stops": words(stop_words=["the", "on", "a"], ngram_range=(1, 3)),
        "tfidf-english": words(stop_words="english", binary=True),
        "tfidf-every-word": words(token_pattern=r"(?u)\b\w+\b"),
        "tfidf-spaces": words(token_pattern=r"\S+", lowercase=False),
        "tfidf-letters": words(token_pattern=r"[a-zA-Z]{2,}|\d"),
        "tfidf-quotes": words(token_pattern=r"\b\w[\w']+\b"),
        "tfidf-vocabulary": words(vocabulary=["dog", "cat", "a", "never seen", "istanbul", "ss"]),
        "tfidf-vocabulary-places": words(vocabulary={"dog": 2, "cat": 0, "bird": 1}),
        "tfidf-char": words(analyzer="char", ngram_range=(1, 3)),
        "tfidf-char-wb": words(analyzer="char_wb", ngram_range=(2, 5), strip_accents="unicode"),
        "count-alone": of(CountVectorizer(), texts),
        "count-char": of(CountVectorizer(analyzer="char", ngram_range=(2, 2), lowercase=False), texts),
        "count-char-wb": of(CountVectorizer(analyzer="char_wb", ngram_range=(3, 6)), texts),
        "count-tfidf": read(CountVectorizer(), TfidfTransformer(sublinear_tf=True)),
        "count-binary": of(make_pipeline(CountVectorizer(binary=True), BernoulliNB()), texts),
        "hashing": read(HashingVectorizer(n_features=1000)),
        "hashing-wide": of(make_pipeline(HashingVectorizer(), LogisticRegression()), two),
        "hashing-alone": of(HashingVectorizer(n_features=32, norm="l1", ngram_range=(1, 2)), texts),
        "hashing-binary": of(HashingVectorizer(n_features=16, binary=True, norm=None), texts),
        "hashing-unsigned": read(HashingVectorizer(n_features=64, alternate_sign=False, norm=None), TfidfTransformer()),
        "weights": of(TfidfTransformer(sublinear_tf=True), counts),
        "weights-ridge": of(make_pipeline(TfidfTransformer(sublinear_tf=True, norm="l1"), Ridge()), counts),
    },
    "text-models": {
        "columns": of(make_pipeline(over_columns(), LogisticRegression()), frame),
        "multinomial": of(make_pipeline(CountVectorizer(), MultinomialNB()), texts),
        "complement": of(make_pipeline(TfidfVectorizer(), ComplementNB()), texts),
        "linear-svc": of(make_pipeline(TfidfVectorizer(), LinearSVC()), two),
        "svc-linear": of(make_pipeline(TfidfVectorizer(), SVC(kernel="linear")), texts),
        "svc-rbf": of(make_pipeline(TfidfVectorizer(), SVC()), texts),
        "svc-poly": of(make_pipeline(TfidfVectorizer(), SVC(kernel="poly", coef0=1.0)), two),
        "sgd": of(make_pipeline(TfidfVectorizer(), SGDClassifier(loss="log_loss", random_state=0)), texts),
        "select": read(TfidfVectorizer(), SelectKBest(chi2, k=8)),
        "svd": read(TfidfVectorizer(), TruncatedSVD(5, random_state=0), Normalizer()),
        "max-abs": read(TfidfVectorizer(), MaxAbsScaler()),
        "scaled": read(TfidfVectorizer(), StandardScaler(with_mean=False)),
        "forest": of(make_pipeline(TfidfVectorizer(), RandomForestClassifier(10, random_state=0)), texts),
        "union": read(make_union(TfidfVectorizer(), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3)))),
        "search": of(
            GridSearchCV(make_pipeline(TfidfVectorizer(), LogisticRegression()), {"logisticregression__C": [1, 9]}, cv=2), texts
        ),
        "calibrated": of(CalibratedClassifierCV(make_pipeline(TfidfVectorizer(), LinearSVC()), cv=2), texts),
        "columns-forest": of(make_pipeline(over_columns(), RandomForestClassifier(10, random_state=0)), frame),
        "columns-alone": of(over_columns(), frame),
        "dict": of(DictVectorizer(), dicts),
        "dict-linear": read(DictVectorizer(), table=dicts),
        "dict-dense": read(DictVectorizer(sparse=False, separator=": "), StandardScaler(), table=dicts),
        "hasher": of(FeatureHasher(16), dicts),
        "hasher-linear": read(FeatureHasher(256, alternate_sign=False), table=dicts),
        "hasher-pairs": read(FeatureHasher(64, input_type="pair"), table=pairs),
    },
}
