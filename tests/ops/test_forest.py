"""A forest's walks end in the same leaves in the file, as tuples and in NumPy; hostile forests are refused."""

from __future__ import annotations

import math
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight import InvalidInput, ModelRefused
from flyweight.models import file as model_file
from flyweight.ops import Node, _forest, _forest_batch, _forest_masks, _forest_sums
from flyweight.ops._forest_batch import BatchWalk
from flyweight.ops.trees import Sum
from flyweight.predictor import Predictor
from flyweight.toolkit.packing import model_writer
from tests.conftest import ROOT
from tests.ops.hostile import Arrays, changed, document, raw, stump

WIDTH, LEAVES, CATEGORIES = 4, 7, 6
VALUES = [math.nan, math.inf, -math.inf, -0.0, 0.0, 0.5, 1.0, 2.5, 3.0, 5.0, 6.0, 300.0, -1.0, 1e300]
THRESHOLDS = [math.inf, -math.inf, 0.0, -0.0, 0.5, 1.0, 2.5, float(np.nextafter(2.5, 3)), 5.0, float(np.finfo(np.float32).max)]


def grown(rng: random.Random, trees: int, *, single: bool = False, depth: int = 5, categorical: bool = False) -> Arrays:
    """Return random trees with every kind of split."""
    nodes: list[list[Any]] = []

    def grow(level: int) -> None:
        place = len(nodes)
        nodes.append([-1 - rng.randrange(LEAVES), 0.0, 0, 0, -1])
        if level and rng.random() < 0.8:
            grow(level - 1)
            over = len(nodes) - place - 1
            grow(level - 1)
            row = rng.randrange(5) if categorical and rng.random() < 0.4 else -1
            threshold = rng.choice([*THRESHOLDS, rng.gauss(0, 1)]) if row < 0 else math.nan
            nodes[place] = [rng.randrange(WIDTH), threshold, over, rng.randrange(2), row]

    roots = []
    for _ in range(trees):
        roots.append(len(nodes))
        grow(depth)
    columns = list(zip(*nodes, strict=True))
    with np.errstate(over="ignore"):
        arrays = {
            "feature": np.array(columns[0], dtype=rng.choice([np.int16, np.int32])),
            "threshold": np.array(columns[1], dtype=np.float32 if single else np.float64),
            "over": np.array(columns[2], dtype=rng.choice([np.uint16, np.uint32])),
            "roots": np.array(roots, dtype=np.int32),
            "leaves": np.array([[rng.gauss(0, 1)] for _ in range(LEAVES)]),
            "base": np.array([0.25]),
        }
    if rng.random() < 0.8:
        arrays["missing"] = np.array(columns[3], dtype=np.uint8)
    if categorical:
        arrays["split"] = np.array(columns[4], dtype=np.int16)
        arrays["goes_left"] = np.array([[rng.randrange(2) for _ in range(CATEGORIES)] for _ in range(5)], dtype=np.uint8)
    return arrays


def built(arrays: Arrays, **more: Any) -> Sum:
    """Return the op over these arrays, as it is read from a file."""
    spec = {"op": "trees.sum", "single": False, "mean": False, "exact": True, "arrays": {key: key for key in arrays}, **more}
    return Sum(Node(spec, ("n" * WIDTH,), model_file.parse(raw({"format": 1}, arrays)).tensors))


def by_definition(arrays: Arrays, x: list[float]) -> list[int]:
    """Return the leaves as docs/model-file.md defines them."""
    leaves = []
    for i in arrays["roots"].tolist():
        while arrays["feature"][i] >= 0:
            v = x[arrays["feature"][i]]
            row = arrays["split"][i] if "split" in arrays else -1
            if math.isnan(v) or (row >= 0 and not 0 <= v < CATEGORIES):
                left = "missing" in arrays and arrays["missing"][i] == 1
            elif row >= 0:
                left = arrays["goes_left"][row, int(v)] == 1
            else:
                left = v <= float(arrays["threshold"][i])
            i = i + 1 if left else i + 1 + int(arrays["over"][i])
        leaves.append(~int(arrays["feature"][i]))
    return leaves


