"""A file gives the same bytes when its calls are interrupted, killed, doubled, raced, or lose their store."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flyweight
from flyweight.errors import PreconditionFailed, StoreFailed, TooLarge
from flyweight.files import scoring as file_scoring
from flyweight.files.checkpoint import output_keys
from flyweight.files.scoring import score_object
from flyweight.stores import Timeouts, open_store
from tests import fitted
from tests.files.samples import (
    BAD,
    CSV,
    FILES,
    GOOD,
    LIMIT,
    TABLE,
    Clock,
    Killed,
    Watched,
    bytes_of,
    cut,
    filled,
    folder,
    predictor,
    small,
)
from tests.services.fixtures import PATIENT, Bucket

if TYPE_CHECKING:
    from flyweight.predictor import Predictor
    from flyweight.stores import Store

__all__ = ["folder", "predictor", "small"]

FRESH = """
import sys
import flyweight
from flyweight.files import scoring as file_scoring
from flyweight.stores import open_store
assert "numpy" not in sys.modules
store = open_store(sys.argv[2])
print(file_scoring.score_object(flyweight.load(sys.argv[1]), store, "in/large.csv", store, "fresh").output)
"""


def test_a_fresh_process_gives_the_same_digits(
    penguins: Path, predictor: Predictor, folder: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For many rows a model changes to NumPy, which sums in another order: here it does so from the first row on."""
    monkeypatch.undo()
    folder.put("in/large.csv", pd.concat([TABLE] * 5).to_csv(index=False).encode(), None)
    whole = score_object(predictor, folder, "in/large.csv", folder, "out")
    command = [sys.executable, "-c", FRESH, penguins, f"file://{tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert folder.get(done.stdout.strip(), LIMIT)[0] == bytes_of(folder, whole)[0], done.stderr


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("looks", [1, 4, 9])
def test_the_number_of_calls_does_not_change_the_output(predictor: Predictor, folder: Store, name: str, looks: int) -> None:
    whole = score_object(predictor, folder, f"in/{name}", folder, "out")
    parted = cut(predictor, folder, f"in/{name}", looks)
    assert bytes_of(folder, parted) == bytes_of(folder, whole)
    assert (parted.rows, parted.rejected) == (whole.rows, whole.rejected)


KINDS = ["killed", "failed", "raced", "doubled"]
EVENT = st.tuples(st.sampled_from(KINDS), st.sampled_from(["before", "after"]))
CALL = st.tuples(st.integers(2, 60), st.dictionaries(st.integers(1, 25), EVENT, max_size=3))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(CALL, max_size=8), name=st.sampled_from([*FILES]))
def test_no_history_changes_a_byte(predictor: Predictor, history: list[Any], name: str) -> None:
    """Calls reach their deadline, are killed before or after any write, lose its answer, or meet another call."""
    with tempfile.TemporaryDirectory() as place:
        store = filled(open_store(f"file://{place}", PATIENT))
        whole = score_object(predictor, store, f"in/{name}", store, "whole")
        expected = bytes_of(store, whole)
        keys = output_keys("out", f"in/{name}", store.head(f"in/{name}").tag, "jsonl")

        def look() -> None:
            """Check that no half-written output is visible, and that the rejected rows come before it."""
            if keys.output in store.keys("out"):
                assert store.get(keys.output, LIMIT)[0] == expected[0]
                assert not expected[1] or store.get(keys.rejects, LIMIT)[0] == expected[1]

        def call(looks: float, events: dict[int, tuple[str, str]]) -> None:
            watched = Watched(store, look)

            def happen(kind: str, at: str, when: str) -> None:
                if when != at:
                    return
                if kind == "killed":
                    raise Killed
                if kind == "failed":
                    raise StoreFailed("no answer", transient=True)
                call(6 if kind == "raced" else inf, {})

            watched.faults = {number: partial(happen, *event) for number, event in events.items()}
            try:
                score_object(predictor, store, f"in/{name}", watched, "out", looks, now=Clock())
            except (Killed, StoreFailed, TooLarge):
                pass

        for looks, events in history:
            call(looks, events)
        done = score_object(predictor, store, f"in/{name}", store, "out")
        assert bytes_of(store, done) == expected
        assert (done.rows, done.rejected) == (whole.rows, whole.rejected)
        before = [(key, store.head(key)) for key in store.keys("out")]
        assert score_object(predictor, store, f"in/{name}", store, "out") == done
        assert [(key, store.head(key)) for key in store.keys("out")] == before
        orphans = [key for key, _ in before if key.startswith(keys.parts)]
        broken = [kind for _, events in history for kind, _ in events.values() if kind in ("killed", "failed")]
        assert broken or not orphans


