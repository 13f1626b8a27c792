"""An estimator that another version of scikit-learn fitted is refused, however it came into memory; others never are."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators

import flyweight
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing import origins
from flyweight.toolkit.packing.origins import VersionMismatch

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
OTHER = "1.0.2"


def fitted() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


def as_of(version: str, estimator: Any) -> bytes:
    """Pickle an estimator as another version records it: in protocol 0, where texts are lines."""
    return pickle.dumps(estimator, 0).replace(sklearn.__version__.encode(), version.encode())


def loaded(data: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning that is hidden must change nothing
        return pickle.loads(data)


def reordered(estimator: Any, attributes: dict[str, Any]) -> Any:
    """Give an estimator these attributes, in this order."""
    vars(estimator).clear()
    vars(estimator).update(attributes)
    return estimator


def test_an_estimator_that_was_fitted_here_is_packed() -> None:
    for estimator in (fitted(), pickle.loads(pickle.dumps(fitted())), clone(fitted()).fit(X, Y)):
        assert flyweight.pack(estimator, sample=X, edge_count=50).parity.label_differences == 0


def test_a_pickle_of_another_version_is_refused_with_both_versions() -> None:
    with pytest.raises(VersionMismatch) as refused:
        flyweight.pack(loaded(as_of(OTHER, fitted())), sample=X, edge_count=50)
    assert OTHER in str(refused.value) and sklearn.__version__ in str(refused.value)
    assert "flyweight pack FILE" in refused.value.next_step
    assert isinstance(refused.value, ToolkitError)


def test_a_part_of_another_version_is_found_in_a_pipeline_of_this_one() -> None:
    scaler = loaded(as_of(OTHER, StandardScaler().fit(X)))
    pipeline = make_pipeline(scaler, LogisticRegression())
    pipeline.steps[1] = ("logisticregression", LogisticRegression().fit(scaler.transform(X), Y))
    with pytest.raises(VersionMismatch, match="StandardScaler"):
        flyweight.pack(pipeline, sample=X, edge_count=50)


def test_a_parameter_that_this_version_lacks_shows_another_one() -> None:
    """A pickle that was loaded and dumped again claims this version; its attributes do not."""
    estimator = LogisticRegression().fit(X, Y)
    kept = vars(estimator).copy()
    first, *others = kept.items()
    for changed in (dict([first, ("multi_class", "deprecated"), *others]), dict(others)):
        with pytest.raises(VersionMismatch, match=r"another version .* made this LogisticRegression: it (has multi_class|lacks)"):
            flyweight.pack(reordered(estimator, changed), sample=X, edge_count=50)
    assert flyweight.pack(reordered(estimator, kept), sample=X, edge_count=50)


def test_an_attribute_that_a_user_adds_later_accuses_nobody() -> None:
    estimator = fitted()
    estimator.threshold, estimator.steps[1][1].trained_on = 0.4, "2026-01-01"
    assert flyweight.pack(estimator, sample=X, edge_count=50)


def test_a_packed_estimator_may_be_taken_as_it_is_read_here_and_the_file_says_so() -> None:
    packed = flyweight.pack(loaded(as_of(OTHER, fitted())), sample=X, edge_count=50, fitted_with=f"scikit-learn {OTHER}")
    document = flyweight.models.file.parse(packed.data).document
    assert document["provenance"]["fitted with"] == f"scikit-learn {OTHER}"
    assert document["provenance"]["scikit-learn"] == sklearn.__version__


@pytest.mark.filterwarnings("ignore:Class .* is deprecated")
def test_no_class_of_this_version_is_taken_for_another_one() -> None:
    for name, cls in all_estimators():
        parameters = inspect.signature(cls).parameters.values()
        estimator = cls(**{one.name: None for one in parameters if one.default is one.empty})
        for one in (estimator, pickle.loads(pickle.dumps(estimator))):
            origins.check(one)
        kept = [*vars(estimator).items()]
        if len(kept) > 1:
            with pytest.raises(VersionMismatch, match=name):
                origins.check(reordered(estimator, dict(kept[1:])))


def test_a_pickle_that_was_loaded_before_flyweight_is_refused_as_well(tmp_path: Path) -> None:
    """In a notebook flyweight often comes last; Python still knows which warnings it has shown."""
    (tmp_path / "old.pkl").write_bytes(as_of(OTHER, StandardScaler().fit(X)))
    joblib.dump(StandardScaler().fit(X), tmp_path / "new.pkl")
    code = (
        "import joblib, sys; old, new = joblib.load('old.pkl'), joblib.load('new.pkl'); import flyweight\n"
        "flyweight.pack(old if sys.argv[1] == 'old' else new, edge_count=20)"
    )
    ran = subprocess.run([sys.executable, "-c", code, "old"], cwd=tmp_path, capture_output=True, text=True)
    assert "VersionMismatch" in ran.stderr and OTHER in ran.stderr and sklearn.__version__ in ran.stderr