forests = st.builds(
    lambda seed, trees, single, categorical: grown(random.Random(seed), trees, single=single, categorical=categorical),
    st.integers(0, 10**9),
    st.integers(1, 9),
    st.booleans(),
    st.booleans(),
)
instances = st.lists(
    st.lists(st.one_of(st.sampled_from(VALUES), st.sampled_from(THRESHOLDS), st.floats()), min_size=WIDTH, max_size=WIDTH),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(arrays=forests, rows=instances, steps=st.sampled_from([1, 40, 2000]))
def test_a_forest_ends_in_the_same_leaves_in_every_form(arrays: Arrays, rows: list[list[float]], steps: int) -> None:
    expected = [by_definition(arrays, row) for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_forest, "STEP_NODES", steps)
        forest = built(arrays)._forest
        for _ in range(len(arrays["roots"]) + 2):  # from all in the file to all as tuples
            assert [forest.leaves(row) for row in rows] == expected
        assert len(forest._trees) == forest.count
        assert BatchWalk(forest).leaves(np.array(rows)).tolist() == expected
        patch.setattr(_forest, "KEPT_NODES", 0)
        patch.setattr(_forest, "CHECKED_NODES", 0)
        patch.setattr(_forest_batch, "NODES", 20)
        mapped = built(arrays)._forest
        assert [mapped.leaves(row) for row in rows * 3] == expected * 3
        walk = BatchWalk(mapped)
        assert walk.leaves(np.array(rows)).tolist() == expected
        assert not mapped._trees and walk._kept is None


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**9), rows=instances, targets=st.booleans(), single=st.booleans(), mean=st.booleans())
def test_a_batch_gives_the_bits_of_its_rows(seed: int, rows: list[list[float]], targets: bool, single: bool, mean: bool) -> None:
    rng = random.Random(seed)
    arrays = grown(rng, 9, single=single)
    if targets:
        arrays |= {
            "base": np.array([0.25, 0.0, -1e17]),
            "targets": np.array([rng.randrange(3) for _ in range(9)], dtype=np.int32),
        }
    elif rng.random() < 0.5:
        arrays |= {"base": np.zeros(3), "leaves": np.array([[rng.gauss(0, 1) for _ in range(3)] for _ in range(LEAVES)])}
    op = built(arrays, single=single, mean=mean, names=list("abcd"), **({"divide": 9} if mean else {}))
    rows = rows * 400  # more than one block
    with np.errstate(over="ignore"):
        too_large = np.isinf(np.array(rows).astype(np.float32)).any()
    if single and too_large:
        with pytest.raises(InvalidInput) as one:
            [op.row(row) for row in rows]
        with pytest.raises(InvalidInput) as many:
            op.batch(np.array(rows))
        assert str(one.value) == str(many.value)
        return
    assert op.batch(np.array(rows)).tolist() == [op.row(row) for row in rows]


compile_ = compile


def as_masks(forest: _forest.Forest, rows: list[list[float]]) -> None:
    """Answer rows until the forest has become masks, or is known to become none."""
    for _ in range(_forest.WALKS + len(forest.feature) + 3 * forest.count + WIDTH + 5):
        forest.leaves(rows[0])
        if forest.masks is not None or forest._walks < 0:
            return
    raise AssertionError("the masks were never finished")


