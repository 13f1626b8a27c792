"""A forest's walks end in the same leaves in the file, as tuples and in NumPy; hostile forests are refused."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight import ModelRefused
from flyweight.models import file as model_file
from flyweight.ops import _forest, _forest_batch, _forest_crown
from flyweight.ops._forest_batch import BatchWalk
from flyweight.predictor import Predictor
from flyweight.toolkit.packing import model_writer
from tests.conftest import ROOT
from tests.ops.forests import LEAVES, WIDTH, built, by_definition, forests, grown, instances
from tests.ops.hostile import Arrays, changed, document, stump


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(arrays=forests, rows=instances, steps=st.sampled_from([1, 40, 2000]), whole=st.sampled_from([0, 5, 64]))
def test_a_forest_ends_in_the_same_leaves_in_every_form(arrays: Arrays, rows: list[list[float]], steps: int, whole: int) -> None:
    expected = [by_definition(arrays, row) for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_forest, "STEP_NODES", steps)
        patch.setattr(_forest_crown, "WHOLE", whole)
        patch.setattr(_forest_crown, "LEVELS", whole % 3)
        forest = built(arrays)._forest
        for _ in range(len(arrays["roots"]) + 2):  # from all in the file to all as tuples
            assert [forest.leaves(row) for row in rows] == expected
        assert len(forest._trees) == forest.count
        assert BatchWalk(forest).leaves(np.array(rows)).tolist() == expected
        patch.setattr(_forest, "KEPT_NODES", 0)
        patch.setattr(_forest, "CHECKED_NODES", 0)
        patch.setattr(_forest_batch, "KEPT_NODES", 0)
        patch.setattr(_forest_batch, "NODES", 20)
        mapped = built(arrays)._forest
        assert [mapped.leaves(row) for row in rows * 3] == expected * 3
        walk = BatchWalk(mapped)
        assert walk.leaves(np.array(rows)).tolist() == expected
        assert not mapped._trees and not walk._kept
        patch.setattr(_forest_batch, "KEPT_NODES", 10**9)
        walk = BatchWalk(mapped)
        for _ in range(2):  # laid out in parts of 20 nodes, then kept
            assert walk.leaves(np.array(rows)).tolist() == expected


VALID = grown(random.Random(5), 6, depth=6, categorical=True)
INNER = np.flatnonzero(VALID["feature"] >= 0)


def at(name: str, place: int, value: int) -> dict[str, Any]:
    array = VALID[name].copy()
    array[place] = value
    return {name: array}


DAMAGED = {
    "right child beyond the file": at("over", INNER[0], 65535),
    "right child beyond its tree": at("over", INNER[0], len(VALID["over"]) - 3),
    "feature beyond the width": at("feature", INNER[0], WIDTH),
    "leaf beyond the leaves": {"feature": np.where(VALID["feature"] < 0, -1 - LEAVES, VALID["feature"])},
    "categories beyond the table": {"split": np.where(VALID["split"] >= 0, 99, -1).astype(np.int16)},
}


@pytest.mark.parametrize("changes", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_forest_is_refused_when_it_is_loaded(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        built(changed(VALID, **changes))


@pytest.mark.parametrize("changes", DAMAGED.values(), ids=DAMAGED.keys())
@pytest.mark.parametrize("kept", [0, 10**9])
def test_a_damaged_forest_that_is_too_large_to_check_is_refused_by_its_walk(
    changes: dict[str, Any], kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_forest, "CHECKED_NODES", 0)
    monkeypatch.setattr(_forest, "KEPT_NODES", kept)
    monkeypatch.setattr(_forest_batch, "KEPT_NODES", kept)
    op = built(changed(VALID, **changes))
    rows = np.random.default_rng(0).integers(-1, 7, (300, WIDTH)).astype(float)
    with pytest.raises(ModelRefused):
        for row in rows.tolist():
            op.row(row)
    with pytest.raises(ModelRefused):
        op.batch(rows)


@pytest.mark.parametrize("checked", [0, 10**9])
def test_a_last_node_that_is_not_a_leaf_is_refused(checked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_forest, "CHECKED_NODES", checked)
    _, arrays = stump()
    with pytest.raises(ModelRefused):
        built(changed(arrays, feature=np.array([0, -1, 0], dtype=np.int16))).row([1.0] * WIDTH)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_random_damage_in_a_large_forest_ends_every_walk(data: st.DataObject) -> None:
    """Every walk ends in an answer or a refusal, for any nodes."""
    arrays = dict(VALID)
    for name in data.draw(st.lists(st.sampled_from(["feature", "over", "threshold", "missing", "split"]), min_size=1)):
        if name in arrays:
            noise = np.random.default_rng(data.draw(st.integers(0, 99)))
            arrays[name] = noise.integers(0, 256, arrays[name].nbytes, dtype=np.uint8).view(arrays[name].dtype)
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(_forest, "CHECKED_NODES", 0)
        kept = data.draw(st.sampled_from([0, 10**9]))
        patch.setattr(_forest, "KEPT_NODES", kept)
        patch.setattr(_forest_batch, "KEPT_NODES", kept)
        patch.setattr(_forest_batch, "NODES", data.draw(st.sampled_from([20, 10**9])))
        patch.setattr(_forest_crown, "LEVELS", data.draw(st.integers(0, 3)))
        op = built(arrays)
        for value in (0.0, 3.0, -1e9, math.nan):
            for answer in (lambda v: op.row([v] * WIDTH), lambda v: op.batch(np.full((2, WIDTH), v))):
                try:
                    answer(value)
                except ModelRefused:
                    pass


def large(path: Path, trees: int, nodes: int) -> None:
    """Write a forest of equal trees, each a long chain of left children: a value above `nodes // 2 - k` leaves it at node k."""
    feature = np.tile(np.r_[np.zeros(nodes // 2), np.arange(-1, -1 - nodes // 2 - 1, -1)], trees).astype(np.int32)
    over = np.tile(np.r_[np.arange(nodes - 2, 0, -2), np.zeros(nodes // 2 + 1)], trees).astype(np.uint16)
    threshold = np.tile(np.r_[np.arange(nodes // 2, 0, -1), np.zeros(nodes // 2 + 1)], trees).astype(np.float32)
    size = len(feature) // trees
    arrays = {
        "feature": feature,
        "over": over,
        "threshold": threshold,
        "roots": np.arange(trees, dtype=np.int32) * size,
        "leaves": np.arange(nodes // 2 + 1, dtype=float).reshape(-1, 1),
        "base": np.zeros(1),
    }
    spec = {"op": "trees.sum", "inputs": ["input"], "output": "y", "single": False, "mean": False, "exact": True}
    entries = document([{**spec, "arrays": {key: key for key in arrays}}], "y", features=1)
    model_writer.write(path, model_writer.to_bytes({key: value for key, value in entries.items() if key != "format"}, arrays))


MEASURE = """
import sys; sys.path.insert(0, {shared!r})
import flyweight
def resident(): return 1024 * int(open("/proc/self/status").read().partition("RssAnon:")[2].split()[0])
flyweight.load({small!r}).predict([[1.0]])
before = resident()
model = flyweight.load({path!r})
loaded = resident()
answers = [model.predict([[value]]).predictions for value in (1e9, 4999.5, 4999.5, 1e9)]
print(len(model.file.data), loaded - before, resident() - before, "numpy" in sys.modules, answers)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="what is resident is read from /proc")
def test_a_large_forest_is_opened_where_it_lies(tmp_path: Path) -> None:
    large(tmp_path / "small.safetensors", 1, 11)
    large(tmp_path / "large.safetensors", 200, 10_001)
    program = MEASURE.format(
        shared=str(ROOT / "shared"), small=str(tmp_path / "small.safetensors"), path=str(tmp_path / "large.safetensors")
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    size, loaded, asked, numpy, answers = done.stdout.split(maxsplit=4)
    assert int(size) > 20_000_000
    assert int(loaded) < 2_000_000  # of its own: memory that it shares with the file is not counted
    assert int(asked) < 2_000_000
    assert numpy == "False"
    assert answers.strip() == "[[1000000.0], [999800.0], [999800.0], [1000000.0]]"


def test_a_mapped_file_is_the_file_that_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "MAPPED_BYTES", 0)
    path = tmp_path / "m.safetensors"
    large(path, 1, 11)
    first = path.read_bytes()
    model = Predictor(model_file.read(str(path)))
    large(path, 2, 11)  # renamed onto the first
    assert model.predict([[9.0]]).predictions == [5.0]
    assert bytes(model.file.data) == first
    assert model.file.sha256 == model_file.parse(first).sha256
    assert Predictor(model_file.read(str(path))).predict([[9.0]]).predictions == [10.0]


def test_a_mapped_file_that_is_not_a_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "MAPPED_BYTES", 1)
    (tmp_path / "m").write_bytes(b"\xff" * 100)
    with pytest.raises(ModelRefused):
        model_file.read(str(tmp_path / "m"))
    (tmp_path / "m").write_bytes(b"")
    with pytest.raises(ModelRefused):
        model_file.read(str(tmp_path / "m"))


def test_arrays_lie_aligned() -> None:
    arrays = {**VALID, "three": np.zeros(3, dtype=np.uint8)}
    data = model_writer.to_bytes({"name": "m"}, arrays)
    whole = np.frombuffer(data, dtype=np.uint8).ctypes.data
    for tensor in model_file.parse(data).tensors.values():
        place = np.asarray(tensor.values).ctypes.data - whole
        assert place % tensor.values.itemsize == 0
