"""The load benchmark counts what wrk sends, and takes medians."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks import load
from flyweight.toolkit.running.server import Server


def test_wrk_tells_how_many_requests_were_answered_and_how_many_were_not(penguins: Path, tmp_path: Path) -> None:
    if not load.WRK.exists():
        pytest.skip("wrk is not installed; run: .ci/install-wrk")
    row = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]
    (tmp_path / "right.json").write_text(json.dumps([row]))
    (tmp_path / "wrong.json").write_text("[[]]")
    with Server(penguins, "127.0.0.1", 0) as server:
        port = int(server.url.rpartition(":")[2])
        right, wrong = (load.loaded(os.getpid(), port, tmp_path, body, 2, 1) for body in ("right", "wrong"))
    assert right["failed"] == 0 and right["requests_a_second"] > 0 < right["p50_ms"] <= right["p99_ms"]
    assert wrong["failed"] > 0


def test_figures_are_medians_of_the_rounds() -> None:
    rounds = [dict.fromkeys(load.FIGURES, value) for value in (1.0, 5.0, 2.0)]
    series = load.Series([30.0, 10.0, 20.0], [3.0, 1.0, 2.0], [7.0, 9.0, 8.0], {1: rounds})
    assert load.summary(series) == {
        "first_answer_ms": 20.0,
        "first_answer_processor_ms": 2.0,
        "peak_mb": 8.0,
        "connections": {"1": dict.fromkeys(load.FIGURES, 2.0)},
    }