@settings(max_examples=150, deadline=None)
@given(arrays=forests, rows=instances, steps=st.sampled_from([1, 2000]), bits=st.sampled_from([32, 256, 4096]))
def test_masks_end_in_the_same_leaves(arrays: Arrays, rows: list[list[float]], steps: int, bits: int) -> None:
    expected = [by_definition(arrays, row) for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_forest, "WALKS", 3)
        patch.setattr(_forest_masks, "STEP_NODES", steps)
        patch.setattr(_forest_masks, "GROUP_BITS", bits)
        patch.setattr(_forest_masks, "WALK", 1e9)  # masks pay for forests of all sizes
        forest = built(arrays)._forest
        as_masks(forest, rows)
        assert (forest.masks is None) == ("split" in arrays)
        assert [forest.leaves(row) for row in rows] == expected
        if forest.masks is not None:
            assert not forest._trees
            finite = [row for row in rows if not any(map(math.isnan, row))]
            counts = [[leaves.count(number) for number in range(LEAVES)] for leaves in map(forest.leaves, finite)]
            for missing in (True, False):
                assert [forest.masks.votes(row, missing) for row in finite] == counts


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    rows=instances,
    form=st.sampled_from(["one", "two", "three", "targets", "whole", "zeros"]),
    lines=st.sampled_from([0, 200]),
)
def test_sums_of_masks_are_those_of_tuples_bit_for_bit(seed: int, rows: list[list[float]], form: str, lines: int) -> None:
    rng = random.Random(seed)
    arrays = grown(rng, rng.randrange(1, 9))
    outputs = {"one": 1, "two": 2, "three": 3, "targets": 3, "whole": 2, "zeros": 2}[form]
    width = 1 if form == "targets" else outputs
    draws = {"whole": lambda: float(rng.randrange(-3, 4)), "zeros": lambda: rng.choice([0.0, -0.0])}
    draw = draws.get(form, lambda: rng.gauss(0, 1))
    arrays["leaves"] = np.array([[draw() for _ in range(width)] for _ in range(LEAVES)])
    arrays["base"] = np.array([draw() for _ in range(outputs)])
    if form == "targets":
        arrays["targets"] = np.array([rng.randrange(outputs) for _ in arrays["roots"]], dtype=np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_forest, "WALKS", 3)
        patch.setattr(_forest_masks, "WALK", 1e9)
        patch.setattr(_forest_sums, "LINES", lines)
        slow, fast = built(arrays), built(arrays)
        slow._forest._walks = -1
        as_masks(fast._forest, rows)
        assert fast._forest.masks is not None and slow._forest.masks is None
        fast.row(rows[0])  # from here on the sums are those of masks, if they are compiled
        if form != "zeros":  # zeros without a sign are whole numbers as well
            assert (fast._sums is None) == (not lines and form != "whole")
        for row in rows:
            assert [*map(repr, fast.row(row))] == [*map(repr, slow.row(row))]


def test_the_code_of_sums_has_numbered_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_forest_masks, "WALK", 1e9)
    op, codes = built(grown(random.Random(1), 4)), []
    as_masks(op._forest, [[0.0] * WIDTH])
    monkeypatch.setattr("builtins.compile", lambda code, *more: codes.append(code) or compile_(code, *more))
    op.row([0.0] * WIDTH)
    (code,) = codes
    assert re.sub(r"\b[pty][\d_]+\b|def add|places|base|return|[\s\[\]():,=+]", "", code) == ""


