"""Benchmarks that compare two ways: both give the same answers."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import bytecode, compressed
from benchmarks.models import MODELS


def test_bytecode_is_in_one_file_or_beside_each_module(tmp_path: Path) -> None:
    ways = bytecode.folders(tmp_path)
    event = json.dumps({"instances": [MODELS["linear"]().instance]})
    assert all(bytecode.first_answer(folder, event) > 0 for folder in ways.values())
    beside = {way: [*(folder / "flyweight" / "serving").glob("__pycache__/service.*")] for way, folder in ways.items()}
    bundles = {way: [*folder.rglob("bundle.*")] for way, folder in ways.items()}
    assert (len(beside["one_file"]), len(bundles["one_file"])) == (0, 1)
    assert (len(beside["a_file_each"]), len(bundles["a_file_each"])) == (1, 0)


def test_a_compressed_file_is_scored_like_a_plain_one(tmp_path: Path) -> None:
    figures = compressed.measured(tmp_path, 5, 60)  # which asserts that the answers' bytes are the same
    assert (figures["calls_plain"], figures["calls_gzip"]) == (1, 1)
    assert figures["skipped_gzip_mb_per_second"] > 0
