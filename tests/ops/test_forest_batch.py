"""Batches end in the leaves that the definition names, and have the bits of their rows, however they are cut."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight import InvalidInput
from flyweight.errors import ModelRefused
from flyweight.ops import _forest_batch, _forest_crown, _forest_layout, _forest_ranks
from flyweight.ops._forest_batch import BatchWalk
from flyweight.ops._forest_levels import Levels
from tests.ops.forests import LEAVES, VALUES, WIDTH, built, by_definition, grown, instances
from tests.ops.hostile import Arrays


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


def test_blocks_of_trees_and_rows_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PAIRS", 64), ("ROWS", 24), ("STEPS", 48), ("GROUPS", (3, 8))):
        monkeypatch.setattr(_forest_batch, name, value)
    monkeypatch.setattr(_forest_crown, "VALUES", 50)
    monkeypatch.setattr(_forest_ranks, "VALUES", 50)
    arrays = grown(random.Random(1), 50, depth=9, categorical=True)
    x = np.random.default_rng(0).normal(1, 2, (100, WIDTH))
    x[::7, 1] = np.nan
    assert BatchWalk(built(arrays)._forest).leaves(x).tolist() == [by_definition(arrays, row) for row in x.tolist()]


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4, 12])
def test_batches_of_trees_of_any_depth_end_in_the_leaves_by_definition(depth: int) -> None:
    """The first levels are compared at once, and trees may end within them."""
    arrays = grown(random.Random(depth), 30, depth=depth)
    x = np.random.default_rng(0).normal(1, 2, (90, WIDTH))
    x[::5, 0] = np.nan
    assert BatchWalk(built(arrays)._forest).leaves(x).tolist() == [by_definition(arrays, row) for row in x.tolist()]


@pytest.mark.parametrize("seed", range(3))
def test_splits_that_no_walk_comes_to_are_passed_over(seed: int) -> None:
    """As where damage makes a leaf of a node: what was below it stays in the file."""
    arrays = grown(random.Random(seed), 3, depth=3, categorical=True)
    x = np.random.default_rng(0).normal(1, 2, (40, WIDTH))
    x[::5, 0] = np.nan
    for node in np.flatnonzero(arrays["feature"] >= 0).tolist():
        damaged = arrays | {"feature": arrays["feature"].copy()}
        damaged["feature"][node] = -1
        assert BatchWalk(built(damaged)._forest).leaves(x).tolist() == [by_definition(damaged, row) for row in x.tolist()]


def test_nodes_with_two_parents_take_no_more_work_in_batches() -> None:
    """Walked as a tree, each level would have twice as many nodes as the one above it."""
    levels = 60
    child = np.array([1, *[2 * level + 3 for level in range(levels) for _ in range(2)], 2 * levels + 1, 2 * levels + 2])
    assert _forest_layout._depths(child, 1).tolist() == [levels + 1]


def test_nodes_with_two_parents_end_in_the_leaves_by_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each node of this chain leads to the next two: as a tree it would have more paths than memory has bytes."""
    splits = 120
    feature = np.array([level % WIDTH for level in range(splits)] + [-1, -2], dtype=np.int16)
    arrays: Arrays = {
        "feature": feature,
        "threshold": np.linspace(-1, 1, splits + 2),
        "over": np.array([1] * splits + [0, 0], dtype=np.uint16),
        "roots": np.array([0], dtype=np.int32),
        "leaves": np.arange(float(LEAVES))[:, None],
        "base": np.zeros(1),
    }
    monkeypatch.setattr(_forest_crown, "WHOLE", 1000)
    x = np.random.default_rng(0).normal(0, 1, (60, WIDTH))
    assert BatchWalk(built(arrays)._forest).leaves(x).tolist() == [by_definition(arrays, row) for row in x.tolist()]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), cuts=st.lists(st.integers(1, 299), max_size=5), single=st.booleans())
def test_an_answer_does_not_depend_on_where_a_batch_is_cut(seed: int, cuts: list[int], single: bool) -> None:
    rng = random.Random(seed)
    op = built(grown(rng, 40, single=single, depth=rng.randrange(9)))
    x = np.random.default_rng(seed).choice([*VALUES, 0.1, 0.7, -0.3], (300, WIDTH))
    whole = op.batch(x)
    parts = [op.batch(part) for part in np.split(x, sorted({*cuts}))]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_a_threshold_that_is_no_number_sends_every_number_right() -> None:
    arrays = grown(random.Random(2), 30, depth=6)
    inner = np.flatnonzero(arrays["feature"] >= 0)
    arrays["threshold"][inner[::3]] = math.nan
    x = np.random.default_rng(0).choice(VALUES, (200, WIDTH))
    assert BatchWalk(built(arrays)._forest).leaves(x).tolist() == [by_definition(arrays, row) for row in x.tolist()]


