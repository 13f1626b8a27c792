"""Estimators in skops' archives are refused if a tree, a type or the bytes are not what they claim to be."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor

from flyweight.engines.sklearn import restore, types_of
from flyweight.errors import ModelRefused
from tests.engines.engine_files import LABELS, X, y

FOREST = RandomForestClassifier(3, random_state=0).fit(X, LABELS)
TREES: dict[str, Any] = {
    "forest": FOREST,
    "tree": DecisionTreeRegressor(random_state=0).fit(X, y),
    "boosting": GradientBoostingRegressor(n_estimators=3).fit(X, y),
    "isolation": IsolationForest(n_estimators=3, max_features=2, random_state=0).fit(X),
    "histogram": HistGradientBoostingRegressor(max_iter=3).fit(X, y),
    "two outputs": RandomForestRegressor(3, random_state=0).fit(X, np.c_[y, y]),
}


@pytest.mark.parametrize("name", TREES)
def test_valid_trees_are_restored(name: str) -> None:
    data = skops.io.dumps(TREES[name])
    assert np.array_equal(restore(data, types_of(data)).predict(X), TREES[name].predict(X))


def with_nodes(estimator: Any, change: Callable[[Any], object]) -> bytes:
    """Return the estimator as skops stores it, with changed nodes of its first tree, as no scikit-learn would write them."""
    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator)))
    buffer, done = io.BytesIO(), False
    with zipfile.ZipFile(buffer, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith(".npy") and not done:
                array = np.load(io.BytesIO(data))
                if array.dtype.names and len(array) > 1:
                    change(array)
                    done = True
                    out = io.BytesIO()
                    np.save(out, array)
                    data = out.getvalue()
            target.writestr(entry.filename, data)
    assert done
    return buffer.getvalue()


def setting(column: str, value: int) -> Callable[[Any], object]:
    return lambda nodes: nodes.__setitem__(0, tuple(value if name == column else nodes[0][name] for name in nodes.dtype.names))


DAMAGE = {
    "a loop": ("left_child", 0),
    "outside": ("left_child", 1 << 40),
    "behind": ("right_child", -2),
    "half a leaf": ("left_child", -1),
    "no such feature": ("feature", 3),
    "a negative feature": ("feature", -5),
}


@pytest.mark.parametrize(("column", "value"), DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize("name", ["forest", "tree", "boosting", "isolation"])
def test_a_tree_that_points_outside_or_in_a_circle_is_refused(name: str, column: str, value: int) -> None:
    data = with_nodes(TREES[name], setting(column, value))
    with pytest.raises(ModelRefused, match="a tree of the estimator is damaged"):
        restore(data, types_of(data))


@pytest.mark.parametrize(
    ("column", "value"), [("left", 0), ("right", 4_000_000), ("feature_idx", 3), ("feature_idx", -1), ("is_categorical", 1)]
)
def test_a_histogram_tree_is_checked_as_well(column: str, value: int) -> None:
    data = with_nodes(TREES["histogram"], setting(column, value))
    with pytest.raises(ModelRefused, match="a tree of the estimator is damaged"):
        restore(data, types_of(data))


def with_schema(data: bytes, change: Callable[[str], str]) -> bytes:
    source, buffer = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            target.writestr(entry.filename, change(content.decode()).encode() if entry.filename == "schema.json" else content)
    return buffer.getvalue()


def test_a_forest_that_claims_fewer_features_than_its_trees_read_is_refused() -> None:
    def narrower(schema: str) -> str:
        document = json.loads(schema)
        width = document["content"]["content"]["n_features_in_"]
        width["content"] = "1"
        del width["__id__"]  # else it would be the same number as another
        return json.dumps(document)

    data = with_schema(skops.io.dumps(FOREST), narrower)
    with pytest.raises(ModelRefused, match="a tree of the estimator is damaged"):
        restore(data, types_of(data))


class Mine(FunctionTransformer):
    """A type that no package has."""


SKOPS: dict[str, tuple[Any, str]] = {
    "of no known package": (
        make_pipeline(Mine(), Ridge()).fit(X, y),
        r"Mine, of a package .* set FLYWEIGHT_TRUSTED_TYPES=\S*Mine",
    ),
    "compiled": (KNeighborsRegressor().fit(X, y), "KDTree, whose compiled code follows indices"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", ["of no known package", "compiled"])
def test_types_that_are_not_known_are_refused_with_the_setting_that_permits_them(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator, words = SKOPS[case]
    data = skops.io.dumps(estimator)
    types = types_of(data)
    with pytest.raises(ModelRefused, match=words):
        restore(data, types)
    monkeypatch.setenv("FLYWEIGHT_TRUSTED_TYPES", ",".join(types))
    assert np.allclose(restore(data, types).predict(X), estimator.predict(X))
    with pytest.raises(ModelRefused, match="which the file does not list"):
        restore(data, [])


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "eval"), ("numpy.testing", "runstring"), ("sklearn.utils", "check_array")]
)
def test_code_is_never_taken_for_a_type(module: str, name: str) -> None:
    """A function in place of numpy's: even of a known package, and even where the file lists it."""

    def hostile(schema: str) -> str:
        document = json.loads(schema)
        place = document["content"]["content"]["func"]
        assert place["__loader__"] == "FunctionNode"
        place.update({"__class__": name, "__module__": module, "content": {"module_path": module, "function": name}})
        return json.dumps(document)

    data = with_schema(skops.io.dumps(FunctionTransformer(np.log1p).fit(X)), hostile)
    with pytest.raises(ModelRefused, match=f"{module}.{name}, (which is code|of a package)"):
        restore(data, [f"{module}.{name}"])


