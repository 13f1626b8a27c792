"""Small trees become masks that end in the same leaves, and whose sums have the same bits."""

from __future__ import annotations

import math
import random
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.ops import _forest, _forest_masks, _forest_sums
from tests.ops.forests import LEAVES, WIDTH, built, by_definition, forests, grown, instances
from tests.ops.hostile import Arrays

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
