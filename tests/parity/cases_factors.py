"""Factorizations whose parts and shares are not negative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.decomposition import NMF, MiniBatchNMF
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tests.parity.cases_neighbors import Case, fitted, of
from tests.parity.tables import Table, three


def texts() -> Table:
    """Short texts of two kinds."""
    cats = ["a cat sat on a mat", "the dog ran far", "a dog sat", "the cat ran far away"]
    return [*cats, "birds fly far", "a bird sat on the dog"] * 20, [0, 1, 0, 1, 1, 0] * 20


def topics(estimator: Any) -> Callable[[], Case]:
    """Shares of topics in texts."""
    return lambda: fitted(make_pipeline(TfidfVectorizer(), estimator), texts)


PATIENT: dict[str, Any] = {"random_state": 0, "max_iter": 600}
MORE_PATIENT = {**PATIENT, "max_iter": 6000, "tol": 1e-3}
FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "factors": {
        "descent": of(NMF(3, **PATIENT), three),
        "descent-penalties": of(NMF(3, alpha_W=0.01, l1_ratio=0.5, **PATIENT), three),
        "descent-shuffled": of(NMF(4, shuffle=True, **PATIENT), three),
        "scaling": of(NMF(3, solver="mu", **PATIENT), three),
        "scaling-entropy": of(NMF(3, solver="mu", beta_loss="kullback-leibler", alpha_W=0.01, l1_ratio=1.0, **PATIENT), three),
        "scaling-spectra": of(NMF(2, solver="mu", beta_loss="itakura-saito", **PATIENT), three),
        "scaling-half": of(NMF(2, solver="mu", beta_loss=0.5, alpha_W=0.01, l1_ratio=0.5, **PATIENT), three),
        "scaling-cubes": of(NMF(2, solver="mu", beta_loss=3.0, **PATIENT), three),
        "batches": of(MiniBatchNMF(3, **MORE_PATIENT), three),
        "batches-entropy": of(MiniBatchNMF(3, beta_loss="kullback-leibler", alpha_W=0.01, l1_ratio=1.0, **MORE_PATIENT), three),
        "batches-spectra": of(MiniBatchNMF(2, beta_loss="itakura-saito", **PATIENT), three),
        "topics": topics(NMF(3, **PATIENT)),
        "topics-scaling": topics(NMF(2, solver="mu", **PATIENT)),
        "topics-batches": lambda: fitted(make_pipeline(CountVectorizer(), MiniBatchNMF(3, **PATIENT)), texts),
        "classes": of(make_pipeline(NMF(3, **PATIENT), LogisticRegression()), three),
    },
}