def test_a_sparse_matrix_that_points_outside_is_refused() -> None:
    from scipy import sparse

    model = KNeighborsRegressor(algorithm="brute").fit(sparse.csr_matrix(X), y)
    valid = skops.io.dumps(model)
    assert np.allclose(restore(valid, types_of(valid)).predict(X), model.predict(X))
    source, buffer = zipfile.ZipFile(io.BytesIO(valid)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith(".npz"):
                parts = dict(np.load(io.BytesIO(data)))
                parts["indices"] = parts["indices"] + 1_000_000
                out = io.BytesIO()
                np.savez(out, **parts)
                data = out.getvalue()
            target.writestr(entry.filename, data)
    with pytest.raises(ModelRefused, match="can't be restored: ValueError"):
        restore(buffer.getvalue(), types_of(valid))


@pytest.mark.parametrize("data", [b"", b"PK\3\4junk", b"\0" * 100], ids=["empty", "junk", "zeros"])
def test_bytes_that_are_not_an_archive_are_refused(data: bytes) -> None:
    with pytest.raises(ModelRefused, match="not a skops archive"):
        restore(data, [])


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flyweight.engines.sklearn.MAX_BYTES", 1000)
    with pytest.raises(ModelRefused, match="more than 1000 bytes unpacked"):
        restore(skops.io.dumps(FOREST), [])


@pytest.mark.slow
def test_damaged_archives_are_refused_or_answer() -> None:
    """A process of its own, since the compiled code might crash."""
    program = "import sys; from tests.engines.test_archives import survive; survive(); print('survived')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.endswith("survived\n"), done.stderr[-2000:]


def survive() -> None:
    """A randomly damaged tree is refused, or answers."""
    import warnings

    warnings.simplefilter("ignore")
    rng = np.random.default_rng(2)
    made = 0
    for name in TREES:
        for _ in range(25):

            def scramble(nodes: Any) -> None:
                raw = nodes.view(np.uint8)
                raw[rng.integers(0, len(raw), 3)] = rng.integers(0, 256, 3)

            data = with_nodes(TREES[name], scramble)
            try:
                restore(data, types_of(data)).predict(X)
                made += 1
            except (ModelRefused, ValueError):
                pass
    assert made, "every damage was refused: the test tells nothing of those that are not"