def test_a_file_that_is_done_costs_three_requests(predictor: Predictor, s3: Bucket) -> None:
    store = filled(s3.open())
    score_object(predictor, store, "in/a.csv", store, "out")
    s3.proxy.fail("")
    score_object(predictor, store, "in/a.csv", store, "out")
    assert [seen.method for seen in s3.proxy.seen] == ["HEAD", "GET", "HEAD"]


def test_another_version_of_a_file_is_another_file(predictor: Predictor, folder: Store) -> None:
    first = score_object(predictor, folder, "in/a.csv", folder, "out")
    folder.put("in/a.csv", CSV + b"\n" + CSV.splitlines()[1], folder.head("in/a.csv").tag)
    second = score_object(predictor, folder, "in/a.csv", folder, "out")
    assert first.output != second.output
    assert second.rows == first.rows + 1
    assert folder.head(first.output)


def test_a_file_that_changes_while_it_is_read_is_left_to_the_next_call(predictor: Predictor, folder: Store) -> None:
    stale = Watched(folder)
    mark = folder.head("in/a.csv")
    folder.put("in/a.csv", CSV[::-1], mark.tag)
    stale.head = lambda key: mark if key == "in/a.csv" else folder.head(key)
    with pytest.raises(PreconditionFailed, match="replaced"):
        score_object(predictor, stale, "in/a.csv", folder, "out")


def test_a_file_that_another_model_began_is_begun_again(predictor: Predictor, folder: Store, tmp_path: Path) -> None:
    estimator, sample = fitted.penguins()
    flyweight.pack(estimator, tmp_path / "next.safetensors", sample=sample, name="penguins", version="2.0.0")
    following = flyweight.load(tmp_path / "next.safetensors")
    begun = score_object(predictor, folder, "in/a.csv", folder, "out", 12, now=Clock())
    assert not begun.done and begun.rows > 0
    done = score_object(following, folder, "in/a.csv", folder, "out")
    report = json.loads(folder.get(output_keys("out", "in/a.csv", folder.head("in/a.csv").tag, "jsonl").checkpoint, LIMIT)[0])
    assert report["model"]["version"] == "2.0.0" and report["state"] == "done"
    assert (done.rows, done.rejected) == (len(GOOD), len(BAD))
    assert [key for key in folder.keys("out") if ".parts/" in key] == []
    assert score_object(predictor, folder, "in/a.csv", folder, "out") == done, "a file that is done stays as it is"


def test_a_file_without_progress_is_given_up_and_can_be_continued(predictor: Predictor, folder: Store) -> None:
    """Each call scores one batch at least, but joining the parts has to fit in one call."""
    with pytest.raises(TooLarge, match="made no progress"):
        for _ in range(100):
            assert not score_object(predictor, folder, "in/a.csv", folder, "out", 1.0, now=Clock()).done
    done = score_object(predictor, folder, "in/a.csv", folder, "out")
    assert (done.done, done.rows) == (True, len(GOOD))


def test_a_file_has_a_limited_number_of_calls(predictor: Predictor, folder: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_scoring, "MAX_CALLS", 3)
    for _ in range(2):
        assert not score_object(predictor, folder, "in/a.csv", folder, "out", 9.0, now=Clock()).done
    with pytest.raises(TooLarge, match="not done after 3 calls"):
        score_object(predictor, folder, "in/a.csv", folder, "out", 9.0, now=Clock())


def test_on_every_store_through_faults(predictor: Predictor, bucket: Bucket, folder: Store) -> None:
    """Interrupted, and with some failing requests, it gives the bytes of a folder."""
    expected = bytes_of(folder, score_object(predictor, folder, "in/a.csv", folder, "out"))
    store = filled(bucket.open())
    for number, fault in enumerate(["503", "reset", "truncate", "lost", "500", "", "403", "", "", ""]):
        bucket.proxy.fail(fault, times=1, when=_th(3 + 2 * number))
        try:
            done = score_object(predictor, store, "in/a.csv", store, "out", 12.0 + 2 * number, now=Clock())
        except (StoreFailed, TooLarge):
            continue
    bucket.proxy.fail("")
    done = score_object(predictor, store, "in/a.csv", store, "out")
    assert bytes_of(store, done) == expected


def _th(number: int) -> Callable[[Any], bool]:
    """Make a function that picks the requests from a number on."""
    left = [number]

    def picked(seen: Any) -> bool:
        left[0] -= 1
        return left[0] <= 0

    return picked


def test_a_failing_store_is_an_error_and_the_file_is_continued_later(predictor: Predictor, s3: Bucket) -> None:
    store = filled(s3.open(Timeouts(connect=20.0, seconds=60.0, retries=1)))
    s3.proxy.fail("503", when=lambda seen: ".parts/000003" in seen.path)
    with pytest.raises(StoreFailed):
        score_object(predictor, store, "in/a.csv", store, "out")
    s3.proxy.fail("")
    assert score_object(predictor, store, "in/a.csv", store, "out").rows == len(GOOD)
