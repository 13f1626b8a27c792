"""What docs/coverage.md says is packed is packed."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.coverage import PAGE, RESULTS, Row, attempt, write

KNOWN = json.loads(RESULTS.read_text())


def test_no_row_gets_worse() -> None:
    packed = [name for name, row in KNOWN.items() if row["packed"]]
    assert len(packed) >= 148
    # Packed means within parity's bounds. The differences themselves are not compared: fits, and with them the scale of
    # exponentials far outside training, change with the processor's BLAS.
    rows = {name: attempt(name) for name in packed}
    lost = {name: row.reason for name, row in rows.items() if not row.packed}
    assert not lost


def test_the_page_is_what_the_results_say(tmp_path: Path) -> None:
    write([Row(**row) for row in KNOWN.values()], tmp_path / "page.md", tmp_path / "results.json")
    assert (tmp_path / "page.md").read_text() == PAGE.read_text()
    assert json.loads((tmp_path / "results.json").read_text()) == KNOWN