def stumps(thresholds: list[float], single: bool) -> Arrays:
    """Return trees of one split each, all on the first feature."""
    count = len(thresholds)
    return {
        "feature": np.tile(np.array([0, -1, -2], dtype=np.int16), count),
        "threshold": np.column_stack([thresholds, np.zeros((count, 2))]).ravel().astype(np.float32 if single else float),
        "over": np.tile(np.array([1, 0, 0], dtype=np.uint16), count),
        "roots": np.arange(count, dtype=np.int32) * 3,
        "leaves": np.zeros((LEAVES, 1)),
        "base": np.zeros(1),
    }


near = st.builds(lambda value, steps: value * (1 + steps * 2.0**-52), st.sampled_from([1.0, 1e-310, -3e7]), st.integers(-5, 5))


@settings(max_examples=300, deadline=None)
@given(thresholds=st.lists(st.one_of(st.floats(allow_nan=False), near), min_size=1, max_size=40), single=st.booleans())
def test_a_code_counts_the_thresholds_below_its_value(thresholds: list[float], single: bool) -> None:
    """Whatever the range of a column: wide, a few neighbors, subnormal or infinite."""
    kind: Any = np.float32 if single else np.float64
    with np.errstate(over="ignore"):
        arrays = stumps(thresholds, single)
        own = np.array(thresholds).astype(kind)
    forest = built(arrays)._forest
    ranks = _forest_ranks.Ranks(_forest_layout.Layout(forest, 0, forest.count, kind))
    with np.errstate(all="ignore"):
        nearest = [np.nextafter(own, kind(end)) for end in (np.inf, -np.inf)]
    values = np.concatenate([own, *nearest, np.array(VALUES[1:12], kind)])
    x = np.repeat(values[:, None], WIDTH, axis=1)
    assert ranks.codes(x)[0].tolist() == np.unique(own).searchsorted(values).tolist()


@pytest.mark.parametrize("count", [254, 255, 256, 257, 70_000])
def test_codes_take_as_few_bytes_as_they_need(count: int) -> None:
    arrays = stumps([*map(float, range(count))], single=False)
    forest = built(arrays)._forest
    ranks = _forest_ranks.Ranks(_forest_layout.Layout(forest, 0, forest.count, float))
    assert ranks.type.itemsize == (1 if count < 256 else 2 if count < 65_536 else 4)
    x = np.full((3, WIDTH), [[-1.0], [count - 1.5], [math.nan]])
    assert ranks.codes(x)[0].tolist() == [0, count - 1, count]


def test_a_tree_too_large_for_the_words_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_forest_batch, "WORD", 12)
    with pytest.raises(ModelRefused, match="too large for batches"):
        BatchWalk(built(grown(random.Random(1), 9, depth=9))._forest).leaves(np.zeros((2, WIDTH)))


def test_rows_are_fewer_at_a_time_where_words_have_few_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = grown(random.Random(1), 9, depth=9)
    forest = built(arrays)._forest
    layout = _forest_layout.Layout(forest, 0, forest.count, float)
    monkeypatch.setattr(_forest_batch, "WORD", 30)
    trees = _forest_batch.Trees(layout)
    assert 1 <= trees.rows < 700
    x = np.random.default_rng(0).normal(1, 2, (700, WIDTH))
    assert BatchWalk(forest).leaves(x).tolist() == [by_definition(arrays, row) for row in x.tolist()]


@pytest.mark.parametrize("single", [False, True])
def test_walks_by_levels_end_in_the_leaves_by_definition(single: bool) -> None:
    """The form for accelerators, here in NumPy."""
    arrays = grown(random.Random(4), 30, depth=7, categorical=True, single=single)
    inner = np.flatnonzero((arrays["feature"] >= 0) & (arrays["split"] < 0))
    arrays["threshold"][inner[::5]] = math.nan
    levels = Levels(built(arrays)._forest, "float64")
    x = np.random.default_rng(0).choice(VALUES, (100, WIDTH))
    ((first, last, ended),) = levels.walks(np, levels.arrays, x)
    assert (first, last) == (0, 30)
    assert ended.reshape(30, -1).T.tolist() == [by_definition(arrays, row) for row in x.tolist()]