def test_a_forest_whose_nodes_share_a_child_gets_no_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a file is valid: each step leads forward. Only a hostile writer makes one."""
    monkeypatch.setattr(_forest_masks, "WALK", 1e9)
    # the root's left child, a split, has the root's right child as its own
    columns = [(0, 0.0, 2), (1, 0.0, 1), (-1, 0.0, 0), (-2, 0.0, 0)]
    arrays = {
        "feature": np.array([feature for feature, _, _ in columns], dtype=np.int16),
        "threshold": np.array([threshold for _, threshold, _ in columns]),
        "over": np.array([over for _, _, over in columns], dtype=np.uint16),
        "roots": np.array([0], dtype=np.int32),
        "leaves": np.array([[1.0]] * LEAVES),
        "base": np.array([0.0]),
    }
    forest = built(arrays)._forest
    for _ in range(_forest.WALKS + 20):
        for row in ([0.0] * WIDTH, [1.0] * WIDTH, [-1.0, 1.0, 0.0, 0.0]):
            assert forest.leaves(row) == by_definition(arrays, row)
    assert forest.masks is None and forest._walks == -1


def test_a_threshold_that_is_no_number_gets_no_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_forest_masks, "WALK", 1e9)
    arrays = grown(random.Random(3), 4)
    arrays["threshold"][arrays["feature"] >= 0] = math.nan
    forest = built(arrays)._forest
    as_masks(forest, [[0.0] * WIDTH])
    assert forest.masks is None and forest.leaves([1.0] * WIDTH) == by_definition(arrays, [1.0] * WIDTH)


def test_masks_are_made_where_they_pay_only() -> None:
    """Not for a forest of deep trees, nor for one whose rows have more features to look up than a walk has steps."""
    small = built(grown(random.Random(0), 60, depth=4))._forest
    deep = built(grown(random.Random(0), 3, depth=9))._forest
    assert _forest_masks.bits_of(small) and max(map(int.__sub__, deep.ends, deep.roots)) > 2 * _forest_masks.MOST_BITS
    assert not _forest_masks.bits_of(deep)
    assert not _forest_masks.bits_of(built(grown(random.Random(0), 1, depth=2))._forest)


def test_masks_take_no_more_memory_than_the_cache_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_forest_masks, "WALK", 1e9)
    forest = built(grown(random.Random(5), 130, depth=5))._forest
    as_masks(forest, [[0.0] * WIDTH])
    assert forest.masks is not None
    lists = [part for group in forest.masks._groups for _, *parts in group._cuts for part in parts[:2]]
    numbers = sum([sys.getsizeof(part) + sum(map(sys.getsizeof, part)) for part in lists])
    assert 0 < numbers + sum(map(sys.getsizeof, forest.masks.numbers)) <= forest.grows


def test_threads_make_the_masks_once_and_agree_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_forest_masks, "WALK", 1e9)
    monkeypatch.setattr(_forest_masks, "STEP_NODES", 1)
    arrays = grown(random.Random(7), 40)
    op, row = built(arrays), [0.5, 3.0, -1.0, 2.0]
    expected = built(arrays).row(row)
    with ThreadPoolExecutor(8) as pool:
        assert {*map(repr, pool.map(lambda _: op.row(row), range(2000)))} == {repr(expected)}
    assert op._forest.masks is not None


def test_blocks_of_trees_and_rows_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_forest_batch, "PAIRS", 64)
    monkeypatch.setattr(_forest_batch, "ROWS", 24)
    arrays = grown(random.Random(1), 50, depth=9, categorical=True)
    x = np.random.default_rng(0).normal(1, 2, (100, WIDTH))
    x[::7, 1] = np.nan
    assert BatchWalk(built(arrays)._forest).leaves(x).tolist() == [by_definition(arrays, row) for row in x.tolist()]


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
        patch.setattr(_forest, "KEPT_NODES", data.draw(st.sampled_from([0, 10**9])))
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


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4, 12])
def test_batches_of_trees_of_any_depth_end_in_the_leaves_by_definition(depth: int) -> None:
    """The first levels are compared at once, and trees may end within them."""
    arrays = grown(random.Random(depth), 30, depth=depth)
    x = np.random.default_rng(0).normal(1, 2, (90, WIDTH))
    x[::5, 0] = np.nan
    assert BatchWalk(built(arrays)._forest).leaves(x).tolist() == [by_definition(arrays, row) for row in x.tolist()]


def test_nodes_with_two_parents_take_no_more_work_in_batches() -> None:
    """Walked as a tree, each level would have twice as many nodes as the one above it."""
    levels = 60
    child = np.array([1, *[2 * level + 3 for level in range(levels) for _ in range(2)], 2 * levels + 1, 2 * levels + 2])
    assert _forest_batch._depths(child, 1).tolist() == [levels + 1]
